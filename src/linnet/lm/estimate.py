"""Estimation of n-gram models by interpolated modified Kneser-Ney smoothing, as lmplz does it.

Chen & Goodman 1998 (An empirical study of smoothing techniques for language modeling), section 3; Heafield,
Pouzyrevsky, Clark & Koehn 2013 (Scalable modified Kneser-Ney language model estimation). All that grows with
the text lies in files: counting and normalizing go through an external sort, interpolation through files in
suffix order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.config import DEFAULT_MEMORY_BYTES, EstimationConfig
from linnet.lm.counting import GRAM, OrderCounts, adjust_counts, count_ngrams
from linnet.lm.discounts import closed_form_discounts
from linnet.lm.external_sort import ExternalSorter, Rows, starts_of_groups, whole_groups
from linnet.lm.levels import NO_EXTENSION, Level, NgramModel, Progress, Unit, file_array, no_progress, parts
from linnet.lm.sentences import Numbers, SentenceReader, Sentences
from linnet.lm.vocabulary import BOS, EOS, UNK, GrowingVocabulary


def estimate(
    reader: SentenceReader,
    config: EstimationConfig,
    folder: Path,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    allowed: frozenset[bytes] | None = None,
    progress: Progress = no_progress,
) -> NgramModel:
    """Estimate a model.

    Args:
        reader: the text.
        config: order, pruning and discounts.
        folder: for files that hold what is too large for memory. The arrays of the model lie there, too.
        memory_bytes: about what sorting may use.
        allowed: words that n-grams may hold; None allows all.
        progress: is told of the work now and then.

    Raises:
        LanguageModelError: when there is no text, or too little of it for the discounts.
    """
    vocabulary = GrowingVocabulary()
    batches = _told(reader.batches(vocabulary), progress)
    blocks = count_ngrams(batches, config.order, folder, memory_bytes)
    if not reader.num_words:
        raise LanguageModelError("there are no words to learn from", remedy="Give a text that is not empty")
    words = vocabulary.words()
    excluded = None
    if allowed is not None:
        excluded = np.array([word not in allowed for word in words])
        excluded[: EOS + 1] = False
    counts = adjust_counts(blocks, config.thresholds, excluded, folder, raw=config.raw_counts)
    smoothing = _Smoothing(counts, config, folder, memory_bytes)
    for n in range(1, config.order + 1):
        progress(f"smooth {n}-grams", n - 1, config.order)
        smoothing.add_order(n)
    return _without_pruned(words, smoothing.orders, folder, reader.unit)


def _told(batches: Iterator[Sentences], progress: Progress) -> Iterator[Sentences]:
    num_words = 0
    for batch in batches:
        yield batch
        num_words += len(batch.words)
        progress("count words", num_words, 0)


@dataclass(slots=True)
class _Order:
    """What is known of one order while the next is made; all arrays are (n,) and lie in files.

    Attributes:
        grams: `GRAM` in suffix order.
        contexts: the places of those that another word can follow.
        context: for each the place of its context, the n-gram without the last word, one level below.
        ends: whether no word can follow.
        probs: of the last word, after interpolation.
        log10_backoffs: filled in by the next order.
    """

    grams: Array
    contexts: Array
    context: Array
    ends: Array
    probs: Array
    log10_backoffs: Array


class _Smoothing:
    def __init__(
        self, counts: list[OrderCounts], config: EstimationConfig, folder: Path, memory_bytes: int
    ) -> None:
        self._counts, self._config = counts, config
        self._folder, self._memory_bytes = folder, memory_bytes
        self.orders: list[_Order] = []

    def add_order(self, n: int) -> None:
        """Give the n-grams their probabilities, and the (n-1)-grams their back-offs."""
        counts = self._counts[n - 1]
        discounts = closed_form_discounts(
            counts.counts_of_counts, n, use_fallback=self._config.discount_fallback
        )
        grams = np.memmap(counts.path, GRAM, "r") if counts.num_grams else np.empty(0, GRAM)
        order = _Order(
            grams=grams,
            contexts=np.empty(0, np.uint32),
            context=self._file(f"context-{n}", np.uint32, len(grams)),
            ends=self._file(f"ends-{n}", np.bool_, len(grams)),
            probs=self._file(f"probs-{n}", np.float32, len(grams)),
            log10_backoffs=self._file(f"backoffs-{n}", np.float32, len(grams)),
        )
        order.log10_backoffs[:] = NO_EXTENSION
        if n == 1:
            self._smooth_unigrams(order, discounts, counts.num_kept)
        else:
            self._smooth(order, self.orders[-1], discounts)
        if n < self._config.order:
            order.contexts = self._where_not(order.ends, f"contexts-{n}")
        self.orders.append(order)

    def _smooth_unigrams(self, order: _Order, discounts: NDArray[np.float64], num_kept: int) -> None:
        counts = order.grams["count"]
        shares, weights = _normalized(counts, np.zeros(1, np.intp), discounts)
        uniform = 1 / (num_kept - 1)  # over all words and <unk>, but not <s>
        order.probs[:] = shares + weights * uniform
        order.probs[BOS] = 1
        order.context[:] = 0
        order.ends[[UNK, EOS]] = True

    def _smooth(self, order: _Order, below: _Order, discounts: NDArray[np.float64]) -> None:
        weights = self._file("weights", np.float32, len(order.grams))
        num_contexts = 0
        for rows in whole_groups(self._by_context(order, below)):
            starts = starts_of_groups(rows["key"])
            at = rows["place"]
            order.probs[at], by_context = _normalized(rows["count"], starts, discounts)
            lengths = np.diff(starts, append=len(rows))
            weights[at] = np.repeat(by_context, lengths)
            contexts = below.contexts[num_contexts : num_contexts + len(starts)]
            order.context[at] = np.repeat(contexts, lengths)
            is_extended = np.logical_or.reduceat(rows["count"] > 0, starts)
            below.log10_backoffs[contexts] = np.where(is_extended, np.log10(by_context), NO_EXTENSION)
            num_contexts += len(starts)
        assert num_contexts == len(below.contexts), "every n-gram that does not end a sentence goes on"
        for part in parts(len(order.grams)):
            parents = order.grams["parent"][part]
            order.probs[part] += weights[part] * below.probs[parents]
            order.ends[part] = below.ends[parents]

    def _by_context(self, order: _Order, below: _Order) -> Iterator[Rows]:
        """Sort the n-grams by their contexts, which stand in suffix order then."""
        dtype = np.dtype([("key", "<u4", (2,)), ("count", "<i8"), ("place", "<u4")])
        sorter = ExternalSorter(dtype, self._folder, self._memory_bytes)
        for part in parts(len(order.grams)):
            grams = order.grams[part]
            rows = np.empty(len(grams), dtype)
            rows["key"][:, 0] = below.context[grams["parent"]]
            rows["key"][:, 1] = grams["first"]
            rows["count"] = grams["count"]
            rows["place"] = np.arange(part.start, part.stop)
            sorter.add(rows)
        return sorter.blocks()

    def _file(self, name: str, dtype: type, length: int) -> Array:
        return file_array(self._folder / name, dtype, length)

    def _where_not(self, flags: Array, name: str) -> Array:
        path = self._folder / name
        with path.open("wb") as file:
            for part in parts(len(flags)):
                (np.flatnonzero(~flags[part]) + part.start).astype(np.uint32).tofile(file)
        return np.memmap(path, np.uint32, "r") if path.stat().st_size else np.empty(0, np.uint32)


def _normalized(
    counts: Numbers, starts: NDArray[np.intp], discounts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of each n-gram in its context, and what each context leaves to the order below.

    Args:
        counts: (n,) adjusted counts, negative where pruned.
        starts: where contexts start.
        discounts: for the counts 0, 1, 2, and 3 or more.
    """
    kept = np.maximum(counts, 0)
    taken = discounts[np.minimum(kept, 3)]
    totals = np.add.reduceat(np.abs(counts), starts)
    left = np.add.reduceat(taken, starts) + np.add.reduceat(np.minimum(counts, 0) * -1.0, starts)
    lengths = np.diff(starts, append=len(counts))
    return (kept - taken) / np.repeat(totals, lengths), left / totals


def _without_pruned(words: list[bytes], orders: list[_Order], folder: Path, unit: Unit) -> NgramModel:
    """Make levels of the n-grams that are left, with words and n-grams numbered anew where some are gone."""
    levels: list[Level] = []
    renumbered: list[Array] = []
    for n, order in enumerate(orders, start=1):
        is_left = order.grams["count"] >= 0
        num_left, num_written = int(is_left.sum()), 0
        level = Level(
            first=file_array(folder / f"first-{n}", np.uint32, num_left),
            parent=file_array(folder / f"parent-{n}", np.uint32, num_left),
            log10_probs=file_array(folder / f"log10-{n}", np.float32, num_left),
            log10_backoffs=file_array(folder / f"backoffs-left-{n}", np.float32, num_left),
        )
        renumbered.append(file_array(folder / f"renumbered-{n}", np.uint32, len(order.grams)))
        for part in parts(len(order.grams)):
            left = np.flatnonzero(is_left[part])
            to = slice(num_written, num_written + len(left))
            renumbered[-1][part.start + left] = np.arange(to.start, to.stop)
            grams = order.grams[part][left]
            level.first[to] = renumbered[0][grams["first"]]
            level.parent[to] = renumbered[-2][grams["parent"]] if n > 1 else 0
            level.log10_probs[to] = np.minimum(0, np.log10(order.probs[part][left]))
            level.log10_backoffs[to] = order.log10_backoffs[part][left]
            num_written = to.stop
        levels.append(level)
    kept_words = [words[number] for number in np.flatnonzero(orders[0].grams["count"] >= 0)]
    return NgramModel(kept_words, levels, unit)
