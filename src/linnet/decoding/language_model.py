"""A packed n-gram model as the beam search needs it: spellings of its words, or ids of tokens."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from linnet.core.errors import LanguageModelError
from linnet.decoding.lexicon import Records, build_lexicon
from linnet.lm.packed import PackedModel
from linnet.lm.scoring import LN_10
from linnet.lm.tables import Tables, log10_probs
from linnet.lm.vocabulary import SPECIAL_WORDS, UNK
from linnet.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """An n-gram model for a vocabulary.

    Attributes:
        packed: the file.
        lexicon: the spellings of its words, for a model of words.
        token_words: (V - 1,) the model's number of each token, for a model of tokens.
    """

    packed: PackedModel
    lexicon: Records | None = None
    token_words: NDArray[np.int32] | None = None

    @classmethod
    def load(cls, path: Path, vocabulary: Vocabulary) -> Self:
        """Open a file of `linnet lm`.

        Raises:
            LanguageModelError: when it is none, or one of tokens that this vocabulary does not have.
        """
        model = PackedModel(path)
        if model.header.unit == "word":
            return cls(model, lexicon=_lexicon(model))
        return cls(model, token_words=token_numbers(model, vocabulary))

    @property
    def ngrams(self) -> Tables:
        """The tables of the file."""
        return self.packed.tables

    def num_unknown(self, phrase: str) -> int:
        """Count the words of a phrase that it does not know; a model of tokens is not asked for words."""
        if self.lexicon is None:
            return 0
        return sum(self.packed.number(word.encode()) == UNK for word in phrase.split())

    @property
    def unknown(self) -> float:
        """The natural log-prob of a word, or token, that it does not know, without context."""
        return float(LN_10 * log10_probs(self.ngrams, 1, np.array([UNK]))[0])


def token_numbers(model: PackedModel, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Give the number in a model of tokens of each token of a vocabulary, (V - 1,).

    Raises:
        LanguageModelError: when it has none of them.
    """
    numbers = np.array([model.number(piece.encode()) for piece in vocabulary.pieces], np.int32)
    if np.all(numbers == UNK):
        raise LanguageModelError(
            f"it is a model of tokens ({model.header.unit}), and has none of this recognizer's",
            where=str(model.path),
            remedy="Build it with the recognizer's tokenizer: linnet lm build --tokenizer",
        )
    return numbers


def _lexicon(model: PackedModel) -> Records:
    words, first = model.words(), len(SPECIAL_WORDS)
    numbers = np.arange(first, len(words))
    return build_lexicon(words[first:], numbers, LN_10 * log10_probs(model.tables, 1, numbers))
