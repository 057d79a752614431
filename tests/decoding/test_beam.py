"""The beam search against the sum over all alignments; streaming, order and hotwords."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from linnet.core.arrays import LogProbs
from linnet.core.errors import ConfigError
from linnet.decoding.beam import MIN_NODES, BeamConfig, BeamDecoder, BeamStream
from linnet.decoding.greedy import greedy_decode
from linnet.text.vocabulary import Vocabulary

LETTERS = Vocabulary(("▁", "a", "b"))
EXHAUSTIVE = BeamConfig(beam=2000, top_tokens=3, min_token=-1e3, margin=1e3, blank_only=0.0)


def random_log_probs(seed: int, num_frames: int, size: int = 4, sharpness: float = 0.5) -> LogProbs:
    posteriors = np.random.default_rng(seed).dirichlet(np.full(size, sharpness), size=num_frames) + 1e-9
    result: LogProbs = np.log(posteriors).astype(np.float32)
    return result


def sums_over_alignments(log_probs: LogProbs, blank_id: int) -> dict[tuple[int, ...], float]:
    """Follow every path of tokens, and add up those that collapse to the same text."""
    sums: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        collapsed = tuple(
            token for token, before in zip(path, (-1, *path), strict=False) if token not in (before, blank_id)
        )
        logarithm = float(sum(log_probs[frame, token] for frame, token in enumerate(path)))
        sums[collapsed] = float(np.logaddexp(sums.get(collapsed, -np.inf), logarithm))
    return sums


@given(seed=st.integers(0, 10_000), num_frames=st.integers(0, 5), sharpness=st.sampled_from([0.1, 1.0, 50.0]))
@settings(max_examples=25, deadline=None)
def test_every_text_has_the_sum_of_all_its_alignments(seed: int, num_frames: int, sharpness: float) -> None:
    log_probs = random_log_probs(seed, num_frames, sharpness=sharpness)
    expected = sums_over_alignments(log_probs, blank_id=3)
    found = BeamDecoder(LETTERS, EXHAUSTIVE).decode(log_probs, num_best=2000).hypotheses
    assert {each.tokens for each in found} == expected.keys()
    for each in found:
        assert each.total == pytest.approx(expected[each.tokens], abs=1e-4)
        assert each.acoustic == pytest.approx(each.total)
        assert each.language == 0.0
    totals = [each.total for each in found]
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize("penalty", [0.5, 3.0, 10.0])
def test_a_penalty_makes_the_blank_less_likely(penalty: float) -> None:
    log_probs = np.concatenate([random_log_probs(5, 12), [[-100.0, -100.0, -100.0, 0.0]]]).astype(np.float32)
    odds = np.exp(log_probs.astype(np.float64)) * [1.0, 1.0, 1.0, math.exp(-penalty)]
    by_hand = np.log(odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    config = BeamConfig(beam=16, blank_penalty=penalty)
    stream = BeamStream(BeamDecoder(LETTERS, config)).feed(log_probs[:5]).feed(log_probs[5:])
    expected = BeamDecoder(LETTERS, BeamConfig(beam=16)).decode(by_hand, num_best=5).hypotheses
    for found, wanted in zip(stream.result(5).hypotheses, expected, strict=True):
        assert found.tokens == wanted.tokens
        assert found.total == pytest.approx(wanted.total, abs=1e-4)


def test_equal_texts_come_in_the_order_in_which_they_were_met() -> None:
    even = np.log(np.full((3, 4), 0.25, np.float32))
    first = [each.tokens for each in BeamDecoder(LETTERS, EXHAUSTIVE).decode(even, num_best=50).hypotheses]
    again = [each.tokens for each in BeamDecoder(LETTERS, EXHAUSTIVE).decode(even, num_best=50).hypotheses]
    assert first == again
    assert first[:3] == [(0,), (1,), (2,)]


def test_a_narrow_search_without_rivals_is_greedy() -> None:
    log_probs = random_log_probs(3, 200, sharpness=0.01)
    (best,) = BeamDecoder(LETTERS, BeamConfig(beam=1)).decode(log_probs).hypotheses
    assert best.tokens == tuple(span.token_id for span in greedy_decode(log_probs, 3))


@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(0, 120), max_size=4),
    beam=st.sampled_from([1, 7, 64]),
)
@settings(max_examples=20, deadline=None)
def test_chunks_give_what_the_whole_gives(seed: int, cuts: list[int], beam: int) -> None:
    log_probs = random_log_probs(seed, 120)
    decoder = BeamDecoder(LETTERS, BeamConfig(beam=beam), hotwords=[("ab", 2.0)])
    whole = decoder.decode(log_probs, num_best=5)
    stream = BeamStream(decoder)
    for start, end in itertools.pairwise([0, *sorted(cuts), 120]):
        stream.feed(log_probs[start:end]).result()  # asking in between changes nothing
    assert stream.result(5) == whole


def test_a_long_utterance_outlives_its_tree() -> None:
    log_probs = random_log_probs(5, 4000)
    narrow = BeamStream(BeamDecoder(LETTERS, BeamConfig(beam=32))).feed(log_probs)
    (best,) = narrow.result().hypotheses
    assert len(narrow._arena.nodes) == MIN_NODES  # never enlarged: what all prefixes share was moved out
    assert len(best.tokens) > 1000
    assert math.isfinite(best.total)


def test_a_tree_that_is_too_small_grows_and_changes_nothing() -> None:
    log_probs = random_log_probs(6, 60, sharpness=5.0)
    decoder = BeamDecoder(LETTERS, BeamConfig(beam=300, margin=1e3, min_token=-1e3))
    expected = decoder.decode(log_probs, num_best=20)
    small = BeamStream(decoder, num_nodes=1024)
    assert small.feed(log_probs).result(20) == expected
    assert len(small._arena.nodes) > 1024


def test_a_batch_gives_the_same_on_any_number_of_cores() -> None:
    batch = [random_log_probs(seed, 50) for seed in range(6)]
    decoder = BeamDecoder(LETTERS)
    alone = [decoder.decode(each, num_best=3) for each in batch]
    assert decoder.decode_batch(batch, num_best=3, num_threads=1) == alone
    assert decoder.decode_batch(batch, num_best=3, num_threads=3) == alone


def test_silence_is_passed_over_at_no_loss() -> None:
    speech = random_log_probs(8, 12, sharpness=0.1)
    silence = np.full((30, 4), -12.0, np.float32)
    silence[:, 3] = np.log1p(-3 * np.exp(-12.0))
    log_probs = np.concatenate([silence, speech[:6], silence, speech[6:], silence])
    exact = BeamDecoder(LETTERS, BeamConfig(blank_only=0.0)).decode(log_probs)
    quick = BeamDecoder(LETTERS).decode(log_probs)
    assert quick.hypotheses[0].tokens == exact.hypotheses[0].tokens
    assert quick.hypotheses[0].total == pytest.approx(exact.hypotheses[0].total, abs=1e-2)


class TestHotwords:
    """A text gains the weights of the phrases it holds, whole words only, and nothing else."""

    @pytest.mark.parametrize(
        ("phrases", "text", "gain"),
        [
            ([("ab", 2.0)], "ab", 2.0),
            ([("ab", 2.0)], "a b", 0.0),
            ([("ab", 2.0)], "aba", 0.0),
            ([("ab", 2.0)], "bab", 0.0),
            ([("ab", 2.0)], "b ab", 2.0),
            ([("ab", 2.0)], "ab ab", 4.0),
            ([("a b", 3.0)], "a b", 3.0),
            ([("a", 1.0), ("a b", 3.0)], "a b", 3.0),
            ([("a b", 3.0), ("b a", 2.0)], "a b a", 5.0),
            ([("a", 1.0), ("a b", 3.0)], "a a", 2.0),
            ([("ab", 2.0)], "", 0.0),
        ],
    )
    def test_the_gain_of_a_text_is_that_of_its_phrases(
        self, phrases: list[tuple[str, float]], text: str, gain: float
    ) -> None:
        tokens = tuple("▁ab".index(letter) for letter in text.replace(" ", "▁"))
        log_probs = random_log_probs(11, 6, sharpness=2.0)
        plain = BeamDecoder(LETTERS, EXHAUSTIVE).decode(log_probs, num_best=2000)
        favored = BeamDecoder(LETTERS, EXHAUSTIVE, hotwords=phrases).decode(log_probs, num_best=2000)
        before, after = (
            next(each for each in result.hypotheses if each.tokens == tokens) for result in (plain, favored)
        )
        assert after.total - before.total == pytest.approx(gain, abs=1e-6)
        assert after.acoustic == pytest.approx(before.acoustic, abs=1e-6)

    def test_a_phrase_lifts_a_text_that_was_second(self) -> None:
        log_probs = np.log(np.array([[0.02, 0.9, 0.04, 0.04], [0.02, 0.5, 0.38, 0.1]], np.float32))
        assert BeamDecoder(LETTERS).decode(log_probs).hypotheses[0].tokens == (1,)
        result = BeamDecoder(LETTERS, hotwords=[("ab", 3.0), ("bb", 3.0)]).decode(log_probs)
        assert result.hypotheses[0].tokens == (1, 2)
        assert result.reached == (True, False)

    def test_phrases_are_bounded(self) -> None:
        for phrase in ("", "  ", "a" * 300):
            with pytest.raises(ConfigError, match="is empty or longer"):
                BeamDecoder(LETTERS, hotwords=[(phrase, 1.0)])


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="beam"):
        BeamConfig(beam=0)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_settling_in_silence_keeps_the_best_text_and_its_score(seed: int) -> None:
    silence = np.log(np.array([[0.001, 0.001, 0.001, 0.997]], np.float32))
    parts = [np.concatenate([random_log_probs(seed + n, 12, sharpness=0.1), silence]) for n in range(3)]
    decoder = BeamDecoder(LETTERS)
    stream = BeamStream(decoder)
    tokens: list[int] = []
    for part in parts:
        found = stream.feed(part).result(ends=False).hypotheses[0]
        tokens += found.tokens
        stream.settle()
    kept = stream.result(ends=False).hypotheses
    assert [(each.tokens, each.total) for each in kept] == [((), found.total)]
    (alone,) = decoder.decode(parts[0]).hypotheses
    assert tuple(tokens[: len(alone.tokens)]) == alone.tokens


def test_settling_the_beginning_keeps_all_that_go_on_from_it() -> None:
    log_probs = random_log_probs(11, 40, sharpness=0.2)
    stream = BeamStream(BeamDecoder(LETTERS, BeamConfig(beam=32))).feed(log_probs[:30])
    for settled in (4, 3):
        before = stream.result(32).hypotheses
        beginning = before[0].tokens[:settled]
        expected = [
            (each.tokens[settled:], each.total) for each in before if each.tokens[:settled] == beginning
        ]
        stream.settle(beginning)
        assert [(each.tokens, each.total) for each in stream.result(32).hypotheses] == expected
        assert len(expected) > 1
        stream.feed(log_probs[30:])
