"""Error counts add up, and a rate without references is not a division by zero."""

import math

import pytest

from linnet.metrics.error_rate import ErrorCounts, character_errors, token_errors, word_errors


def test_counts_add_up_over_utterances() -> None:
    total = sum([ErrorCounts(1, 2, 3, 10), ErrorCounts(1, 0, 0, 10)], start=ErrorCounts())
    assert total == ErrorCounts(2, 2, 3, 20)
    assert total.errors == 7
    assert total.rate == pytest.approx(0.35)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("one two three", "one too three four", ErrorCounts(1, 0, 1, 3)),
        ("  one \n two\t", "one two", ErrorCounts(0, 0, 0, 2)),
        ("one", "One", ErrorCounts(1, 0, 0, 1)),  # normalizing is not this function's work
        ("", "one two", ErrorCounts(0, 0, 2, 0)),
        ("one two", "", ErrorCounts(0, 2, 0, 2)),
        ("", "", ErrorCounts()),
    ],
)
def test_word_errors(reference: str, hypothesis: str, expected: ErrorCounts) -> None:
    assert word_errors(reference, hypothesis) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("two", "too", ErrorCounts(1, 0, 0, 3)),
        ("to day", "today", ErrorCounts(0, 1, 0, 6)),
        (" to   day ", "to day", ErrorCounts(0, 0, 0, 6)),
        ("наш", "наша", ErrorCounts(0, 0, 1, 3)),
    ],
)
def test_character_errors(reference: str, hypothesis: str, expected: ErrorCounts) -> None:
    assert character_errors(reference, hypothesis) == expected


def test_token_errors_take_any_tokens() -> None:
    assert token_errors(["▁a", "b"], ["▁a", "c"]) == ErrorCounts(1, 0, 0, 2)


def test_rates_without_a_reference() -> None:
    assert ErrorCounts().rate == 0.0
    assert ErrorCounts(insertions=2).rate == math.inf
