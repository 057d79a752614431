"""`linnet bench`: how long each stage from recording to text takes on this machine."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linnet.cli.console import progress_bar
from linnet.cli.measurement import Cost, Measurement

if TYPE_CHECKING:
    from linnet.runtime.recognizer import Recognizer

STAGES = ("read", "features", "model", "decode", "other")
_METHODS = {"features": "features", "model": "log_probs", "decode": "decode"}  # of the recognizer


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
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Recordings; default: the sample of the model."),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="A packaged model, a bundle's directory, or a .nemo file; repeatable; default: english.",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(min=1, help="CPU threads for the network, and cores for all; repeatable; default: 1."),
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, help="Passes over the recordings; the median one is shown.")
    ] = 15,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures there.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the stages as bars, into a PNG (extra: plot).")
    ] = None,
    no_lm: Annotated[
        bool, typer.Option("--no-lm", help="Do without the language model that is in a model.")
    ] = False,
) -> None:
    """Measure the speed of models on this machine.

    The whole way from file to text is timed, stage by stage: RTF is seconds of
    work per second of audio, RTFx its inverse. One pass before the first is not
    counted. Where the system allows it, all runs on as many cores as threads.
    Several models or numbers of threads are measured one after another, each in
    a process of its own, and compared.
    """
    if plot is not None:
        from linnet.core.optional import require

        require("matplotlib", extra="plot", purpose="--plot")
    names: Sequence[str | None] = models or [None]
    runs = [(name, count) for name in names for count in threads or [1]]
    # matplotlib has loaded numpy already, with a thread for each core.
    how = measure if len(runs) == 1 and plot is None else _measure_apart
    measured = []
    with progress_bar("runs") as bar:
        for name, count in bar.track(runs, description="bench"):
            measured.append(how(name, files or [], count, repeat, no_lm=no_lm))
    from linnet.cli import bench_report as report

    report.print_measurements(measured, repeat)
    if json_file is not None:
        report.write_json(json_file, measured)
    if plot is not None:
        report.draw(plot, measured)


def measure(
    model: str | None, files: Sequence[Path], threads: int, repeat: int, *, no_lm: bool = False
) -> Measurement:
    """Measure one model, on the packaged sample where no files are given."""
    with _on_cores(
        threads
    ) as num_cores:  # before numpy is loaded, which makes a thread for each core it sees
        from linnet.cli.imported import runnable_model
        from linnet.runtime.packaged import packaged_sample
        from linnet.runtime.recognizer import Recognizer
        from linnet.runtime.search_config import SearchConfig

        recordings, path_or_name = files or [packaged_sample(model)], runnable_model(model)
        start_s = perf_counter()
        search = SearchConfig(no_lm=no_lm)
        recognizer = Recognizer.load(path_or_name, num_threads=threads, search=search)
        load_s = perf_counter() - start_s
        audio_s, _ = _pass(recognizer, recordings, StageClock())
        clocks: list[StageClock] = []
        latencies_s: list[float] = []
        for _ in range(repeat):
            clocks.append(StageClock())
            latencies_s += _pass(recognizer, recordings, clocks[-1])[1]
    median = sorted(clocks, key=lambda clock: clock.total.wall_s)[len(clocks) // 2]
    spec, session = recognizer.bundle.spec, recognizer.session
    return Measurement(
        model=spec.name,
        precision=session.precision,
        parameters=spec.parameters,
        size_bytes=session.size_bytes,
        decoding=recognizer.search.config.summary if recognizer.search else "greedy",
        threads=threads,
        num_cores=num_cores,
        audio_s=audio_s,
        load_s=load_s,
        stages=median.costs,
        latencies_s=tuple(latencies_s),
        peak_memory_bytes=_peak_memory_bytes(),
    )


def _measure_apart(
    model: str | None, files: Sequence[Path], threads: int, repeat: int, *, no_lm: bool = False
) -> Measurement:
    """Measure in a new process, whose memory and threads are those of this model alone."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(measure, model, files, threads, repeat, no_lm=no_lm).result()


def _peak_memory_bytes() -> int | None:
    """Tell the most this process ever held in memory."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    import sys

    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return unit_bytes * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _pass(
    recognizer: "Recognizer", recordings: Sequence[Path], clock: StageClock
) -> tuple[float, list[float]]:
    """Transcribe every recording as `Recognizer.transcribe` does, timed.

    Returns:
        The seconds of audio, and what each recording took, in seconds.
    """
    from linnet.audio.read import read_audio

    read = clock.timed("read", read_audio)
    everything = clock.timed("other", recognizer.transcribe_samples)
    audio_s = 0.0
    latencies_s: list[float] = []
    with _watched(recognizer, clock):
        for path in recordings:
            start_s = perf_counter()
            samples = read(path, sample_rate_hz=recognizer.sample_rate_hz)
            (transcript,) = everything([samples])
            latencies_s.append(perf_counter() - start_s)
            audio_s += transcript.duration_s
    for stage in _METHODS:  # they ran inside of everything
        clock.costs["other"] -= clock.costs[stage]
    return audio_s, latencies_s


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
