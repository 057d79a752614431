"""`linnet prepare`: from a folder, a corpus or a synthesizer to manifests; one subcommand each."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linnet.cli.config_options import options_from
from linnet.cli.console import print_result, print_warning, progress_bar
from linnet.cli.prepare_corpus import ForceOption, OutputOption, add_corpora, part_line, show_report
from linnet.cli.prepare_sounds import add_sounds
from linnet.runtime.search_config import SearchConfig

if TYPE_CHECKING:
    from linnet.corpora.synthetic_speech import Script

prepare = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Make a manifest from a folder or a corpus."
)
add_corpora(prepare)
add_sounds(prepare)

MADE = "Made here"

SeedOption = Annotated[int, typer.Option(help="The same seed makes the same corpus.")]
HoursOption = Annotated[float | None, typer.Option(min=0.001, help="Hours of speech to make.")]
MadeHoursOption = Annotated[float, typer.Option(min=0.001, help="Hours of speech to make.")]
DevHoursOption = Annotated[float, typer.Option(min=0.0, help="Hours of the dev part.")]


@prepare.command(rich_help_panel=MADE)
def numbers(
    output: OutputOption,
    hours: MadeHoursOption = 6.0,
    dev_hours: DevHoursOption = 0.2,
    seed: SeedOption = 0,
) -> None:
    """Spoken numbers, read by the synthesizers that are installed (espeak-ng, flite, festival)."""
    from linnet.corpora.spoken_numbers import ENGINE_SHARES, SpokenNumbers

    _speak(output, SpokenNumbers(), ENGINE_SHARES, hours=hours, dev_hours=dev_hours, seed=seed)


@prepare.command(rich_help_panel=MADE)
def sentences(
    texts: Annotated[list[Path], typer.Argument(help="Text files, a sentence a line; .gz and .zst too.")],
    output: OutputOption,
    hours: MadeHoursOption = 6.0,
    dev_hours: DevHoursOption = 0.2,
    seed: SeedOption = 0,
) -> None:
    """Sentences of text files, read by the synthesizers that are installed (espeak-ng, flite, festival)."""
    from linnet.corpora.spoken_sentences import ENGINE_SHARES, SpokenSentences

    _speak(output, SpokenSentences(texts), ENGINE_SHARES, hours=hours, dev_hours=dev_hours, seed=seed)


@prepare.command("joined-digits", rich_help_panel=MADE)
def joined_digits(
    manifests: Annotated[list[Path], typer.Argument(help="Manifests of single digits, training parts only.")],
    output: OutputOption,
    hours: HoursOption = None,
    seed: SeedOption = 0,
) -> None:
    """Strings of digits, joined from recordings of single digits by the same speaker."""
    from linnet.corpora.joined_digits import prepare_joined_digits

    with _percentage("joining") as progress:
        made = prepare_joined_digits(manifests, output, seed=seed, progress=progress, **_given(hours=hours))
    print_result(part_line(made.manifest, made.num_clips, made.duration_s, made.num_speakers))


@prepare.command("cut-digits", rich_help_panel=MADE)
def cut_digits(
    manifest: Annotated[Path, typer.Argument(help="Recordings whose texts are strings of digits.")],
    output: OutputOption,
    model: Annotated[str, typer.Option("--model", "-m", help="The model that finds the digits.")] = "digits",
    force: ForceOption = False,
) -> None:
    """Single digits, cut out of recorded digit strings where a model hears them."""
    from linnet.corpora.cut_digits import prepare_cut_digits
    from linnet.runtime.recognizer import Recognizer

    with _percentage("cutting") as progress:
        report = prepare_cut_digits(manifest, output, Recognizer.load(model), force=force, progress=progress)
    show_report(report)


@prepare.command("pseudo-labels", rich_help_panel=MADE)
@options_from(SearchConfig, "search")
def pseudo_labels(
    manifest: Annotated[Path, typer.Argument(help="Recordings without texts.")],
    output: OutputOption,
    search: SearchConfig,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model that hears them.")] = None,
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out recordings with a lower mean confidence.")
    ] = 0.8,
    force: ForceOption = False,
) -> None:
    """Texts for recordings that have none: what a model is sure to hear, best with --lm."""
    from linnet.cli.imported import runnable_model
    from linnet.corpora.pseudo_labels import prepare_pseudo_labels
    from linnet.runtime.recognizer import Recognizer

    recognizer = Recognizer.load(runnable_model(model), search=search)
    with _percentage("hearing") as progress:
        report = prepare_pseudo_labels(
            manifest, output, recognizer, min_confidence=threshold, force=force, progress=progress
        )
    show_report(report)


def _speak(output: Path, script: "Script", shares: Mapping[str, float], **options: Any) -> None:
    """Have a script read, and say by whom."""
    from linnet.corpora.synthetic_speech import prepare_synthetic_speech

    with _percentage("speaking") as progress:
        made = prepare_synthetic_speech(output, script, shares, progress=progress, **options)
    for engine in made.missing_engines:
        print_warning(f"{engine} is not installed; the corpus has fewer voices without it")
    for reason, count in made.dropped.most_common():
        print_warning(f"left out {count} clips of {reason}")
    for engine, engine_hours in made.hours.items():
        print_result(f"{engine}: {engine_hours:.2f} hours")
    print_result(f"{len(made.speakers)} voices in {', '.join(map(str, made.manifests))}")


@contextmanager
def _percentage(what: str) -> Iterator[Callable[[float], None]]:
    """Draw a bar that is moved by the fraction done."""
    with progress_bar("%") as bar:
        task = bar.add_task(what, total=100)
        yield lambda fraction: bar.update(task, completed=round(100 * fraction))


def _given(**options: Any) -> dict[str, Any]:
    """Keep the options that were given; for the others the function called has its defaults."""
    return {name: value for name, value in options.items() if value is not None}
