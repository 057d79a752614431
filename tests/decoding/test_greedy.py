"""Greedy decoding finds the best path, collapses it and keeps its frames."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.core.arrays import LogProbs
from linnet.decoding.greedy import TokenSpan, greedy_decode

BLANK = 2


def peaked(path: list[int], posterior: float = 0.8) -> LogProbs:
    posteriors = np.full((len(path), 3), (1 - posterior) / 2, np.float32)
    posteriors[np.arange(len(path)), path] = posterior
    return np.log(posteriors)


def test_repeats_collapse_and_blanks_part_equal_tokens() -> None:
    spans = greedy_decode(peaked([2, 0, 0, 2, 0, 1, 1, 1]), BLANK)
    assert [(span.token_id, span.start_frame, span.end_frame) for span in spans] == [
        (0, 1, 3),
        (0, 4, 5),
        (1, 5, 8),
    ]


def test_confidence_is_the_share_of_all_tokens_around() -> None:
    log_probs = np.log(np.array([[0.9, 0.05, 0.05], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], np.float32))
    (span,) = greedy_decode(log_probs, BLANK)
    assert span == TokenSpan(0, 0, 2, pytest.approx(1.5 / 1.95))


@pytest.mark.parametrize("num_frames", [0, 1, 5])
def test_no_frames_and_only_blanks_give_no_tokens(num_frames: int) -> None:
    assert greedy_decode(peaked([BLANK] * num_frames).reshape(-1, 3), BLANK) == []


def test_posteriors_above_one_by_rounding_stay_within_one() -> None:
    (span,) = greedy_decode(np.array([[1e-6, -20, -20]], np.float32), BLANK)
    assert span.confidence == 1.0


@given(st.lists(st.integers(0, BLANK)))
def test_agrees_with_the_definition(path: list[int]) -> None:
    spans = greedy_decode(peaked(path).reshape(-1, 3), BLANK)
    expected = [token for token, _ in itertools.groupby(path) if token != BLANK]
    assert [span.token_id for span in spans] == expected
    assert all(set(path[span.start_frame : span.end_frame]) == {span.token_id} for span in spans)
