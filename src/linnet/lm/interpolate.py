"""Linear interpolation of n-gram models into one that backs off, as SRILM's `ngram -mix-lm` makes it."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import Ngrams, assemble
from linnet.lm.balance import balance
from linnet.lm.external_sort import sort_order, starts_of_groups
from linnet.lm.levels import NgramModel, parts, spell_out
from linnet.lm.packed import PackedModel
from linnet.lm.perplexity import with_context
from linnet.lm.scoring import score_ngrams
from linnet.lm.sentences import SentenceReader
from linnet.lm.vocabulary import BOS, UNK, FixedVocabulary

_MAX_ROUNDS = 200
_CONVERGED = 1e-6


def tune_weights(models: Sequence[PackedModel], reader: SentenceReader) -> list[float]:
    """Return the weights under which a text is most probable, by expectation maximization.

    Words that no model knows do not count; to a model that does not know a word it is impossible.

    Raises:
        LanguageModelError: when the text cannot be read or has no word that a model knows.
    """
    scored = [_known_probs(model, reader) for model in models]
    probs = np.stack(scored)
    probs = probs[:, probs.any(axis=0)]
    if not probs.size:
        raise LanguageModelError(
            "the text to tune on has no word that a model knows",
            remedy="Tune on texts like those that will be heard",
        )
    weights = np.full(len(models), 1 / len(models))
    for _ in range(_MAX_ROUNDS):
        shares = weights[:, None] * probs
        updated = (shares / shares.sum(axis=0)).mean(axis=1)
        change = np.abs(updated - weights).max()
        weights = updated
        if change < _CONVERGED:
            break
    return [float(weight) for weight in weights]


def _known_probs(model: PackedModel, reader: SentenceReader) -> NDArray[np.float64]:
    """Return the probability of each word of a text, 0 for unknown ones."""
    found = [np.empty(0)]
    for batch in reader.batches(FixedVocabulary(model.words())):
        scores = score_ngrams(model.tables, with_context(batch, model.order))
        found.append(np.where(batch.words == UNK, 0, 10**scores))
    return np.concatenate(found)


def interpolate(models: Sequence[PackedModel], weights: Sequence[float]) -> NgramModel:
    """Return one model with the n-grams of all.

    The probability of each n-gram is the weighted sum of what the models give it. Back-offs are such that the
    probabilities after each context sum to 1.

    Args:
        models: of the same unit.
        weights: one for each, which sum to 1.

    Raises:
        LanguageModelError: when the units differ, or a file is damaged.
    """
    units = {model.header.unit for model in models}
    if len(units) > 1:
        raise LanguageModelError(
            f"models of {' and '.join(sorted(units))} units do not mix", remedy="Give models of one unit"
        )
    sources = [_Source(model) for model in models]
    words = list(dict.fromkeys(word for source in sources for word in source.model.words))
    for source in sources:
        source.renumber(words)
    orders = []
    for n in range(1, max(model.order for model in models) + 1):
        rows = _union(source.words_of(n) for source in sources)
        mixed = np.concatenate([_mixed(sources, weights, rows[part]) for part in parts(len(rows))])
        if n == 1:
            mixed[BOS] = 0  # no word is asked for it
        zeros = np.zeros(len(rows), np.float32)
        orders.append(Ngrams(rows, mixed.astype(np.float32), zeros, np.full(len(rows), -1)))
    merged = assemble(words, orders, models[0].header.unit)
    balance(merged.levels)
    return merged


class _Source:
    """One of the models, with its words in the numbers of the merged one."""

    def __init__(self, packed: PackedModel) -> None:
        self.packed, self.model = packed, packed.unpack()
        self._spelled = spell_out(self.model.levels)
        self._to_merged = self._from_merged = np.empty(0, np.int64)

    def renumber(self, words: Sequence[bytes]) -> None:
        """Take the words of the merged model."""
        numbers = {word: number for number, word in enumerate(self.model.words)}
        self._from_merged = np.array([numbers.get(word, -1) for word in words])
        self._to_merged = np.empty(len(numbers), np.int64)
        known = np.flatnonzero(self._from_merged >= 0)
        self._to_merged[self._from_merged[known]] = known

    def words_of(self, n: int) -> NDArray[np.uint32]:
        """Return its n-grams in merged numbers, (n-grams, n)."""
        if n > self.model.order:
            return np.empty((0, n), np.uint32)
        return self._to_merged[self._spelled[n - 1]].astype(np.uint32)

    def probs(self, rows: NDArray[np.uint32]) -> NDArray[np.float64]:
        """Return the probabilities of n-grams in merged numbers; 0 where it does not know the last word."""
        own = self._from_merged[rows[:, -self.model.order :]]
        is_known = own[:, -1] >= 0
        return np.where(is_known, 10 ** score_ngrams(self.packed.tables, np.maximum(own, UNK)), 0)


def _union(rows: Iterable[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    joined = np.concatenate(list(rows))
    joined = joined[sort_order(joined[:, ::-1])]
    return np.asarray(joined[starts_of_groups(joined)])


def _mixed(sources: Sequence[_Source], weights: Sequence[float], rows: NDArray[np.uint32]) -> Array:
    probs = sum(weight * source.probs(rows) for source, weight in zip(sources, weights, strict=True))
    return np.log10(np.maximum(probs, np.finfo(np.float32).tiny))
