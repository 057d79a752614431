"""The bootstrap interval: covers what it promises, is reproducible, and is wider over few speakers."""

import math

import numpy as np
import pytest

from linnet.metrics import bootstrap
from linnet.metrics.bootstrap import bootstrap_difference, bootstrap_interval
from linnet.metrics.error_rate import ErrorCounts


def random_counts(num: int, rate: float, seed: int, length: int = 10) -> list[ErrorCounts]:
    errors = np.random.default_rng(seed).binomial(length, rate, num)
    return [ErrorCounts(substitutions=int(each), reference_length=length) for each in errors]


def test_the_interval_is_that_of_the_normal_approximation() -> None:
    counts = random_counts(2000, 0.1, seed=1)
    rates = np.array([each.rate for each in counts])
    half_width = 1.96 * rates.std() / math.sqrt(len(rates))
    low, high = bootstrap_interval(counts, num_resamples=5000)
    assert (low, high) == pytest.approx((rates.mean() - half_width, rates.mean() + half_width), abs=2e-4)


def test_the_interval_covers_the_true_rate_as_often_as_it_says() -> None:
    intervals = [
        bootstrap_interval(random_counts(200, 0.2, seed=seed), num_resamples=300) for seed in range(200)
    ]
    covered = sum(low <= 0.2 <= high for low, high in intervals)
    assert 0.9 <= covered / len(intervals) <= 0.99


def test_the_level_widens_the_interval() -> None:
    counts = random_counts(100, 0.1, seed=2)
    low, high = bootstrap_interval(counts, level=0.5)
    wide_low, wide_high = bootstrap_interval(counts, level=0.99)
    assert wide_low < low < high < wide_high


def test_a_seed_gives_one_interval_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = random_counts(50, 0.1, seed=3)
    whole = bootstrap_interval(counts, seed=7)
    assert whole == bootstrap_interval(counts, seed=7)
    assert whole != bootstrap_interval(counts, seed=8)
    monkeypatch.setattr(bootstrap, "_BLOCK_DRAWS", 1000)
    assert bootstrap_interval(counts, seed=7) == pytest.approx(whole, abs=0.01)


def test_long_utterances_weigh_by_their_words() -> None:
    counts = [
        ErrorCounts(substitutions=0, reference_length=1000),
        ErrorCounts(substitutions=1, reference_length=1),
    ]
    low, high = bootstrap_interval(counts)
    assert low == 0.0
    assert high == 1.0
    assert bootstrap_interval([counts[0], counts[0]]) == (0.0, 0.0)


def test_drawing_speakers_admits_that_their_utterances_are_alike() -> None:
    good, bad = ErrorCounts(reference_length=10), ErrorCounts(substitutions=5, reference_length=10)
    counts = [bad if speaker % 4 == 0 else good for speaker in range(8) for _ in range(50)]
    speakers = [f"s{speaker}" for speaker in range(8) for _ in range(50)]
    low, high = bootstrap_interval(counts)
    speaker_low, speaker_high = bootstrap_interval(counts, speakers)
    assert speaker_high - speaker_low > 3 * (high - low)


def test_each_utterance_its_own_speaker_is_the_same_as_none() -> None:
    counts = random_counts(40, 0.3, seed=4)
    assert bootstrap_interval(counts, [f"{number:02}" for number in range(40)]) == bootstrap_interval(counts)


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ([], None),
        ([], []),
        ([ErrorCounts(1, 0, 0, 5)], None),
        ([ErrorCounts(1, 0, 0, 5)] * 3, ["a", "a", "a"]),
        ([ErrorCounts(insertions=1)] * 3, None),
    ],
)
def test_nothing_is_estimated_from_too_little(counts: list[ErrorCounts], groups: list[str] | None) -> None:
    assert all(math.isnan(end) for end in bootstrap_interval(counts, groups))


def test_test_sets_drawn_without_a_word_are_left_out() -> None:
    counts = [ErrorCounts(insertions=1), ErrorCounts(substitutions=1, reference_length=2)]
    low, high = bootstrap_interval(counts)
    assert (low, high) == (0.5, 1.0)


def test_a_difference_is_drawn_in_pairs() -> None:
    before = random_counts(300, 0.2, seed=1)
    worse = [
        ErrorCounts(substitutions=each.errors + (index % 20 == 0), reference_length=10)
        for index, each in enumerate(before)
    ]
    assert bootstrap_difference(before, before) == (0.0, 0.0)
    low, high = bootstrap_difference(before, worse)
    assert 0 < low < 0.005 < high, "one word in 200, though the rates themselves spread ten times as far"
    assert bootstrap_difference(worse, before) == pytest.approx((-high, -low), abs=1e-3)
    assert all(map(math.isnan, bootstrap_difference(before[:1], before[:1])))
