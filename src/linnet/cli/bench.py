"""`linnet bench`: how long each stage from recording to text takes on this machine."""

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from linnet.cli.console import ModelOption, print_result, printable, progress_bar, results

if TYPE_CHECKING:
    from linnet.runtime.recognizer import Recognizer

STAGES = ("read", "features", "model", "decode", "other")
_METHODS = {"features": "features", "model": "log_probs", "decode": "decode"}  # of the recognizer


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took.

    Attributes:
        wall_s: seconds on the clock.
        cpu_s: seconds of all threads of this process on processors: more than on the clock where several
            threads work, less where other processes take turns.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


@dataclass(slots=True)
class StageClock:
    """Sums the cost of each stage of one pass over the recordings."""

    costs: dict[str, Cost] = field(default_factory=lambda: dict.fromkeys(STAGES, Cost()))

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give a function that adds what each call of `function` takes to `stage`."""

        def run(*arguments: Any, **options: Any) -> Any:
            start = Cost(perf_counter(), process_time())
            try:
                return function(*arguments, **options)
            finally:
                self.costs[stage] += Cost(perf_counter(), process_time()) - start

        return run

    @property
    def total(self) -> Cost:
        """The cost of all stages."""
        return sum(self.costs.values(), Cost())


def bench(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Recordings; default: the sample of linnet.")
    ] = None,
    model: ModelOption = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads for the network, and cores for all.")] = 1,
    repeat: Annotated[
        int, typer.Option(min=1, help="Passes over the recordings; the median one is shown.")
    ] = 15,
) -> None:
    """Measure the speed of a model on this machine.

    The whole way from file to text is timed, stage by stage: RTF is seconds of
    work per second of audio, RTFx its inverse. One pass before the first is not
    counted. Where the system allows it, all runs on as many cores as threads.
    """
    with _on_cores(
        threads
    ) as num_cores:  # before numpy is loaded, which makes a thread for each core it sees
        from linnet.cli.imported import runnable_model
        from linnet.runtime.packaged import packaged_sample
        from linnet.runtime.recognizer import Recognizer

        recordings = files or [packaged_sample()]
        recognizer = (
            Recognizer.load(runnable_model(model), num_threads=threads)
            if model
            else Recognizer.load(num_threads=threads)
        )
        audio_s = _pass(recognizer, recordings, StageClock())
        clocks = []
        with progress_bar("passes") as bar:
            for _ in bar.track(range(repeat), description="bench"):
                clocks.append(StageClock())
                _pass(recognizer, recordings, clocks[-1])
    median = sorted(clocks, key=lambda clock: clock.total.wall_s)[len(clocks) // 2]
    results.print(_table(median, audio_s))
    spec, total = recognizer.bundle.spec, median.total
    _print_facts(
        {
            "speed": f"RTF {total.wall_s / audio_s:.5f}, RTFx {audio_s / total.wall_s:.0f}; "
            f"by CPU time RTF {total.cpu_s / audio_s:.5f}",
            "audio": f"{audio_s:.1f} s, median of {repeat} passes",
            "model": f"{spec.name}, {spec.parameters / 1e6:.2f} M parameters",
            "threads": f"{threads} for the network; cores: {num_cores or 'any'}",
            **_machine(),
        }
    )


def _pass(recognizer: "Recognizer", recordings: Sequence[Path], clock: StageClock) -> float:
    """Transcribe every recording as `Recognizer.transcribe` does, timed; returns seconds of audio."""
    from linnet.audio.read import read_audio

    read = clock.timed("read", read_audio)
    everything = clock.timed("other", recognizer.transcribe_samples)
    audio_s = 0.0
    with _watched(recognizer, clock):
        for path in recordings:
            samples = read(path, sample_rate_hz=recognizer.sample_rate_hz)
            (transcript,) = everything([samples])
            audio_s += transcript.duration_s
    for stage in _METHODS:  # they ran inside of everything
        clock.costs["other"] -= clock.costs[stage]
    return audio_s


@contextmanager
def _watched(recognizer: "Recognizer", clock: StageClock) -> Iterator[None]:
    """Time the stages of a recognizer where they happen, so that the true pipeline is measured."""
    for stage, method in _METHODS.items():
        setattr(recognizer, method, clock.timed(stage, getattr(recognizer, method)))
    try:
        yield
    finally:
        for method in _METHODS.values():
            delattr(recognizer, method)


@contextmanager
def _on_cores(num_cores: int) -> Iterator[int | None]:
    """Keep this process and its later threads on so many cores; gives None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    chosen = sorted(allowed)[:num_cores]
    os.sched_setaffinity(0, chosen)
    try:
        yield len(chosen)
    finally:
        os.sched_setaffinity(0, allowed)


def _table(clock: StageClock, audio_s: float) -> Table:
    table = Table("stage", "wall ms", "CPU ms", "RTF", "share", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for stage, cost in (*clock.costs.items(), ("whole pipeline", clock.total)):
        table.add_row(
            stage,
            f"{cost.wall_s * 1e3:.2f}",
            f"{cost.cpu_s * 1e3:.2f}",
            f"{cost.wall_s / audio_s:.5f}",
            f"{cost.wall_s / clock.total.wall_s:.0%}",
        )
    return table


def _machine() -> dict[str, str]:
    packages = ("linnet", "onnxruntime", "numpy", "soundfile")
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
    }


def _processor() -> str:
    """Name the processor; Linux tells only in /proc."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _print_facts(facts: dict[str, str]) -> None:
    print_result("")
    for label, value in facts.items():
        print_result(f"{label:<11}{printable(value)}")
