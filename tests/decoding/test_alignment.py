"""Forced alignment against the best of all paths, and in a band."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.core.arrays import LogProbs
from linnet.core.errors import ConfigError
from linnet.decoding.alignment import align


def best_of_all_paths(log_probs: LogProbs, tokens: list[int], blank_id: int) -> float:
    best = -np.inf
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        collapsed = [
            token for token, before in zip(path, (-1, *path), strict=False) if token not in (before, blank_id)
        ]
        if collapsed == tokens:
            best = max(best, float(sum(log_probs[frame, token] for frame, token in enumerate(path))))
    return best


@given(seed=st.integers(0, 10_000), tokens=st.lists(st.integers(0, 1), max_size=3))
@settings(max_examples=30, deadline=None)
def test_the_best_path_is_found(seed: int, tokens: list[int]) -> None:
    posteriors = np.random.default_rng(seed).dirichlet(np.ones(3), size=6)
    log_probs = np.log(posteriors).astype(np.float32)
    found = align(log_probs, tokens, 2)
    assert found.log_prob == pytest.approx(best_of_all_paths(log_probs, tokens, 2), abs=1e-4)
    assert [span.token_id for span in found.spans] == tokens
    frames = [frame for span in found.spans for frame in (span.start_frame, span.end_frame)]
    assert frames == sorted(frames)
    assert all(span.start_frame < span.end_frame and 0 < span.confidence <= 1 for span in found.spans)


def test_a_long_text_is_aligned_in_a_narrow_band() -> None:
    rng = np.random.default_rng(0)
    frames = np.sort(rng.choice(np.arange(0, 3000, 2), 900, replace=False))
    tokens = rng.integers(0, 5, 900)
    log_probs = np.full((3000, 6), -9.0, np.float32)
    log_probs[:, 5] = -0.01
    log_probs[frames, 5], log_probs[frames, tokens] = -6.0, -0.01
    found = align(log_probs, tokens.tolist(), 5, band_states=64)
    assert [span.start_frame for span in found.spans] == frames.tolist()


def test_a_text_longer_than_the_recording_is_refused() -> None:
    log_probs = np.log(np.full((3, 3), 1 / 3, np.float32))
    with pytest.raises(ConfigError, match="2 tokens need at least 3 frames, and there are 2"):
        align(log_probs[:2], [0, 0], 2)
    assert len(align(log_probs, [0, 0], 2).spans) == 2
