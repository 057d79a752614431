"""Speech while it is spoken: partial texts that may still change, and final ones at each pause."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from linnet.core.arrays import LogProbs, Samples
from linnet.core.results import SpeechSegment
from linnet.runtime.longform import SegmentReader
from linnet.runtime.longform_config import SegmentConfig
from linnet.runtime.windows import WindowReader

if TYPE_CHECKING:
    from linnet.runtime.recognizer import Recognizer


class LiveConfig(SegmentConfig):
    """How speech is read while it is spoken.

    Attributes:
        step_s: new sound for which the network runs again.
        context_s: what lies before a segment and is heard again with it.
        edge_s: the last frames, whose sounds are not complete, end no segment yet.
    """

    pause_s: float = Field(default=0.8, ge=0.2, le=10.0)
    max_segment_s: float = Field(default=20.0, ge=2.0, le=120.0)
    step_s: float = Field(default=0.4, ge=0.05, le=10.0)
    context_s: float = Field(default=4.0, ge=0.0, le=60.0)
    edge_s: float = Field(default=0.2, ge=0.0, le=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveText:
    """What is heard at the moment.

    Attributes:
        final: whether it stays.
        segment: the words.
        heard_s: seconds that were heard when it was written.
    """

    final: bool
    segment: SpeechSegment
    heard_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return {"final": self.final, "heard_s": round(self.heard_s, 3), **self.segment.to_dict()}


class LiveReader:
    """Reads one stream of sound.

    The network runs over all since the end of the last segment, and some seconds before, whenever `step_s` of
    new sound came. So every segment is read as a whole in the end, and words between two windows do not
    exist. Partial texts take the likeliest token of each moment; final ones come from the search.

    Args:
        recognizer: the model.
        config: what can be chosen.

    Attributes:
        readings: what a search found beside the words.
    """

    def __init__(self, recognizer: "Recognizer", config: LiveConfig | None = None) -> None:
        self._config = config or LiveConfig()
        self._recognizer, self._rate_hz = recognizer, recognizer.sample_rate_hz
        self._windows = WindowReader(recognizer)
        self._segments = SegmentReader(recognizer, self._config)
        self.readings = self._segments.readings
        self._held: Samples = np.empty(0, np.float32)
        self._first = 0  # the frame that `_held` begins with
        self._num_read = 0  # samples of `_held` that the network saw
        self._partial = ""

    @property
    def heard_s(self) -> float:
        """Seconds that were heard so far."""
        return (self._first * self._windows.step_samples + len(self._held)) / self._rate_hz

    def feed(self, samples: Samples) -> Iterator[LiveText]:
        """Take the next samples (N,) at the recognizer's rate; gives what they make known."""
        self._held = np.concatenate([self._held, samples])
        if len(self._held) - self._num_read < round(self._config.step_s * self._rate_hz):
            return
        log_probs = self._log_probs()
        edge = round(self._config.edge_s / self._recognizer.bundle.spec.frame_shift_s)
        settled = log_probs[: max(0, len(log_probs) - edge)]
        before = self._segments.position
        yield from self._final(self._segments.feed_again(settled))
        yield from self._partial_text(log_probs[self._segments.position - before :])
        self._forget()

    def finish(self) -> Iterator[LiveText]:
        """Give what is left when the stream has ended."""
        yield from self._final(self._segments.feed_again(self._log_probs()))
        yield from self._final(self._segments.finish(self.heard_s))

    def _log_probs(self) -> LogProbs:
        """Run the network; gives the frames since the end of the last segment."""
        self._num_read = len(self._held)
        found = self._windows.read(self._held, self._first * self._windows.step_samples)
        return found[self._segments.position - self._first :]

    def _final(self, segments: Iterator[SpeechSegment]) -> Iterator[LiveText]:
        for segment in segments:
            self._partial = ""
            yield LiveText(final=True, segment=segment, heard_s=self.heard_s)

    def _partial_text(self, log_probs: LogProbs) -> Iterator[LiveText]:
        """Give the words since the last segment, if they are others than before."""
        start_s = self._segments.position * self._recognizer.bundle.spec.frame_shift_s
        words = self._recognizer.words(log_probs, self.heard_s - start_s, start_s, None)
        if words and (segment := SpeechSegment.of(words)).text != self._partial:
            self._partial = segment.text
            yield LiveText(final=False, segment=segment, heard_s=self.heard_s)

    def _forget(self) -> None:
        """Drop the samples that no later window needs."""
        context = round(self._config.context_s / self._recognizer.bundle.spec.frame_shift_s)
        surplus = max(0, self._segments.position - context - self._first)
        self._held = self._held[surplus * self._windows.step_samples :]
        self._num_read -= surplus * self._windows.step_samples
        self._first += surplus
