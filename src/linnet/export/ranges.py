"""Ranges of the values inside a graph, by running it on recordings once: what int8 has to hold."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Features

Method = Literal["minmax", "percentile", "entropy"]
METHODS: tuple[Method, ...] = get_args(Method)
PERCENTILE = 99.99  # of the values of a tensor that its range holds, where the method is "percentile"
NUM_BINS = 2048
NUM_LEVELS = 128  # that a range is divided into, where the method is "entropy"
STEP_BINS = 4  # from one bound that is tried to the next
_SMOOTHING = 1e-4  # counts that an empty bin gets from the others

Range = tuple[float, float]


class Histogram:
    """Counts of the values of one tensor, in the same memory however many come and however large they are.

    The bins divide -reach to +reach evenly. A larger value doubles the reach: every two bins become one.

    Args:
        lowest: of the values.
        highest: of the values.
        reach: of the bins.
        counts: (NUM_BINS,) how many values lie in each.
    """

    def __init__(self, lowest: float, highest: float, reach: float, counts: NDArray[np.int64]) -> None:
        self.lowest, self.highest, self.reach, self.counts = lowest, highest, reach, counts

    @classmethod
    def empty(cls) -> Self:
        """Begin with no value."""
        return cls(np.inf, -np.inf, 0.0, np.zeros(NUM_BINS, np.int64))

    def add(self, values: NDArray[np.float32]) -> None:
        """Count values of any shape; what is not finite is passed over."""
        values = values.ravel()
        if values.size and not np.isfinite([values.min(), values.max()]).all():
            values = values[np.isfinite(values)]
        if not values.size:
            return
        lowest, highest = float(values.min()), float(values.max())
        self.lowest, self.highest = min(self.lowest, lowest), max(self.highest, highest)
        self._reach_to(max(-lowest, highest))
        if self.reach:
            bins = ((values / np.float32(self.reach) + 1) * (NUM_BINS // 2)).astype(np.intp)
        else:
            bins = np.full(values.size, NUM_BINS // 2)
        self.counts += np.bincount(np.minimum(bins, NUM_BINS - 1), minlength=NUM_BINS)

    def range(self, method: Method) -> Range:
        """Give what int8 should hold: all values, or those within the bound that the method finds."""
        if not self.reach:
            return 0.0, 0.0
        if method == "minmax":
            return self.lowest, self.highest
        find = {"percentile": percentile_bins, "entropy": entropy_bins}[method]
        bound = find(self.counts) * 2 * self.reach / NUM_BINS
        return max(self.lowest, -bound), min(self.highest, bound)

    def _reach_to(self, peak: float) -> None:
        if not self.reach:  # all values so far were 0, and are in the middle
            self.reach = peak
        while self.reach < peak:
            self.counts = np.pad(self.counts.reshape(-1, 2).sum(axis=1), NUM_BINS // 4)
            self.reach *= 2


def percentile_bins(counts: NDArray[np.int64]) -> int:
    """Give how many bins on each side of 0 hold PERCENTILE of the values."""
    half = len(counts) // 2
    folded = counts[half:] + counts[half - 1 :: -1]
    return int(np.searchsorted(folded.cumsum(), PERCENTILE / 100 * folded.sum())) + 1


def entropy_bins(counts: NDArray[np.int64]) -> int:
    """Give how many bins on each side of 0 lose least where NUM_LEVELS stand for all of their values.

    Of each range the values, with those outside put on its ends, are compared with what is left of those
    inside once each level spreads its count evenly over its bins that are not empty; the least
    Kullback-Leibler divergence is taken (Migacz, "8-bit inference with TensorRT", GTC 2017). The details are
    those of onnxruntime's calibrator, so that the result is the same but for its rounding to float32.
    """
    half = len(counts) // 2
    below = counts.cumsum()
    tried = range(NUM_LEVELS // 2, half + 1, STEP_BINS)
    return min(tried, key=lambda bins: _lost(counts, below, half - bins, min(half + bins + 1, 2 * half)))


def _lost(counts: NDArray[np.int64], below: NDArray[np.int64], start: int, end: int) -> float:
    """Give the divergence, in nats, of NUM_LEVELS levels in the bins from `start` to `end`."""
    clipped = counts[start:end].copy()
    clipped[0] = below[start]
    clipped[-1] += below[-1] - below[end - 1]
    filled = clipped > 0
    width = len(clipped) // NUM_LEVELS
    in_levels = NUM_LEVELS * width
    by_level = counts[start : start + in_levels].reshape(NUM_LEVELS, width).sum(axis=1)
    by_level[-1] += below[end - 1] - below[start + in_levels - 1]
    bins_by_level = filled[:in_levels].reshape(NUM_LEVELS, width).sum(axis=1)
    spread = np.zeros_like(clipped)
    by_level = np.where(bins_by_level, by_level // np.maximum(bins_by_level, 1), 0)
    spread[:in_levels] = np.repeat(by_level, width)
    if not spread.any():
        return np.inf
    source, levels = _smoothed(clipped), _smoothed(spread)
    return float((source * np.log(source / levels)).sum())


def _smoothed(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Take a little from what is not empty for what is, and make the sum 1."""
    empty = counts == 0
    num_empty = np.count_nonzero(empty)
    taken = _SMOOTHING * num_empty / (len(counts) - num_empty)
    smoothed = np.where(empty, _SMOOTHING, counts - taken)
    total: float = smoothed.sum()
    return smoothed / total


def collect(graph: Path, kinds: Sequence[str], features: Sequence[Features]) -> dict[str, Histogram]:
    """Run a float32 graph, and count the values of what goes into and comes out of nodes of some kinds.

    All these tensors of one recording are held at a time, so long recordings take much memory.

    Args:
        graph: the ONNX file.
        kinds: operators, such as "Conv".
        features: (F, T) of each recording.

    Returns:
        Histograms by the names of tensors; constants have none.
    """
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator

    with tempfile.TemporaryDirectory() as temporary:
        widened = str(Path(temporary) / "widened.onnx")
        # Of onnxruntime's calibrator only the graph with more outputs is used: its histograms grow by as many
        # bins as a later recording goes beyond the first, and the time for ranges with their square.
        calibrator: Any = create_calibrator(
            graph, kinds, widened, calibrate_method=CalibrationMethod.Percentile
        )
        found = {name: Histogram.empty() for name in sorted(calibrator.tensors_to_calibrate)}
        for each in features:
            feed = {"audio_signal": each[None], "length": np.array([each.shape[1]])}
            inside = [name for name in found if name not in feed]
            values = dict(zip(inside, calibrator.infer_session.run(inside, feed), strict=True))
            for name, histogram in found.items():
                histogram.add(values[name] if name in values else feed[name])
    return found
