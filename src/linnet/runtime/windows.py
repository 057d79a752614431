"""Log-probs of a recording of any length: overlapping windows, joined on one grid of frames."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from linnet.core.arrays import Features, LogProbs, Samples
from linnet.features.frontend import compute_features
from linnet.features.running import OVER_TIME, RunningStatistics
from linnet.runtime.longform_config import LongFormConfig

if TYPE_CHECKING:
    from linnet.bundle.reader import Bundle
    from linnet.core.results import Word
    from linnet.features.config import FrontendConfig
    from linnet.runtime.search import Reading, TextSearch
    from linnet.text.vocabulary import Vocabulary

SMOOTHED_S = 0.3  # a seam wants silence for this long around it
EDGE_SHARE = 0.25  # of an overlap, at either end: too near to what one of the windows does not hear


class FrameSource(Protocol):
    """What reading in windows asks of a model."""

    @property
    def frontend(self) -> "FrontendConfig":
        """How samples become features."""
        ...

    @property
    def subsampling(self) -> int:
        """Frames of features for one of log-probs."""
        ...

    @property
    def vocabulary(self) -> "Vocabulary":
        """The pieces it writes with."""
        ...

    def log_probs(self, features: Sequence[Features]) -> list[LogProbs]:
        """Run the network on normalized features (F, T); gives (S, V) for each."""
        ...


class FrameReader(FrameSource, Protocol):
    """What reading in segments asks of a recognizer.

    Attributes:
        bundle: the model.
        search: how to search, or None for the best token of each frame.
    """

    bundle: "Bundle"
    search: "TextSearch | None"

    def words(
        self, log_probs: LogProbs, duration_s: float, start_s: float, reading: "Reading | None"
    ) -> "tuple[Word, ...]":
        """Give the words of log-probs (S, V), which last `duration_s` and begin at `start_s`."""
        ...


class WindowReader:
    """Runs the network over windows of one recording, which come in the order of time.

    Features are normalized by the statistics of all that was heard so far (`features.running`): with those of
    each window alone, the text would depend on where it begins, and a window of silence would be made loud.

    Args:
        model: the network with its front end.

    Attributes:
        step_samples: samples from one frame of log-probs to the next; windows start at multiples of it.
    """

    def __init__(self, model: FrameSource) -> None:
        self.step_samples = model.frontend.hop_samples * model.subsampling
        self._model, self._config = model, model.frontend
        self._raw = model.frontend.model_copy(
            update={"normalize": "none", "fixed_mean": (), "fixed_std": (), "pad_to": 0}
        )
        self._statistics: RunningStatistics | None = None
        self._num_heard = 0  # frames of features in the statistics

    def hear(self, samples: Samples, start: int) -> Features:
        """Take samples (N,) from `start` on into the statistics; gives their features, not normalized."""
        features, num_frames = compute_features(samples, self._raw)
        first = start // self._config.hop_samples
        heard = RunningStatistics.of(features[:, max(0, self._num_heard - first) :], self._config)
        self._statistics = self._statistics.joined(heard) if self._statistics else heard
        self._num_heard = max(self._num_heard, first + num_frames)
        return features

    def read(self, samples: Samples, start: int) -> LogProbs:
        """Give the log-probs (S, V) of a window.

        Args:
            samples: (N,) of the window.
            start: where it starts in the recording, in samples.
        """
        features = self.hear(samples, start)
        assert self._statistics
        self._statistics.normalize(features, self._config)
        (log_probs,) = self._model.log_probs([features])
        return log_probs


def joined_log_probs(
    model: FrameSource, blocks: Iterable[Samples], config: LongFormConfig
) -> Iterator[LogProbs]:
    """Give the log-probs of a recording, piece by piece.

    Neighboring windows share `overlap_s`. In the middle of it, where both are surest that nothing is being
    said, one ends and the other begins: so each frame is heard with what lies around it. The last window
    reaches back to be as long as the others.

    Args:
        model: the network with its front end.
        blocks: (n,) mono samples each, which together are the recording.
        config: the lengths.

    Yields:
        (s, V) each; together they are the (S, V) of the recording.
    """
    reader = WindowReader(model)
    blank_id = model.vocabulary.blank_id
    rate_hz, step = model.frontend.sample_rate_hz, reader.step_samples
    overlap, smoothed = (max(1, round(each * rate_hz / step)) for each in (config.overlap_s, SMOOTHED_S))
    rest: LogProbs = np.empty((0, model.vocabulary.size), np.float32)
    position = 0  # the frame that `rest` begins with
    if model.frontend.normalize in OVER_TIME:
        blocks = _heard_ahead(reader, iter(blocks), round(config.statistics_s * rate_hz))
    for start, samples in _windows(blocks, config, rate_hz, step):
        found = reader.read(samples, start * step)
        shared = max(start, position + len(rest) - overlap)
        seam = shared + _seam(rest[shared - position :], found[shared - start :], blank_id, smoothed)
        if seam > position:
            yield rest[: seam - position]
        rest, position = found[seam - start :], seam
    yield rest


def _heard_ahead(reader: WindowReader, blocks: Iterator[Samples], num_samples: int) -> Iterator[Samples]:
    """Take the first `num_samples` into the statistics before any is passed on."""
    taken, count = [np.empty(0, np.float32)], 0
    while count < num_samples and (block := next(blocks, None)) is not None:
        taken.append(block)
        count += len(block)
    taken = [np.concatenate(taken)]
    reader.hear(taken[0], 0)
    yield taken.pop()
    yield from blocks


def _windows(
    blocks: Iterable[Samples], config: LongFormConfig, rate_hz: int, step: int
) -> Iterator[tuple[int, Samples]]:
    """Cut blocks into overlapping windows; gives the first frame of each and its samples."""
    num_frames = max(2, round(config.chunk_s * rate_hz / step))
    advance = num_frames - max(1, round(config.overlap_s * rate_hz / step))
    held = np.empty(0, np.float32)
    first, following = 0, 0  # frames: where `held` begins, and where the next window does
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > (following - first + num_frames) * step:
            begin = (following - first) * step
            yield following, held[begin : begin + num_frames * step]
            # What the window began with stays, for a last window that reaches back.
            held, first, following = held[begin:], following, following + advance
    reach_back = max(0, len(held) // step - num_frames + 1)
    last = min(following, first + reach_back) if following else 0
    yield last, held[(last - first) * step :]


def _seam(before: LogProbs, after: LogProbs, blank_id: int, smoothed: int) -> int:
    """Find where to change from one window to the next.

    Args:
        before: (s, V) what the one says of the frames that both hear.
        after: (S, V) what the other says, from the same frame on.
        blank_id: column of the blank.
        smoothed: frames that are to be silent.

    Returns:
        The first frame to take from `after`.
    """
    count = min(len(before), len(after))
    if not count:
        return 0
    blank = np.exp(np.minimum(before[:count, blank_id], after[:count, blank_id]))
    width = min(smoothed, count)
    silence = np.convolve(blank, np.ones(width) / width, mode="same")
    # Of equally silent places the one in the middle; no two are as far from it, or rounding would choose.
    distance = np.abs(np.arange(count) - count / 2 + 0.25) / count
    low = int(EDGE_SHARE * count)
    return low + int((silence - 0.05 * distance)[low : count - low].argmax())
