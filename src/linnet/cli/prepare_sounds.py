"""`linnet prepare noise` and `linnet prepare rir`: manifests of sounds to augment speech with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import print_result, print_warning, printable, progress_bar

if TYPE_CHECKING:
    from linnet.corpora.sounds import SoundReport

SOUNDS = "Sounds to augment with"
MAX_SKIPPED_SHOWN = 10

OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Directory for the manifest.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace a manifest that exists.")]


def add_sounds(prepare: typer.Typer) -> None:
    """Add both commands to `linnet prepare`."""
    prepare.command(rich_help_panel=SOUNDS)(noise)
    prepare.command(rich_help_panel=SOUNDS)(rir)


def noise(
    source: Annotated[Path, typer.Argument(help="A folder of recorded noise.")],
    output: OutputOption,
    piece_s: Annotated[float, typer.Option(min=1.0, help="Seconds of the longest piece.")] = 10.0,
    force: ForceOption = False,
) -> None:
    """Recorded noise, cut into pieces by offset and duration: noise.jsonl for the transform `noise`."""
    from linnet.corpora.sounds import prepare_noise

    with _progress("cutting") as progress:
        report = prepare_noise(source, output, piece_s=piece_s, force=force, progress=progress)
    _show(report, f"{len(report.sounds)} pieces of {report.num_recordings} recordings")


def rir(
    source: Annotated[Path, typer.Argument(help="A folder of room impulse responses.")],
    output: OutputOption,
    force: ForceOption = False,
) -> None:
    """Impulse responses of rooms, checked and measured: rir.jsonl for the transform `room`."""
    from linnet.corpora.sounds import prepare_responses

    with _progress("measuring") as progress:
        report = prepare_responses(source, output, force=force, progress=progress)
    decays_s = sorted(sound.extra["rt60_s"] for sound in report.sounds)
    ratios_db = sorted(sound.extra["direct_db"] for sound in report.sounds)
    mixed = sum(sound.extra["channels"] > 1 for sound in report.sounds)
    if mixed:
        print_warning(
            f"{mixed} have several channels, which are mixed: cut out one to keep its room as it is"
        )
    _show(
        report,
        f"{len(report.sounds)} impulse responses, RT60 {decays_s[0]:.2f} to {decays_s[-1]:.2f} s, "
        f"direct sound {ratios_db[0]:.1f} to {ratios_db[-1]:.1f} dB above the rest",
    )


def _show(report: "SoundReport", what: str) -> None:
    print_result(printable(f"{report.manifest}: {what}, {report.duration_s / 3600:.2f} hours"))
    for line in report.skipped[:MAX_SKIPPED_SHOWN]:
        print_warning(f"left out {line}")
    if len(report.skipped) > MAX_SKIPPED_SHOWN:
        print_warning(f"left out {len(report.skipped)} in all")


@contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    with progress_bar("%") as bar:
        task = bar.add_task(what, total=100)
        yield lambda fraction: bar.update(task, completed=round(100 * fraction))
