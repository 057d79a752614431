"""Clipping takes the share of samples that it was asked for."""

import numpy as np
import pytest
from pydantic import ValidationError

from linnet.data.augment.clipping import ClippingConfig


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5])
def test_the_share_at_the_limit(share: float, rng: np.random.Generator) -> None:
    noise = rng.standard_normal(20_000).astype(np.float32)
    clipped = ClippingConfig(share=(share, share)).build()(noise, rng)
    limit = np.abs(clipped).max()
    assert np.mean(np.abs(clipped) == limit) == pytest.approx(share)
    inside = np.abs(noise) < limit
    assert np.array_equal(clipped[inside], noise[inside])
    assert np.array_equal(np.sign(clipped), np.sign(noise))


def test_no_share_is_no_change(rng: np.random.Generator) -> None:
    samples = np.ones(10, dtype=np.float32)
    assert ClippingConfig(share=(0.0, 0.0)).build()(samples, rng) is samples


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"between 0 and 0\.5"):
        ClippingConfig(share=(0.0, 1.0))
