"""Statistics of a recording under way end up as those of the whole."""

import numpy as np
import pytest

from linnet.features.config import FrontendConfig
from linnet.features.normalize import normalize
from linnet.features.running import RunningStatistics


@pytest.mark.parametrize("kind", ["per_feature", "all_features", "per_frame", "none"])
def test_parts_together_normalize_as_the_whole(kind: str) -> None:
    config = FrontendConfig.model_validate({"normalize": kind, "num_mels": 5})
    features = (np.random.default_rng(0).normal(size=(5, 300)) * 3 - 11).astype(np.float32)
    parts = [RunningStatistics.of(part, config) for part in np.split(features, [0, 7, 290], axis=1)]
    statistics = parts[0]
    for part in parts[1:]:
        statistics = statistics.joined(part)
    expected, found = features.copy(), features.copy()
    normalize(expected, config)
    statistics.normalize(found, config)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_parts_of_a_waveform_normalize_as_the_whole() -> None:
    config = FrontendConfig(kind="waveform")
    found = (np.random.default_rng(0).normal(size=(1, 900)) * 0.001 + 0.1).astype(np.float32)
    expected = found.copy()
    parts = [RunningStatistics.of(part, config) for part in np.split(found, [400], axis=1)]
    parts[0].joined(parts[1]).normalize(found, config)
    normalize(expected, config)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_silence_stays_finite_and_nothing_changes_nothing() -> None:
    config = FrontendConfig(num_mels=2)
    nothing = np.empty((2, 0), np.float32)
    statistics = RunningStatistics.of(nothing, config).joined(RunningStatistics.of(nothing, config))
    statistics.normalize(nothing, config)
    silence = np.full((2, 4), -16.6, np.float32)
    RunningStatistics.of(silence, config).normalize(silence, config)
    assert (nothing.shape, np.abs(silence).max() < 1) == ((2, 0), True)
