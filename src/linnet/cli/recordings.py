"""What the arguments of `linnet transcribe` mean: files, folders, URLs and standard input as recordings."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from linnet.cli.console import printable
from linnet.core.errors import AudioError, LinnetError, MissingDependencyError
from linnet.core.remote import as_url

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording to transcribe.

    Attributes:
        name: how results and messages call it.
        location: its path or URL; None is standard input.
        place: where it lies below the folder that was given.
        title: how its output files are called, below the output directory and without a suffix; different
            for each recording after `titled`.
    """

    name: str
    location: Path | str | None
    place: Path
    title: str = ""

    def source(self) -> Path | str | BinaryIO:
        """What to read."""
        return self.location or sys.stdin.buffer

    def duration_s(self) -> float:
        """Read the length from the header; 0 where it cannot be told without reading all."""
        if not isinstance(self.location, Path):
            return 0.0
        from linnet.audio.read import audio_info

        try:
            return audio_info(self.location).duration_s
        except (AudioError, MissingDependencyError):
            return 0.0

    def version(self) -> str:
        """Tell a file from a later one in its place."""
        if not isinstance(self.location, Path):
            return ""
        try:
            status = self.location.stat()
        except OSError:
            return ""
        return f"{status.st_size} bytes of {status.st_mtime_ns} ns"


def find_recordings(inputs: Sequence[str], sample: Path | None) -> list[Recording]:
    """List what the arguments mean, in their order and each once; folders in the order of their paths."""
    recordings: dict[str, Recording] = {}
    for text in inputs:
        for recording in _expand(text):
            recordings.setdefault(recording.name, recording)
    if sample:
        recordings[str(sample)] = Recording(str(sample), sample, Path(sample.name))
    if not recordings:
        raise LinnetError(
            "no recording was given",
            remedy="Try `linnet transcribe --sample`, then `linnet transcribe recording.wav`",
        )
    return list(recordings.values())


def titled(recordings: Iterable[Recording]) -> list[Recording]:
    """Give each recording a title of its own, before anything is written.

    It is the place without the suffix, or all of it where two differ in nothing else (a.wav, a.mp3).

    Raises:
        LinnetError: when two recordings lie in one place.
    """
    short = [replace(each, title=each.place.with_suffix("").as_posix()) for each in recordings]
    shared = _shared([each.title for each in short])
    found = [replace(each, title=each.place.as_posix()) if each.title in shared else each for each in short]
    if still_shared := _shared([each.title for each in found]):
        raise LinnetError(
            f"two recordings would both be called {min(still_shared)}",
            remedy="Give the folder that holds them, or transcribe them into two folders",
        )
    return found


def one_line(path: Path | str) -> str:
    """Name a file such that its line has one tab and one end."""
    return printable(str(path)).replace("\t", "\\t").replace("\n", "\\n")


def _expand(text: str) -> list[Recording]:
    path = Path(text)
    if text == STDIN:
        if sys.stdin.isatty():
            raise LinnetError(
                "standard input is a keyboard", remedy="Pipe a recording: linnet transcribe - < recording.wav"
            )
        return [Recording("stdin", None, Path("stdin"))]
    if url := as_url(text):
        return [Recording(one_line(url), url, Path(Path(url.partition("?")[0]).name))]
    if not path.is_dir():
        return [Recording(one_line(path), path, Path(path.name))]
    from linnet.audio.read import AUDIO_SUFFIXES

    found = [
        Recording(one_line(file), file, file.relative_to(path))
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


def _shared(titles: Sequence[str]) -> set[str]:
    """Return the titles that stand for one file, also on a disk that does not tell A from a."""
    counts = Counter(title.casefold() for title in titles)
    return {title for title in titles if counts[title.casefold()] > 1}
