"""One utterance of a manifest: where its sound lies and what was said."""

import math
from dataclasses import dataclass, field
from typing import Any

from linnet.core.errors import ManifestError


@dataclass(frozen=True, slots=True)
class Utterance:
    """A stretch of a recording and its text.

    Attributes:
        audio: path or URL of the recording, as the current process can open it.
        duration_s: length of the stretch in seconds, above 0.
        text: what was said; None where nobody wrote it down, "" where nothing was said.
        offset_s: where the stretch starts in the recording, in seconds.
        speaker: who spoke ("" when unknown).
        language: the language spoken ("" when unknown).
        extra: the remaining fields of the manifest line, as they were.
        audio_is_relative: whether the manifest named the recording relative to itself, as a manifest written
            from this one will then do too; two utterances are equal without regard to it.

    Raises:
        ManifestError: when the audio is empty, the duration not above 0 or the offset below 0.
    """

    audio: str
    duration_s: float
    text: str | None
    offset_s: float = 0.0
    speaker: str = ""
    language: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    audio_is_relative: bool = field(default=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.audio:
            raise ManifestError("the path of the audio is empty")
        if not (math.isfinite(self.duration_s) and self.duration_s > 0):
            raise ManifestError(
                f"the duration is {self.duration_s!r} s",
                remedy="A duration is above 0; leave the field out and it is read from the recording",
            )
        if not (math.isfinite(self.offset_s) and self.offset_s >= 0):
            raise ManifestError(f"the offset is {self.offset_s!r} s", remedy="An offset is 0 or more seconds")
