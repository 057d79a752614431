"""Ranges of int8: the same as onnxruntime's calibrator finds, in memory that does not grow."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime.quantization.calibrate import HistogramCollector

from linnet.export.masks import narrow_masks
from linnet.export.ranges import NUM_BINS, NUM_LEVELS, PERCENTILE, Histogram, collect, entropy_bins

RNG = np.random.default_rng(0)
NORMAL = RNG.standard_normal(30_007).astype(np.float32)
VALUES = {
    "both signs": NORMAL,
    "positive": np.maximum(NORMAL, 0),
    "long tails": RNG.laplace(size=len(NORMAL)).astype(np.float32),
    "an outlier": np.append(NORMAL, np.float32(40)),
}


def histogram(*parts: np.ndarray) -> Histogram:
    found = Histogram.empty()
    for part in parts:
        found.add(part)
    return found


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_bounds_are_those_of_onnxruntimes_calibrator(values: np.ndarray) -> None:
    num_bins = 512  # theirs takes long
    theirs = HistogramCollector("entropy", False, num_bins, NUM_LEVELS, PERCENTILE, "same")
    theirs.collect_value({"x": values})
    counts, edges, *_ = theirs.get_histogram_dict()["x"]
    one_bin = edges[-1] / (num_bins // 2)
    low, _ = theirs.get_entropy_threshold((counts, edges, -np.inf, np.inf), NUM_LEVELS)
    # Theirs rounds to float32, so that ranges which are as good may change places.
    assert -entropy_bins(counts) * one_bin == pytest.approx(low, rel=0.04)

    theirs = HistogramCollector("percentile", True, num_bins, NUM_LEVELS, PERCENTILE, "same")
    theirs.collect({"x": values})
    bounds = [float(each) for each in theirs.compute_collection_result()["x"][:2]]
    found = histogram(values)
    assert found.range("percentile") == pytest.approx(bounds, abs=1.01 * found.reach / num_bins)


def test_louder_recordings_make_bins_wider_and_not_more() -> None:
    parts = np.array_split(np.sort(np.abs(NORMAL)) ** 3 * np.sign(NORMAL), 100)  # from 1e-12 to some 60
    growing, at_once = histogram(*parts), histogram(*reversed(parts))
    assert len(growing.counts) == NUM_BINS
    assert growing.counts.sum() == len(NORMAL)
    assert growing.range("minmax") == at_once.range("minmax")
    assert growing.reach < 2 * at_once.reach
    assert growing.range("percentile") == pytest.approx(at_once.range("percentile"), rel=0.02)


def test_silence_before_and_what_is_not_finite_change_nothing() -> None:
    silence, broken = np.zeros(100, np.float32), np.array([np.nan, np.inf, -np.inf], np.float32)
    assert histogram(silence, broken, np.array([], np.float32)).range("entropy") == (0, 0)
    found = histogram(silence, np.append(NORMAL, broken))
    assert found.range("minmax") == (NORMAL.min(), NORMAL.max())
    assert found.counts.sum() == len(NORMAL) + len(silence)
    assert found.counts[NUM_BINS // 2] >= len(silence)
    least = np.float32(1e-44)
    assert histogram(np.array([-least, least])).counts[[0, -1]].tolist() == [1, 1]


def test_all_that_convolutions_read_and_write_is_measured(graph: Path, tmp_path: Path) -> None:
    features = [RNG.standard_normal((16, num_frames), np.float32) for num_frames in (40, 90)]
    content = narrow_masks(onnx.load(graph))
    onnx.save(content, narrow := tmp_path / "narrow.onnx")
    convolutions = [node for node in content.graph.node if node.op_type == "Conv"]
    found = collect(narrow, ["Conv"], features)
    assert found.keys() == {name for node in convolutions for name in (node.input[0], node.output[0])}
    assert found[convolutions[0].input[0]].counts.sum() == 16 * (40 + 90)
    assert all(each.lowest < each.highest for each in found.values())
