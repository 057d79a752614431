"""Scores: by the definition of backing off, word by word, all at once, and compiled."""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from linnet.lm.compact_writer import write_compact
from linnet.lm.levels import NgramModel, spell_out
from linnet.lm.packed import PackedModel
from linnet.lm.scoring import State, empty_state, score_ngrams, score_word, sentence_start
from linnet.lm.vocabulary import BOS, EOS

Packer = Callable[..., PackedModel]


Table = dict[tuple[int, ...], tuple[float, float]]


def table_of(model: NgramModel) -> Table:
    table: Table = {}
    for level, words in zip(model.levels, spell_out(model.levels), strict=True):
        backoffs = level.log10_backoffs if len(level.log10_backoffs) else np.zeros(len(level))
        for gram, prob, backoff in zip(words.tolist(), level.log10_probs, backoffs, strict=True):
            table[tuple(gram)] = (float(prob), float(backoff))
    return table


def by_definition(table: Table, gram: tuple[int, ...]) -> float:
    if gram in table:
        return table[gram][0]
    return table.get(gram[:-1], (0.0, 0.0))[1] + by_definition(table, gram[1:])


def sentences(num_words: int, count: int = 40) -> list[list[int]]:
    generator = np.random.default_rng(0)
    numbers = [int(number) for number in num_words ** generator.random(count * 8)]
    return [[max(3, n) if n else 0 for n in numbers[at : at + 8]] + [EOS] for at in range(0, len(numbers), 8)]


def step_by_step(packed: PackedModel, words: list[int], score: Callable[..., float]) -> list[float]:
    state, after, scores = sentence_start(packed.tables), empty_state(packed.tables), []
    with np.errstate(over="ignore"):
        for word in words:
            scores.append(score(packed.tables, state, word, after))
            state, after = after, state
    return scores


@pytest.mark.parametrize("quantized", [False, True])
@pytest.mark.parametrize("name", ["pruned", "limited"])
def test_every_way_gives_what_backing_off_means(
    name: str, quantized: bool, packer: Packer, request: pytest.FixtureRequest
) -> None:
    packed = packer(request.getfixturevalue(name), quantized=quantized)
    order, table = packed.order, table_of(packed.unpack())
    for words in sentences(packed.num_words):
        grams = [tuple([BOS, *words][max(0, at + 2 - order) : at + 2]) for at in range(len(words))]
        expected = [by_definition(table, gram) for gram in grams]
        padded = np.array([[-1] * (order - len(gram)) + list(gram) for gram in grams])
        np.testing.assert_allclose(score_ngrams(packed.tables, padded), expected, atol=1e-6)
        np.testing.assert_allclose(step_by_step(packed, words, score_word), expected, atol=1e-6)


def test_compiled_scores_are_the_same(limited: NgramModel, packer: Packer, tmp_path: Path) -> None:
    numba = pytest.importorskip("numba", reason="compiled search needs the extra beam")
    compiled = numba.njit(score_word)
    write_compact(tmp_path / "compact.lm", limited)
    for packed in (packer(limited, quantized=True), PackedModel(tmp_path / "compact.lm")):
        for words in sentences(packed.num_words, 5):
            assert step_by_step(packed, words, compiled) == step_by_step(packed, words, score_word)
    assert len(compiled.signatures) == 1, "hash tables and compact files need no search of their own"


def test_states_forget_what_makes_no_difference(pruned: NgramModel, packer: Packer) -> None:
    tables = packer(pruned).tables
    longest = set()
    for first, second in product(range(3, 12), repeat=2):
        state, after = sentence_start(tables), empty_state(tables)
        with np.errstate(over="ignore"):
            for word in (first, second):
                score_word(tables, state, word, after)
                state, after = after, state
            cut = State(state.words.copy(), state.log10_backoffs * 0, state.length.copy())
            longest.add(int(state.length[0]))
            full = np.array([[first, second, word] for word in range(len(pruned.words))])
            scores = [score_word(tables, state, word, cut) for word in range(len(pruned.words))]
        np.testing.assert_allclose(scores, score_ngrams(tables, full), atol=1e-6)
    assert longest == {1, 2}, "some pairs begin a 3-gram, others do not"
