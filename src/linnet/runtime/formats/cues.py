"""Words become phrases, and phrases cues: the lines of a table, and what a subtitle shows at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from linnet.core.results import Word

PAUSE_S = 0.8  # silence that ends a phrase: CTC writes no punctuation that would
MAX_PHRASE_S = 30.0  # as long as whisper's segments at most
MIN_CUE_S = 1.0  # shorter ones cannot be read; they stay where nothing follows
MAX_CUE_S = 7.0  # longer ones are read twice
SHORTEST_S = 0.001  # a cue must end after it starts, also where a word has no length

AnyWord = TypeVar("AnyWord", bound=Word)
Line = tuple[Word, ...]


class CueConfig(BaseModel):
    """What can be chosen about subtitles; the descriptions are the help of the command.

    Attributes:
        max_line_width: characters of a line; a longer word has a line of its own.
        max_line_count: lines of a cue; None is 2, or 1 where `max_words_per_line` is given.
        max_words_per_line: words of a line; None is no limit.
        highlight_words: show each cue once for every word, which is underlined while it is said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_line_width: int = Field(
        default=42, ge=1, le=1000, description="Characters in a line of subtitles; default: 42."
    )
    max_line_count: int | None = Field(
        default=None, ge=1, le=100, description="Lines in a subtitle; default: 2."
    )
    max_words_per_line: int | None = Field(
        default=None, ge=1, le=1000, description="Words in a line; subtitles then have one line by default."
    )
    highlight_words: bool = Field(default=False, description="Underline each word while it is said.")

    @property
    def num_lines(self) -> int:
        """The lines of a cue, chosen or not."""
        return self.max_line_count or (1 if self.max_words_per_line else 2)


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown at once.

    Attributes:
        start_s: when it appears, in seconds from the start of the recording.
        end_s: when it goes.
        lines: its words, line by line.
    """

    start_s: float
    end_s: float
    lines: tuple[Line, ...]


def phrases(words: Sequence[AnyWord]) -> list[tuple[AnyWord, ...]]:
    """Part words at pauses of PAUSE_S, and what is then longer than MAX_PHRASE_S at lesser ones."""
    return [
        phrase
        for part in _at_pauses(words)
        for phrase in _fewest_parts(part, partial(_is_short_enough, part))
    ]


def cues(texts: Iterable[Sequence[Word]], config: CueConfig, duration_s: float) -> list[Cue]:
    """Lay phrases out as subtitles.

    A phrase gives as few cues as can hold it, parted where pauses are long and the parts alike. A cue stays
    for MIN_CUE_S if the next one does not come sooner, and for MAX_CUE_S at most, which only a single word
    can exceed.

    Args:
        texts: phrases in the order of time.
        config: the size of a cue.
        duration_s: where the last cue ends at the latest.
    """
    parts = [lines for words in texts for lines in _laid_out(words, config)]
    starts_s = [lines[0][0].start_s for lines in parts] + [duration_s]
    return [
        Cue(start_s, _end_s(start_s, lines[-1][-1].end_s, next_s), lines)
        for lines, (start_s, next_s) in zip(parts, pairwise(starts_s), strict=True)
    ]


def text_of(words: Sequence[Word]) -> str:
    """Join words, whatever their models write, into one line without control characters."""
    joined = " ".join(word.text for word in words)
    return " ".join("".join(letter if letter.isprintable() else " " for letter in joined).split())


def _is_short_enough(words: Sequence[Word], start: int, end: int) -> bool:
    return _lasts(words[start:end]) <= MAX_PHRASE_S


def _lasts(words: Sequence[Word]) -> float:
    return words[-1].end_s - words[0].start_s


def _end_s(start_s: float, end_s: float, next_s: float) -> float:
    return max(end_s, min(start_s + MIN_CUE_S, next_s), start_s + SHORTEST_S)


def _laid_out(words: Sequence[Word], config: CueConfig) -> Iterator[tuple[Line, ...]]:
    """Give the lines of each cue of a phrase."""
    widths = [len(text_of([word])) for word in words]

    def fits(start: int, end: int) -> bool:
        return (
            _lasts(words[start:end]) <= MAX_CUE_S
            and len(_line_sizes(widths[start:end], config)) <= config.num_lines
        )

    for part in _fewest_parts(words, fits):
        left = iter(part)
        sizes = _line_sizes([len(text_of([word])) for word in part], config)
        yield tuple(tuple(islice(left, size)) for size in sizes)


def _line_sizes(widths: Iterable[int], config: CueConfig) -> list[int]:
    """Fill lines with words of so many characters, one after the other; gives how many words each has."""
    sizes: list[int] = []
    used = 0
    for width in widths:
        if not sizes or used + 1 + width > config.max_line_width or sizes[-1] == config.max_words_per_line:
            sizes.append(1)
            used = width
        else:
            sizes[-1] += 1
            used += 1 + width
    return sizes


def _at_pauses(words: Sequence[AnyWord]) -> Iterator[Sequence[AnyWord]]:
    start = 0
    for index, (left, right) in enumerate(pairwise(words), start=1):
        if right.start_s - left.end_s >= PAUSE_S:
            yield words[start:index]
            start = index
    if words:
        yield words[start:]


def _fewest_parts(words: Sequence[AnyWord], fits: Callable[[int, int], bool]) -> list[tuple[AnyWord, ...]]:
    """Part words into as few runs as fit; of all such ways, where pauses are long and runs of one length.

    Args:
        words: at least one.
        fits: whether the words from an index to before another may stay together; with them any fewer may.
    """
    best = [(0, 0.0, 0)]  # for the words before each index: parts, badness, where the last part starts
    for end in range(1, len(words) + 1):
        ways = []
        for start in range(end - 1, -1, -1):
            if start < end - 1 and not fits(start, end):
                break
            num_parts, badness, _ = best[start]
            pause_s = words[start].start_s - words[start - 1].end_s if start else 0.0
            uneven = ((end - start) / len(words)) ** 2  # in sum from 1 down to 1/num_parts
            ways.append((num_parts + 1, badness + uneven - pause_s, start))
        best.append(min(ways))
    cuts = [len(words)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][2])
    return [tuple(words[start:end]) for start, end in pairwise(reversed(cuts))]
