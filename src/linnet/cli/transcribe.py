"""`linnet transcribe`: recordings to text, in one process or several; a bad one does not stop the rest."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel, ConfigDict, Field

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
from linnet.cli.output_folder import OutputFolder
from linnet.cli.recordings import Recording, find_recordings, titled
from linnet.core.errors import AudioError, ConfigError, MissingDependencyError
from linnet.core.optional import is_installed
from linnet.core.results import Hotword, Transcript
from linnet.runtime.formats.cues import CueConfig
from linnet.runtime.formats.writers import TranscriptFormat, parse_formats, render
from linnet.runtime.search_config import SearchConfig
from linnet.runtime.workers import TranscriberSettings, run_tasks

if TYPE_CHECKING:
    from rich.progress import Progress


class TextOptions(SearchConfig):
    """What becomes of the sounds: the options of the search, and of how the words are written."""

    numbers: bool = Field(
        default=False, description="Write spoken English numbers as digits: 896, not eight nine six."
    )


class WorkOptions(BaseModel):
    """How the work is done; the descriptions are the help of the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overwrite: bool = Field(default=False, description="Replace files in the output folder.")
    resume: bool = Field(
        default=False, description="Leave out what an earlier run finished in the output folder."
    )
    threads: int = Field(default=1, ge=1, description="CPU threads for the network; default: 1.")
    jobs: int = Field(
        default=1, ge=1, le=1024, description="Recordings at a time, each in a process; default: 1."
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """How transcripts are written.

    Attributes:
        formats: what is written of each.
        cues: the size of subtitles.
        language: of the model.
        named: whether a line on stdout begins with the name of its recording.
    """

    formats: tuple[TranscriptFormat, ...]
    cues: CueConfig
    language: str
    named: bool

    def render(self, transcript: Transcript, recording: Recording) -> dict[TranscriptFormat, str]:
        """Write a transcript in each format."""
        return {
            form: render(
                transcript,
                form,
                recording.title if form.names_records else recording.name,
                language=self.language,
                config=self.cues,
            )
            for form in self.formats
        }


@dataclass(slots=True)
class Tally:
    """How many transcripts there are, how many of them end where the recording is damaged; how many lack."""

    num_written: int = 0
    num_damaged: int = 0
    num_unread: int = 0

    def count(self, transcript: Transcript | None) -> None:
        """Count what became of one recording."""
        self.num_written += transcript is not None
        self.num_damaged += transcript is not None and bool(transcript.damage)
        self.num_unread += transcript is None


@options_from(TextOptions, "text")
@options_from(CueConfig, "cues")
@options_from(WorkOptions, "work")
def transcribe(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|DIR|URL|-", help="Recordings, folders of them, s3:// or https://, or - for stdin."
        ),
    ] = None,
    model: ModelOption = None,
    transcript_format: Annotated[
        str,
        typer.Option("--format", "-f", help=f"{', '.join(TranscriptFormat)}; several as srt,json; or all."),
    ] = TranscriptFormat.TXT.value,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", "-o", help="Write one file per recording into this folder.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Transcribe the sample that comes with the model.")
    ] = False,
    *,
    text: TextOptions,
    cues: CueConfig,
    work: WorkOptions,
) -> None:
    """Write recordings as text.

    One recording gives its text. Several, or a folder, give a line each: path,
    tab, text. With --format json every line is an object instead.

    --lm, --hotword, --nbest or --beam search for the likeliest text, where
    otherwise the likeliest token of each moment is taken (extra `beam`). A model
    that has a language model of its own is always searched with it where the
    extra is installed, unless --no-lm says otherwise. What became of each hotword
    is told on stderr and in the JSON.

    With --output-dir nothing goes to stdout: each transcript is called like its
    recording, and folders keep their structure. --resume goes on with a run that
    was interrupted.

    A recording that cannot be read is named on stderr and the rest goes on; the
    exit code is then 1.
    """
    from linnet.bundle.reader import read_spec
    from linnet.cli.imported import runnable_model
    from linnet.runtime.packaged import find_model, packaged_sample

    formats = parse_formats(transcript_format)
    recordings = find_recordings(inputs or [], packaged_sample(model) if sample else None)
    named = len(recordings) > 1 or any(Path(each).is_dir() for each in inputs or [])
    _check_destination(formats, output_dir, several=named, resume=work.resume)
    if output_dir or any(form.names_records for form in formats):
        recordings = titled(recordings)
    path = find_model(runnable_model(model))
    spec = read_spec(path)
    layout = Layout(formats, cues, spec.language, named)
    search = SearchConfig.model_validate(text.model_dump(exclude={"numbers"}))
    if spec.search and not search.no_lm and not is_installed("numba"):
        messages.print(
            f"{spec.name} reads better with its language model: pip install 'linnet[beam]'", markup=False
        )
    settings = TranscriberSettings(str(path), work.threads, search, text.numbers)
    if output_dir is None:
        tally = _print_all(settings, recordings, layout, work.jobs)
    else:
        folder = OutputFolder(output_dir, formats, _dependencies(path, text, cues))
        todo = folder.unfinished(recordings, overwrite=work.overwrite, resume=work.resume)
        with _told_how_to_go_on():
            tally = _write_all(settings, todo, layout, work.jobs, folder)
        _tell_written(len(recordings) - len(todo), tally, output_dir)
    if tally.num_unread or tally.num_damaged:
        if len(recordings) > 1:
            _tell_failed(len(recordings), tally)
        raise typer.Exit(EXIT_SOME_FAILED)


def _check_destination(
    formats: Sequence[TranscriptFormat], output_dir: Path | None, *, several: bool, resume: bool
) -> None:
    """Refuse what stdout cannot take, and a file in the place of the folder."""
    if output_dir:
        if output_dir.exists() and not output_dir.is_dir():
            raise ConfigError(f"{output_dir} is no folder", remedy="Give a folder as --output-dir")
        return
    if resume:
        raise ConfigError("--resume looks for files", remedy="Give the folder they are in as --output-dir")
    if len(formats) > 1:
        raise ConfigError("several formats go to files", remedy="Give a folder for them as --output-dir")
    if several and not formats[0].joins:
        raise ConfigError(
            f"{formats[0]} of several recordings goes to files",
            remedy="Give a folder for them as --output-dir",
        )


def _dependencies(bundle: Path, text: TextOptions, cues: CueConfig) -> dict[str, Any]:
    """Name what transcripts depend on beside their recordings, so that --resume can compare it."""
    from linnet.bundle.reader import file_sha256
    from linnet.bundle.schema import SPEC_FILE

    options = {**text.model_dump(mode="json"), **cues.model_dump(mode="json")}
    if text.lm and text.lm.is_file():
        status = text.lm.stat()
        options["lm"] = [str(text.lm), status.st_size, status.st_mtime_ns]
    return {"model": file_sha256(bundle / SPEC_FILE), **options}


def _print_all(
    settings: TranscriberSettings, recordings: Sequence[Recording], layout: Layout, jobs: int
) -> Tally:
    """Print transcripts in the order of the recordings."""
    held_back: dict[int, str] = {}
    next_index, tally = 0, Tally()
    with _progress(recordings) as bar:
        for index, transcript in _transcribed(settings, recordings, jobs, bar):
            tally.count(transcript)
            held_back[index] = _printed(transcript, recordings[index], layout) if transcript else ""
            while next_index in held_back:
                _print_beside(bar, held_back.pop(next_index))
                next_index += 1
    return tally


def _write_all(
    settings: TranscriberSettings,
    recordings: Sequence[Recording],
    layout: Layout,
    jobs: int,
    folder: OutputFolder,
) -> Tally:
    """Write files as transcripts are done, of long recordings first."""
    if jobs > 1:  # a long one at the end would be waited for
        recordings = sorted(recordings, key=Recording.duration_s, reverse=True)
    tally = Tally()
    with _progress(recordings) as bar:
        for index, transcript in _transcribed(settings, recordings, jobs, bar):
            tally.count(transcript)
            if transcript:
                folder.write(recordings[index], layout.render(transcript, recordings[index]))
    return tally


def _transcribed(
    settings: TranscriberSettings, recordings: Sequence[Recording], jobs: int, bar: "Progress"
) -> Iterator[tuple[int, Transcript | None]]:
    """Transcribe recordings as they come; says why one has no transcript, and what became of hotwords."""
    sources: list[Any] = [recording.source() for recording in recordings]
    if jobs > 1:  # another process has another standard input
        sources = [source.read() if source is sys.stdin.buffer else source for source in sources]
    outcomes, done_s = Counter[Hotword](), 0.0

    def show(heard_s: float) -> None:
        if bar.tasks:
            bar.update(bar.tasks[0].id, completed=round(done_s + heard_s))

    if jobs == 1:  # another process has another screen
        settings = replace(settings, progress=lambda heard_s, expected_s: show(heard_s))
    with closing(run_tasks(settings, sources, min(jobs, len(sources)))) as results:
        for index, outcome in results:
            name = recordings[index].name
            if isinstance(outcome, AudioError | MissingDependencyError):
                print_error(str(outcome) if name in str(outcome) else f"{name}: {outcome}")
            elif isinstance(outcome, Exception):
                raise outcome
            transcript = outcome if isinstance(outcome, Transcript) else None
            if transcript and transcript.damage:
                print_error(f"{name}: {transcript.damage}; the text ends there")
            outcomes.update(transcript.hotwords if transcript else ())
            yield index, transcript
            done_s += transcript.duration_s if transcript else 0.0
            show(0.0)
    _tell_hotwords(outcomes)


@contextmanager
def _progress(recordings: Sequence[Recording]) -> "Iterator[Progress]":
    """Draw a bar over the seconds of audio, as far as headers tell them."""
    bar = progress_bar("s of audio")
    with bar:
        if not bar.disable:
            bar.add_task("transcribe", total=sum(recording.duration_s() for recording in recordings))
        yield bar


@contextmanager
def _told_how_to_go_on() -> Iterator[None]:
    """Say at an interruption or a full disk that nothing is lost."""
    try:
        yield
    except (KeyboardInterrupt, OSError):
        messages.print("Finished files are whole. The same command with --resume goes on from there.")
        raise


def _tell_hotwords(outcomes: Mapping[Hotword, int]) -> None:
    """Say of each phrase what became of it, so that none fails in silence."""
    for phrase in dict.fromkeys(hotword.phrase for hotword in outcomes):
        counts = [f"{each.outcome} ({n})" for each, n in outcomes.items() if each.phrase == phrase]
        messages.print(f"hotword {printable(phrase)!r}: {', '.join(counts)}", markup=False, soft_wrap=True)


def _tell_written(num_before: int, tally: Tally, folder: Path) -> None:
    finished = f", {num_before} finished before" if num_before else ""
    messages.print(
        f"{tally.num_written} transcripts in {printable(str(folder))}{finished}", markup=False, soft_wrap=True
    )


def _tell_failed(num_recordings: int, tally: Tally) -> None:
    for count, what in (
        (tally.num_unread, "could not be transcribed"),
        (tally.num_damaged, "could not be read to the end"),
    ):
        if count:
            print_error(f"{count} of {num_recordings} recordings {what}")


def _printed(transcript: Transcript, recording: Recording, layout: Layout) -> str:
    (text,) = layout.render(transcript, recording).values()
    return f"{recording.name}\t{text}" if layout.named and TranscriptFormat.TXT in layout.formats else text


def _print_beside(bar: "Progress", text: str) -> None:
    """Write a result to stdout; above the bar when both share the terminal."""
    if not text:
        return
    if sys.stdout.isatty() and not bar.disable:
        bar.console.print(text, markup=False, soft_wrap=True, end="")
    else:
        print_result(text.removesuffix("\n"))
