"""`linnet prepare NAME`: one subcommand for each corpus and format of the catalog."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import (
    EXIT_SOME_FAILED,
    messages,
    print_result,
    print_warning,
    printable,
    progress_bar,
)
from linnet.corpora.catalog import CORPORA, FORMATS, Corpus

if TYPE_CHECKING:
    from linnet.corpora.report import PrepareReport

MAX_SKIPPED_SHOWN = 10

OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Directory for the manifests.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace manifests that exist.")]
SourceArgument = Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Where the corpus lies.")]
SourceOption = Annotated[Path | None, typer.Option("--source", "-s", help="The same, as an option.")]
DownloadOption = Annotated[
    bool, typer.Option("--download", help="Let lhotse fetch the corpus into the source first, where it can.")
]


def add_corpora(group: typer.Typer) -> None:
    """Add a subcommand for each corpus and each format to a group."""
    for panel, corpora in (("Formats", FORMATS), ("Corpora", CORPORA)):
        for corpus in corpora.values():
            text = f"{corpus.title}.\n\n{corpus.layout}.\n\n{corpus.license_note}"
            register = group.command(corpus.name, help=text, short_help=corpus.title, rich_help_panel=panel)
            register(_command(corpus))


def show_report(report: "PrepareReport") -> None:
    """Print what was written and name what was left out."""
    from linnet.corpora.summary import lengths_and_characters

    for part in report.parts:
        print_result(part_line(part.manifest, part.num_utterances, part.duration_s, part.num_speakers))
        print_result(f"  {lengths_and_characters(part)}")
    if report.note:
        print_result(report.note)
    for skipped in report.skipped[:MAX_SKIPPED_SHOWN]:
        print_warning(f"left out {skipped.what}: {skipped.reason}")
    if len(report.skipped) > MAX_SKIPPED_SHOWN:
        print_warning(f"left out {len(report.skipped)} in all")


def part_line(manifest: Path, num_utterances: int, duration_s: float, num_speakers: int) -> str:
    """Say in one line what a manifest holds."""
    speakers = f"{num_speakers} speakers" if num_speakers else "speakers unknown"
    return printable(f"{manifest}: {num_utterances} utterances, {duration_s / 3600:.2f} hours, {speakers}")


def _command(corpus: Corpus) -> Callable[..., None]:
    def prepare_it(
        *,
        directory: SourceArgument = None,
        source: SourceOption = None,
        output: OutputOption,
        force: ForceOption = False,
        download: DownloadOption = False,
    ) -> None:
        given = [path for path in (directory, source) if path is not None]
        if len(given) != 1:
            raise typer.BadParameter(f"give one directory. {corpus.layout}.", param_hint="--source")
        if download and not corpus.download:
            raise typer.BadParameter(
                f"{corpus.name} cannot be fetched. {corpus.layout}.", param_hint="--download"
            )
        _prepare(corpus, given[0], output, force=force, download=download)

    return prepare_it


def _prepare(corpus: Corpus, source: Path, output: Path, *, force: bool, download: bool) -> None:
    if not messages.is_terminal:
        os.environ.setdefault("TQDM_DISABLE", "1")  # the bars of lhotse; read when tqdm is imported
    from linnet.corpora.lhotse_recipes import download_corpus
    from linnet.corpora.prepare import prepare_corpus

    if download:
        source = download_corpus(corpus.name, source)
    with progress_bar("utterances") as bar:
        task = bar.add_task(corpus.name, total=None)
        report = prepare_corpus(
            corpus.name,
            source,
            output,
            force=force,
            progress=lambda num_done: bar.update(task, completed=num_done),
        )
    show_report(report)
    print_result(printable(f"summary: {output / corpus.name}.md"))
    if report.skipped:
        raise typer.Exit(EXIT_SOME_FAILED)
