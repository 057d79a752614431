"""Recordings of any length as segments of words: memory stays bounded, and nothing is lost between them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs, Samples
from linnet.core.results import SpeechSegment, Word
from linnet.runtime.longform_config import LongFormConfig, SegmentConfig
from linnet.runtime.windows import FrameReader, joined_log_probs
from linnet.text.vocabulary import BOUNDARY

if TYPE_CHECKING:
    from linnet.runtime.search import Reading


class SegmentReader:
    """Reads the log-probs of one recording, which come in pieces of any size, a segment at a time.

    A segment ends in the pause that follows it, or between two words where nobody pauses for too long. A
    search goes on across all of them. Where the pieces end makes no difference.

    Args:
        recognizer: the model, with its search.
        config: how long a pause and a segment are.
        late: whether a search may wait for the next segment before it settles one.

    Attributes:
        readings: what a search found beside the words.
    """

    def __init__(self, recognizer: FrameReader, config: SegmentConfig, *, late: bool = False) -> None:
        spec = recognizer.bundle.spec
        self.readings: list[Reading] = []
        self._recognizer, self._blank_id = recognizer, spec.blank_id
        self._shift_s = spec.frame_shift_s
        self._pause = max(2, round(config.pause_s / self._shift_s))
        self._most = max(2 * self._pause, round(config.max_segment_s / self._shift_s))
        self._search = recognizer.search.stream(2 * self._most if late else 0) if recognizer.search else None
        self._places: deque[tuple[LogProbs, float, float]] = deque()  # that wait: log-probs, seconds, start
        pieces = recognizer.bundle.vocabulary.pieces
        self._begins = np.array([*(piece.startswith(BOUNDARY) for piece in pieces), False])
        self._held: LogProbs = np.empty((0, recognizer.bundle.vocabulary.size), np.float32)
        self._position = 0  # the frame that `_held` begins with

    @property
    def position(self) -> int:
        """The frame up to which everything was read."""
        return self._position

    def feed(self, log_probs: LogProbs) -> Iterator[SpeechSegment]:
        """Take the next frames (S, V); gives the segments that have ended."""
        self._held = np.concatenate([self._held, log_probs])
        while cut := find_cut(self._held, self._blank_id, self._begins, self._pause, self._most):
            yield from self._read(cut, cut * self._shift_s, ends=False)

    def feed_again(self, log_probs: LogProbs) -> Iterator[SpeechSegment]:
        """Take all frames (S, V) from `position` on, in place of those of earlier calls.

        All but the last half pause of silence is done with, so that it need not be heard again.
        """
        self._held = self._held[:0]
        yield from self.feed(log_probs)
        if len(self._held) > self._pause and (self._held.argmax(axis=1) == self._blank_id).all():
            yield from self._read(len(self._held) - self._pause // 2, self._pause * self._shift_s, ends=False)

    def finish(self, duration_s: float) -> Iterator[SpeechSegment]:
        """Give what is left of a recording that lasted `duration_s`."""
        yield from self._read(len(self._held), duration_s - self._position * self._shift_s, ends=True)

    def _read(self, num_frames: int, duration_s: float, *, ends: bool) -> Iterator[SpeechSegment]:
        log_probs = self._held[:num_frames]
        self._places.append((log_probs, duration_s, self._position * self._shift_s))
        self._held, self._position = self._held[num_frames:], self._position + num_frames
        for reading in self._readings(log_probs, ends=ends):
            if words := self._recognizer.words(*self._places.popleft(), reading):
                yield SpeechSegment.of(words)

    def _readings(self, log_probs: LogProbs, *, ends: bool) -> "Iterator[Reading | None]":
        """Read the next segment; gives what a search found in each that is settled by it."""
        if self._search is None:
            yield None
            return
        for reading in self._search.read(log_probs, ends=ends):
            self.readings.append(reading)
            yield reading


@dataclass(slots=True)
class LongReading:
    """One recording under way.

    Args:
        recognizer: the model.
        config: the lengths.
        progress: called with the seconds that were heard.

    Attributes:
        num_samples: heard so far.
        readings: what a search found beside the words, so far.
    """

    recognizer: FrameReader
    config: LongFormConfig
    progress: Callable[[float], None] | None = None
    num_samples: int = 0
    readings: "list[Reading]" = field(default_factory=list)

    def segments(self, blocks: Iterable[Samples]) -> Iterator[SpeechSegment]:
        """Give the segments of a recording as they end.

        Args:
            blocks: (n,) mono samples each at the rate of the recognizer.
        """
        reader = SegmentReader(self.recognizer, self.config, late=True)
        self.readings = reader.readings
        for log_probs in joined_log_probs(self.recognizer, self._counted(blocks), self.config):
            yield from reader.feed(log_probs)
        yield from reader.finish(self.num_samples / self.recognizer.bundle.spec.sample_rate_hz)

    def words(self, blocks: Iterable[Samples]) -> list[Word]:
        """Give the words of the whole recording."""
        return [word for segment in self.segments(blocks) for word in segment.words]

    def _counted(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            yield block
            self.num_samples += len(block)
            if self.progress:
                self.progress(self.num_samples / self.recognizer.bundle.spec.sample_rate_hz)


def find_cut(
    log_probs: LogProbs, blank_id: int, begins: NDArray[np.bool_], pause: int, most: int
) -> int | None:
    """Find where the first segment ends.

    Args:
        log_probs: (S, V), S as large as is known so far.
        blank_id: the id of the blank, which says that nothing is written.
        begins: (V,) whether a token begins a word.
        pause: frames of silence that end a segment.
        most: frames of a segment at most.

    Returns:
        The frame behind its last, in the middle of the shortest pause; before speech, the last frame that
        still leaves half a pause. None where that is not known yet.
    """
    best = log_probs[:most].argmax(axis=1)
    edges = np.flatnonzero(np.diff(best == blank_id, prepend=False, append=False))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - start >= pause and start:
            return int(start + pause // 2)
        if end - start >= pause and (end < len(best) or end == most):
            return int(end - pause // 2)
    return _between_words(best, blank_id, begins, most) if len(log_probs) > most else None


def _between_words(best: NDArray[np.int_], blank_id: int, begins: NDArray[np.bool_], most: int) -> int:
    """Find the widest gap before a word in the second half of a segment; its end where there is none."""
    firsts = np.flatnonzero(np.diff(best, prepend=blank_id) * begins[best])
    spoken = np.flatnonzero(best != blank_id)
    before = spoken[np.maximum(np.searchsorted(spoken, firsts) - 1, 0)]  # the last token frame before each
    inside = (firsts > most // 2) & (before < firsts)
    if not inside.any():
        return most
    widest = int(np.argmax(np.where(inside, firsts - before, 0)))
    return int(before[widest] + firsts[widest] + 1) // 2
