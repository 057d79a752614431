"""Recordings shared among processes: each loads the model once, and a crash costs one recording."""

import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any, Self

from linnet.core.errors import AudioError

if TYPE_CHECKING:
    from linnet.audio.read import AudioSource
    from linnet.core.results import Transcript
    from linnet.runtime.recognizer import Progress
    from linnet.runtime.search_config import SearchConfig

Task = Callable[[Any], Any]
Outcome = Any  # what the task gave, or the exception it raised

_THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # of numpy's libraries


@dataclass(frozen=True, slots=True)
class TranscriberSettings:
    """What a process needs to know to transcribe; called, it loads the model and gives the task."""

    model: str
    num_threads: int
    search: "SearchConfig | None"
    numbers: bool
    progress: "Progress | None" = None

    def __call__(self) -> "Callable[[AudioSource], Transcript]":
        """Load the recognizer."""
        from linnet.runtime.recognizer import Recognizer  # numpy reads its limit of threads when it is loaded

        recognizer = Recognizer.load(self.model, num_threads=self.num_threads, search=self.search)
        return lambda source: recognizer.transcribe(source, numbers=self.numbers, progress=self.progress)


def run_tasks(
    make_task: Callable[[], Task], items: Sequence[Any], num_processes: int = 1
) -> Generator[tuple[int, Outcome]]:
    """Run a task on each item: here, or in several other processes.

    There an item goes to the next process that is free. One that brings its process down (a decoder that
    crashes, memory that runs out) costs only itself: another process takes the place. Closing the iterator
    ends all processes.

    Args:
        make_task: called once in each process. It and the items must be picklable.
        items: what the task is called with.
        num_processes: how many at most; 1 is this one.

    Yields:
        The index of each item and what became of it, in the order in which they are done.
    """
    if num_processes == 1:
        task = make_task()
        for index, item in enumerate(items):
            yield index, _attempt(task, item)
        return
    waiting = iter(enumerate(items))
    workers: dict[Any, _Worker] = {}
    try:
        for index, item in zip(range(num_processes), items, strict=False):
            next(waiting)
            worker = _Worker.start(make_task)
            workers[worker.connection] = worker
            worker.give(index, item)
        while workers:
            for connection in wait([*workers]):
                worker = workers[connection]
                outcome = worker.take()
                yield worker.index, outcome
                following = next(waiting, None)
                if worker.is_dead or not following:
                    workers.pop(connection).end()
                if following:
                    worker = _Worker.start(make_task) if worker.is_dead else worker
                    workers[worker.connection] = worker
                    worker.give(*following)
    finally:
        for worker in workers.values():
            worker.end()


@dataclass(slots=True)
class _Worker:
    """A process, and the item it works on."""

    process: BaseProcess
    connection: Connection
    index: int = -1
    is_dead: bool = False

    @classmethod
    def start(cls, make_task: Callable[[], Task]) -> Self:
        context = get_context("spawn")  # a fork would copy the locks of threads that it does not copy
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(make_task, theirs), daemon=True)
        process.start()
        theirs.close()
        return cls(process, ours)

    def give(self, index: int, item: Any) -> None:
        self.index = index
        with suppress(OSError):  # it died meanwhile, as `take` will find
            self.connection.send(item)

    def take(self) -> Outcome:
        """Receive what became of the item.

        Raises:
            Exception: what kept the process from making its task.
        """
        try:
            is_ready, outcome = self.connection.recv()
        except (EOFError, OSError):
            self.is_dead = True
            self.process.join()
            return AudioError(
                f"the process that read it ended with {self.process.exitcode}",
                remedy="It may be damaged or need too much memory: try it alone, or with fewer --jobs",
            )
        if not is_ready:
            raise outcome
        return outcome

    def end(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.join()


def _serve(make_task: Callable[[], Task], connection: Connection) -> None:
    """Be a worker: make the task, then answer items until the other side has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all, and the first process ends the others
    for name in _THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    try:
        task = make_task()
    except Exception as error:
        connection.send((False, error))
        return
    with suppress(EOFError, OSError):
        while True:
            connection.send((True, _attempt(task, connection.recv())))


def _attempt(task: Task, item: Any) -> Outcome:
    try:
        return task(item)
    except Exception as error:
        return error
