"""What a reader of a corpus hands on: an utterance as the corpus tells of it, with nothing checked yet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or row that went into no manifest, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance of a corpus.

    Attributes:
        where: file and line that tell of it, for messages.
        audio: the recording, or the tar archive that holds it.
        text: what was said; None where the corpus has unlabelled speech.
        part: the manifest it belongs to by the corpus's own split; "" where the corpus has none.
        speaker: who spoke ("" when unknown).
        language: the language spoken ("" for the one of the corpus).
        offset_s: where the utterance starts in the recording, in seconds.
        duration_s: its length in seconds; None for all from the offset on.
        channel: which channel of a recording with several, from 0; None for their mean.
        member: the recording's name inside `audio`, where that is an archive.
        extra: further fields for the manifest.
    """

    where: str
    audio: Path
    text: str | None
    part: str = ""
    speaker: str = ""
    language: str = ""
    offset_s: float = 0.0
    duration_s: float | None = None
    channel: int | None = None
    member: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


Reader = Callable[[Path], Iterable[Entry | Skipped]]
