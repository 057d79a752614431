"""Resampling: lengths, the pass band, what is filtered out, and blocks that equal the whole."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.audio.resample import resample, resample_blocks
from linnet.core.arrays import Samples

RATES_HZ = (8000, 11025, 16000, 44100, 48000)


def test_equal_rates_change_nothing(tone: Callable[..., Samples]) -> None:
    samples = tone()
    assert resample(samples, 16000, 16000) is samples


def test_a_tone_below_the_new_limit_stays_and_one_above_goes(tone: Callable[..., Samples]) -> None:
    inside = slice(500, -500)
    low = resample(tone(3000, sample_rate_hz=48000), 48000, 16000)
    assert np.abs(low - tone(3000))[inside].max() < 1e-4
    high = resample(tone(9000, sample_rate_hz=48000), 48000, 16000)
    assert np.abs(high[inside]).max() < 1e-4


@given(
    length=st.integers(0, 5000),
    block_length=st.integers(1, 3000),
    from_hz=st.sampled_from(RATES_HZ),
    to_hz=st.sampled_from(RATES_HZ),
)
def test_blocks_equal_the_whole(length: int, block_length: int, from_hz: int, to_hz: int) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    blocks = (samples[start : start + block_length] for start in range(0, length, block_length))
    joined = np.concatenate([np.zeros(0, np.float32), *resample_blocks(blocks, from_hz, to_hz)])
    assert len(joined) == pytest.approx(length * to_hz / from_hz, abs=1)
    np.testing.assert_allclose(joined, resample(samples, from_hz, to_hz), atol=1e-6)
