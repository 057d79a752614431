"""What recognition gives back: a transcript and its words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One recognized word on the clock of the recording.

    Attributes:
        text: the word as the model wrote it.
        start_s: where it starts, in seconds from the start of the recording.
        end_s: where it ends, in seconds.
        confidence: between 0 and 1: how sure the model is that this word was said.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSegment:
    """What was said between two pauses.

    Attributes:
        text: the words.
        start_s: where the first word starts, in seconds from the start of the recording.
        end_s: where the last word ends, in seconds.
        words: the words in order, with times and confidences; at least one.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...]

    @classmethod
    def of(cls, words: Sequence[Word]) -> Self:
        """Make a segment of its words."""
        text = " ".join(word.text for word in words)
        return cls(text=text, start_s=words[0].start_s, end_s=words[-1].end_s, words=tuple(words))

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return asdict(self)


HotwordOutcome = Literal["written", "in reach", "never in reach", "not in the vocabulary"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One text that a search found.

    Attributes:
        text: the words.
        total: the natural logarithm of everything together.
        acoustic: the natural log-probability of the sound.
        language: the natural log-probability of the language model, unweighted; 0 without one.
    """

    text: str
    total: float
    acoustic: float
    language: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotword:
    """What became of a phrase that was to be favored.

    Attributes:
        phrase: as it was given, without its weight.
        outcome: whether it is in the text, was among the texts under way, was not, or cannot be written with
            the model's vocabulary.
    """

    phrase: str
    outcome: HotwordOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """The text of one recording.

    Attributes:
        text: the whole text (empty when nothing was recognized).
        words: the words in order, with times and confidences.
        duration_s: the length of the recording in seconds.
        model: the name of the model that wrote it.
        alternatives: the best texts of a search, the best first; empty unless several were asked for. In a
            recording of several segments the texts of one rank are joined.
        hotwords: what became of the phrases to favor.
        damage: why the recording could not be read to its end; "" where it could.
    """

    text: str
    words: tuple[Word, ...]
    duration_s: float
    model: str
    alternatives: tuple[Alternative, ...] = ()
    hotwords: tuple[Hotword, ...] = ()
    damage: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON; what was not asked for is left out."""
        optional = ("alternatives", "hotwords", "damage")
        return {key: value for key, value in asdict(self).items() if value or key not in optional}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedToken:
    """One token of an aligned word.

    Attributes:
        text: its piece, without the mark of a word's start.
        start_s: where it starts, in seconds from the start of the recording.
        end_s: where it ends, in seconds.
        score: the mean natural log-posterior in its frames.
    """

    text: str
    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedWord(Word):
    """One word of a known text on the clock of the recording.

    Attributes:
        score: the mean natural log-posterior in the frames of its tokens.
        spoken: whether the score is high enough for a word that was said.
        line: the line of the text it stands in, from 1.
        tokens: what it was written with.
    """

    score: float
    spoken: bool
    line: int
    tokens: tuple[AlignedToken, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedText:
    """A known text on the clock of a recording.

    Attributes:
        words: its words, normalized, in order.
        log_prob: the natural log-probability of the best alignment.
        duration_s: the length of the recording in seconds.
        model: the name of the model that aligned it.
    """

    words: tuple[AlignedWord, ...]
    log_prob: float
    duration_s: float
    model: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return asdict(self)
