"""`linnet transcribe`: recordings to text, one after another; a bad one does not stop the rest."""

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from pydantic import Field

from linnet.cli.config_options import options_from
from linnet.cli.console import (
    EXIT_SOME_FAILED,
    ModelOption,
    messages,
    print_error,
    print_result,
    printable,
    progress_bar,
)
from linnet.core.errors import AudioError, LinnetError, MissingDependencyError
from linnet.core.files import write_text
from linnet.core.remote import as_url
from linnet.core.results import Hotword
from linnet.runtime.search_config import SearchConfig

if TYPE_CHECKING:
    from rich.progress import Progress

    from linnet.core.results import Transcript
    from linnet.runtime.recognizer import Recognizer

STDIN = "-"


class TranscriptFormat(StrEnum):
    """How a transcript is written."""

    TXT = "txt"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class _Recording:
    """One recording to transcribe.

    Attributes:
        name: how results and messages call it.
        location: its path or URL; None is standard input.
        place: where its transcript goes below the output directory; still with the suffix of the recording.
    """

    name: str
    location: Path | str | None
    place: Path

    def source(self) -> Path | str | BinaryIO:
        return self.location or sys.stdin.buffer


class TextOptions(SearchConfig):
    """What becomes of the sounds: the options of the search, and of how the words are written."""

    numbers: bool = Field(
        default=False, description="Write spoken English numbers as digits: 896, not eight nine six."
    )


@options_from(TextOptions, "text")
def transcribe(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|DIR|URL|-", help="Recordings, folders of them, s3:// or https://, or - for stdin."
        ),
    ] = None,
    model: ModelOption = None,
    transcript_format: Annotated[
        TranscriptFormat, typer.Option("--format", "-f", help="json adds words with times and confidences.")
    ] = TranscriptFormat.TXT,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "-o", help="Write one file per recording into this folder.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files in the output folder.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads for the network.")] = 1,
    sample: Annotated[
        bool, typer.Option("--sample", help="Transcribe the sample that comes with linnet.")
    ] = False,
    *,
    text: TextOptions,
) -> None:
    """Write recordings as text.

    One recording gives its text. Several, or a folder, give a line each: path,
    tab, text. With --format json every line is an object instead.

    --lm, --hotword, --nbest or --beam search for the likeliest text, where
    otherwise the likeliest token of each moment is taken (extra `beam`). What
    became of each hotword is told on stderr and in the JSON.

    With --output-dir nothing goes to stdout: each transcript is called like its
    recording, and folders keep their structure.

    A recording that cannot be read is named on stderr and the rest goes on; the
    exit code is then 1.
    """
    from linnet.cli.imported import runnable_model
    from linnet.runtime.packaged import DEFAULT_MODEL
    from linnet.runtime.recognizer import Recognizer

    recordings = _find_recordings(inputs or [], sample=sample)
    outputs = (
        _plan_outputs(recordings, output_dir, transcript_format, overwrite=overwrite) if output_dir else None
    )
    search = SearchConfig.model_validate(text.model_dump(exclude={"numbers"}))
    recognizer = Recognizer.load(
        runnable_model(model) if model else DEFAULT_MODEL,
        num_threads=threads,
        search=search if search.is_wanted else None,
    )
    outcomes = Counter[Hotword]()
    named = len(recordings) > 1 or any(Path(text).is_dir() for text in inputs or [])
    num_failed = 0
    bar = progress_bar("recordings" if named else "s heard")
    with bar:
        task = bar.add_task("transcribe", total=len(recordings) if named else None)
        for index, recording in enumerate(recordings):
            heard = None if named else partial(bar.update, task)
            transcript = _read(recognizer, recording, heard, numbers=text.numbers)
            outcomes.update(transcript.hotwords if transcript else ())
            if transcript is None:
                num_failed += 1
            elif outputs:
                write_text(
                    outputs[index], _render(transcript, recording, transcript_format, named=False) + "\n"
                )
            else:
                _print_beside(bar, _render(transcript, recording, transcript_format, named=named))
            num_failed += bool(transcript and transcript.damage)
            bar.advance(task, named)
    _tell_hotwords(outcomes)
    _conclude(len(recordings), num_failed, output_dir)


def _tell_hotwords(outcomes: Counter[Hotword]) -> None:
    """Say of each phrase what became of it, so that none fails in silence."""
    for phrase in dict.fromkeys(hotword.phrase for hotword in outcomes):
        counts = [f"{each.outcome} ({n})" for each, n in outcomes.items() if each.phrase == phrase]
        messages.print(f"hotword {printable(phrase)!r}: {', '.join(counts)}", markup=False, soft_wrap=True)


def _find_recordings(inputs: Sequence[str], *, sample: bool) -> list[_Recording]:
    """List what the arguments mean, in their order and each once; folders in the order of their paths."""
    recordings: dict[str, _Recording] = {}
    for text in inputs:
        for recording in _expand(text):
            recordings.setdefault(recording.name, recording)
    if sample:
        from linnet.runtime.packaged import packaged_sample

        path = packaged_sample()
        recordings[str(path)] = _Recording(str(path), path, Path(path.name))
    if not recordings:
        raise LinnetError(
            "no recording was given",
            remedy="Try `linnet transcribe --sample`, then `linnet transcribe recording.wav`",
        )
    return list(recordings.values())


def _expand(text: str) -> list[_Recording]:
    path = Path(text)
    if text == STDIN:
        if sys.stdin.isatty():
            raise LinnetError(
                "standard input is a keyboard", remedy="Pipe a recording: linnet transcribe - < recording.wav"
            )
        return [_Recording("stdin", None, Path("stdin"))]
    if url := as_url(text):
        return [_Recording(_one_line(url), url, Path(Path(url.partition("?")[0]).name))]
    if not path.is_dir():
        return [_Recording(_one_line(path), path, Path(path.name))]
    from linnet.audio.read import AUDIO_SUFFIXES

    found = [
        _Recording(_one_line(file), file, file.relative_to(path))
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in AUDIO_SUFFIXES and not file.name.startswith(".") and file.is_file()
    ]
    if not found:
        raise LinnetError(
            "there is no recording in this folder",
            where=text,
            remedy=f"Recordings are found by their suffix: {', '.join(sorted(AUDIO_SUFFIXES))}",
        )
    return found


def _plan_outputs(
    recordings: Sequence[_Recording], folder: Path, transcript_format: TranscriptFormat, *, overwrite: bool
) -> list[Path]:
    """Give each recording its own file, before anything is written.

    It is called by the stem of the recording, or by its whole name where two share a stem (a.wav, a.mp3).
    """
    suffix = f".{transcript_format.value}"
    short = [folder / recording.place.with_suffix(suffix) for recording in recordings]
    shared = _shared(short)
    outputs = [
        folder / f"{recording.place}{suffix}" if path in shared else path
        for recording, path in zip(recordings, short, strict=True)
    ]
    if still_shared := _shared(outputs):
        raise LinnetError(
            f"two recordings would be written to {min(still_shared)}",
            remedy="Give the folder that holds them, or transcribe them into two folders",
        )
    existing = [path for path in outputs if path.exists()]
    if existing and not overwrite:
        raise LinnetError(
            f"{existing[0]} exists" + (f", and {len(existing) - 1} more" if existing[1:] else ""),
            remedy="Choose another --output-dir, or replace the files with --overwrite",
        )
    return outputs


def _shared(paths: Sequence[Path]) -> set[Path]:
    """Return the paths that stand for one file, also on a disk that does not tell A from a."""
    counts = Counter(str(path).casefold() for path in paths)
    return {path for path in paths if counts[str(path).casefold()] > 1}


def _read(
    recognizer: "Recognizer", recording: _Recording, heard: Callable[..., None] | None, *, numbers: bool
) -> "Transcript | None":
    """Transcribe one recording as far as it can be read, or say why not."""

    def tell(heard_s: float, expected_s: float) -> None:
        if heard:
            total = None if math.isnan(expected_s) else math.ceil(expected_s)
            heard(completed=round(heard_s), total=total)

    try:
        transcript = recognizer.transcribe(recording.source(), numbers=numbers, progress=tell)
        if transcript.damage:
            print_error(f"{recording.name}: {transcript.damage}; the text ends there")
        return transcript
    except (AudioError, MissingDependencyError) as error:
        print_error(str(error) if recording.name in str(error) else f"{recording.name}: {error}")
        return None


def _render(
    transcript: "Transcript", recording: _Recording, transcript_format: TranscriptFormat, *, named: bool
) -> str:
    if transcript_format is TranscriptFormat.JSON:
        return json.dumps({"audio": recording.name, **transcript.to_dict()}, ensure_ascii=False)
    return f"{recording.name}\t{transcript.text}" if named else transcript.text


def _print_beside(bar: "Progress", line: str) -> None:
    """Write a result to stdout; above the bar when both share the terminal."""
    if sys.stdout.isatty() and not bar.disable:
        bar.console.print(line, markup=False, soft_wrap=True)
    else:
        print_result(line)


def _conclude(num_recordings: int, num_failed: int, output_dir: Path | None) -> None:
    if output_dir:
        messages.print(
            f"{num_recordings - num_failed} transcripts in {printable(str(output_dir))}", markup=False
        )
    if num_failed:
        if num_recordings > 1:
            print_error(f"{num_failed} of {num_recordings} recordings could not be transcribed")
        raise typer.Exit(EXIT_SOME_FAILED)


def _one_line(path: Path | str) -> str:
    """Name a file such that its line has one tab and one end."""
    return printable(str(path)).replace("\t", "\\t").replace("\n", "\\n")
