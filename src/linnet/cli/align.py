"""`linnet align`: when each word of a known text was said."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.aligned_formats import AlignedFormat, render_aligned
from linnet.cli.config_options import options_from
from linnet.cli.console import ModelOption, print_result, print_warning, progress_bar
from linnet.core.errors import ConfigError, TextError
from linnet.decoding.alignment import AlignConfig

if TYPE_CHECKING:
    from linnet.core.results import AlignedText
    from linnet.runtime.aligner import Aligner

MAX_TEXT_BYTES = 16 * 2**20
MAX_WARNINGS = 20


@options_from(AlignConfig, "config")
def align(
    audio: Annotated[str, typer.Argument(metavar="AUDIO", help="Recording, of any length.")],
    text_file: Annotated[
        Path | None, typer.Argument(metavar="TEXT", help="File with what is said, in UTF-8.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="What is said, in place of the file.")] = None,
    model: ModelOption = None,
    form: Annotated[
        AlignedFormat, typer.Option("--format", "-f", help="json and textgrid have tokens too.")
    ] = AlignedFormat.JSON,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file.")] = False,
    *,
    config: AlignConfig,
) -> None:
    """Find when each word of a known text was said.

    Words that the recording does not have are still given the best place
    there is; they are marked "spoken": false in JSON and named on stderr.

    Needs the extra `beam`.
    """
    from linnet.cli.imported import runnable_model
    from linnet.core.files import write_text
    from linnet.runtime.aligner import Aligner
    from linnet.runtime.packaged import DEFAULT_MODEL
    from linnet.runtime.recognizer import Recognizer
    from linnet.runtime.search_config import SearchConfig

    if output and output.exists() and not overwrite:
        raise ConfigError(
            f"{output} exists", remedy="Choose another --output, or replace it with --overwrite"
        )
    lines = _read_lines(text_file, text)
    greedy = SearchConfig(no_lm=True)
    recognizer = Recognizer.load(runnable_model(model) if model else DEFAULT_MODEL, search=greedy)
    aligned = _align(Aligner(recognizer, config), audio, lines)
    rendered = render_aligned(aligned, audio, form)
    if output:
        write_text(output, rendered)
    else:
        print_result(rendered.removesuffix("\n"))
    _warn_of_unspoken(aligned)


def _read_lines(path: Path | None, text: str | None) -> list[str]:
    if (path is None) == (text is None):
        raise ConfigError("the text comes from one place", remedy="Give either the file TEXT or --text")
    if path is None:
        return (text or "").splitlines()
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise TextError(
                f"a text has at most {MAX_TEXT_BYTES} bytes",
                where=str(path),
                remedy="Divide the recording and its text",
            )
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(
            f"cannot read the text: {error}", where=str(path), remedy="Give a text file in UTF-8"
        ) from None


def _align(aligner: "Aligner", audio: str, lines: Sequence[str]) -> "AlignedText":
    from linnet.audio.read import read_audio

    rate_hz = aligner.recognizer.sample_rate_hz
    samples = read_audio(audio, sample_rate_hz=rate_hz)
    with progress_bar("s") as bar:
        task = bar.add_task("align", total=round(len(samples) / rate_hz))
        return aligner.align(samples, lines, lambda done_s: bar.update(task, completed=round(done_s)))


def _warn_of_unspoken(aligned: "AlignedText") -> None:
    unspoken = [word for word in aligned.words if not word.spoken]
    for word in unspoken[:MAX_WARNINGS]:
        print_warning(
            f"not spoken? {word.text!r}, line {word.line}, at {word.start_s:g} s ({word.score:.1f})"
        )
    if len(unspoken) > MAX_WARNINGS:
        print_warning(f"and {len(unspoken) - MAX_WARNINGS} more of {len(aligned.words)} words")
