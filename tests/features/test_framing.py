"""Frames of a recording: where they begin, what lies beyond the ends, and that blocks leave no trace."""

from typing import Any

import numpy as np
import pytest

from linnet.features import framing
from linnet.features.config import FrontendConfig
from linnet.features.framing import frame_blocks, mirrored

PLAIN = {"preemphasis": 0.0}
KALDI = {"kind": "kaldi_fbank", "snip_edges": False}


def all_frames(samples: np.ndarray, config: FrontendConfig) -> np.ndarray:
    return np.concatenate([frames for _, frames in frame_blocks(samples, config)])


@pytest.mark.parametrize("num_samples", [1, 2, 5, 300])
@pytest.mark.parametrize(("settings", "mode"), [({"pad_mode": "reflect"}, "reflect"), (KALDI, "symmetric")])
def test_mirrored_indices_are_those_of_numpy_pad(
    num_samples: int, settings: dict[str, Any], mode: Any
) -> None:
    config = FrontendConfig(**settings)
    expected = np.pad(np.arange(num_samples), 700, mode=mode)
    assert (mirrored(np.arange(-700, num_samples + 700), num_samples, config) == expected).all()


@pytest.mark.parametrize(
    ("settings", "mode", "before"),
    [
        (PLAIN, "constant", 160),
        (PLAIN | {"pad_mode": "reflect"}, "reflect", 160),
        (PLAIN | {"window_ms": 25, "pad_mode": "reflect"}, "reflect", 200),
        (KALDI, "symmetric", 120),
        ({"kind": "kaldi_fbank"}, "symmetric", 0),
    ],
)
@pytest.mark.parametrize("num_samples", [161, 401, 1000, 50_000])
def test_frames_are_cut_from_the_padded_signal(
    settings: dict[str, Any], mode: Any, before: int, num_samples: int
) -> None:
    config = FrontendConfig(**settings)
    samples = np.random.default_rng(0).standard_normal(num_samples, dtype=np.float32)
    padded = np.pad(samples, (before, 1000), mode=mode)
    expected = np.lib.stride_tricks.sliding_window_view(padded, config.window_samples)[::160]
    if config.num_frames(num_samples):
        frames = all_frames(samples, config)
        np.testing.assert_array_equal(frames, expected[: config.num_frames(num_samples)])


def test_preemphasis_comes_before_the_reflection() -> None:
    samples = np.array([0.5, 0.25, -0.5, 1.0], dtype=np.float32)
    frame = all_frames(samples, FrontendConfig(preemphasis=0.5, pad_mode="reflect"))[0]
    emphasized = [0.5, 0.0, -0.625, 1.25]
    np.testing.assert_array_equal(frame, np.pad(emphasized, (160, 156), mode="reflect"))


@pytest.mark.parametrize("settings", [{}, {"pad_mode": "reflect"}, KALDI])
def test_block_size_leaves_no_trace(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    config = FrontendConfig(**settings)
    samples = np.random.default_rng(0).standard_normal(16000, dtype=np.float32)
    whole = all_frames(samples, config)
    monkeypatch.setattr(framing, "BLOCK_FRAMES", 7)
    np.testing.assert_array_equal(all_frames(samples, config), whole)
