"""The perplexity of texts under a model, counted as KenLM's `query` does."""

from dataclasses import dataclass

import numpy as np

from linnet.lm.packed import PackedModel
from linnet.lm.scoring import score_ngrams
from linnet.lm.sentences import Numbers, SentenceReader, Sentences
from linnet.lm.vocabulary import UNK, FixedVocabulary


@dataclass(slots=True)
class Perplexity:
    """Sums over a text; the end of each sentence counts as a word.

    Attributes:
        num_tokens: words and ends of sentences.
        num_unknown: those among them that the model does not know.
        log10_total: the log10 probability of all.
        log10_unknown: of the unknown ones.
    """

    num_tokens: int = 0
    num_unknown: int = 0
    log10_total: float = 0.0
    log10_unknown: float = 0.0

    @property
    def with_unknown(self) -> float:
        """The perplexity over all tokens."""
        return _perplexity(self.log10_total, self.num_tokens)

    @property
    def without_unknown(self) -> float:
        """The perplexity over the tokens that the model knows."""
        return _perplexity(self.log10_total - self.log10_unknown, self.num_tokens - self.num_unknown)


def _perplexity(log10_total: float, num_tokens: int) -> float:
    return float(10 ** (-log10_total / num_tokens)) if num_tokens else float("nan")


def measure_perplexity(model: PackedModel, reader: SentenceReader) -> Perplexity:
    """Return the perplexity of a text.

    Raises:
        LanguageModelError: when the text cannot be read.
    """
    found = Perplexity()
    for batch in reader.batches(FixedVocabulary(model.words())):
        scores = score_ngrams(model.tables, with_context(batch, model.order))
        unknown = batch.words == UNK
        found.num_tokens += len(scores)
        found.num_unknown += int(unknown.sum())
        found.log10_total += float(scores.sum())
        found.log10_unknown += float(scores[unknown].sum())
    return found


def with_context(batch: Sentences, order: int) -> Numbers:
    """Return each word behind those before it in its sentence: (n, order), -1 where there are none."""
    return np.column_stack([batch.before(distance) for distance in range(order - 1, -1, -1)])
