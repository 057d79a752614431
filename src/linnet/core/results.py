"""What recognition gives back: a transcript and its words."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognized word on the clock of the recording.

    Attributes:
        text: the word as the model wrote it.
        start_s: where it starts, in seconds from the start of the recording.
        end_s: where it ends, in seconds.
        confidence: between 0 and 1: the mean posterior of the word's tokens.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The text of one recording.

    Attributes:
        text: the whole text (empty when nothing was recognized).
        words: the words in order, with times and confidences.
        duration_s: the length of the recording in seconds.
        model: the name of the model that wrote it.
    """

    text: str
    words: tuple[Word, ...]
    duration_s: float
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return asdict(self)
