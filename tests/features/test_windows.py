"""Analysis windows against their closed forms."""

import numpy as np
import pytest

from linnet.features.windows import analysis_window

PHASE = 2 * np.pi * np.arange(400) / 399


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hann", 0.5 - 0.5 * np.cos(PHASE)),
        ("hamming", 0.54 - 0.46 * np.cos(PHASE)),
        ("blackman", 0.42 - 0.5 * np.cos(PHASE) + 0.08 * np.cos(2 * PHASE)),
        ("bartlett", 1 - np.abs(np.arange(400) / 199.5 - 1)),
        ("ones", np.ones(400)),
        ("povey", (0.5 - 0.5 * np.cos(PHASE)) ** 0.85),
    ],
)
def test_window_has_its_closed_form(name: str, expected: np.ndarray) -> None:
    window = analysis_window(name, 400)
    assert window.dtype == np.float32
    np.testing.assert_allclose(window, expected, atol=1e-7)


def test_periodic_window_is_a_longer_one_without_its_last_sample() -> None:
    expected = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(320) / 320)
    np.testing.assert_allclose(analysis_window("hann", 320, periodic=True), expected, atol=1e-7)
