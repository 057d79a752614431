"""SentencePiece models: trained, read with care, and used to encode."""

import base64
import binascii
import io
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from linnet.core.errors import TextError
from linnet.core.optional import require
from linnet.text.unwritable import unknown, unknown_character, unwritable_at
from linnet.text.vocabulary import Vocabulary, is_byte_piece

MAX_MODEL_BYTES = 16 * 2**20

_NUM_THREADS = 4  # fixed, because the sums of the unigram model depend on it
_MIN_SENTENCE_BYTES = 4192  # SentencePiece leaves out longer texts without a word
_QUIET = 3
_WORD = re.compile(r"\S+")


class SentencePieceTokenizer:
    """Encodes by a SentencePiece model (Kudo and Richardson 2018), whose own rules may not change the text.

    The vocabulary is known without the package sentencepiece, which only `encode` needs.

    Args:
        model: the file tokenizer.model in base64.
        pieces: its pieces, by id.
        skip_unknown: leave out words that it cannot write.
    """

    def __init__(self, model: str, pieces: Sequence[str], *, skip_unknown: bool) -> None:
        self.vocabulary = Vocabulary(tuple(pieces))
        self._base64 = model
        self._skip_unknown = skip_unknown

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalized text.

        Raises:
            TextError: on a word the model cannot write as it stands, unless such words are to be skipped, and
                when the model is damaged.
            MissingDependencyError: when sentencepiece is not installed.
        """
        words = text.split()
        ids = self._encode(words)
        if ids is None and self._skip_unknown:
            ids = self._encode([word for word in words if self._encode([word]) is not None])
        if ids is None:
            raise self._error(text)
        return ids

    def _encode(self, words: Sequence[str]) -> list[int] | None:
        """Return the ids, or None when they would not say the same."""
        if any(unwritable_at(word) is not None for word in words):
            return None
        text = " ".join(words)
        ids: list[int] = self._processor.encode(text)
        is_same = self._processor.unk_id() not in ids and self.vocabulary.decode(ids) == text
        return ids if is_same else None

    def _error(self, text: str) -> TextError:
        """Name the first word that cannot be written, and its first character where that alone cannot."""
        for match in _WORD.finditer(text):
            word, start = match[0], match.start()
            for at, character in enumerate(word):
                if unwritable_at(character) is not None or self._processor.encode(character)[-1:] == [
                    self._processor.unk_id()
                ]:
                    return unknown_character(text, word, start + at)
            if self._encode([word]) is None:
                made = self.vocabulary.decode(self._processor.encode(word))
                return unknown(f"the word {word!r}; its own rules make {made!r} of it", text, start)
        return unknown("a way to write these words beside each other", text, 0)

    @cached_property
    def _processor(self) -> Any:
        try:
            model = base64.b64decode(self._base64, validate=True)
        except binascii.Error:
            raise TextError("the SentencePiece model is not in base64", remedy=_TRAIN_AGAIN) from None
        processor = load_processor(model)
        if _pieces_of(processor) != self.vocabulary.pieces:
            raise TextError("the SentencePiece model has other pieces than its list", remedy=_TRAIN_AGAIN)
        return processor


def read_pieces(model: bytes) -> tuple[str, ...]:
    """Return the pieces of a SentencePiece model by id.

    Raises:
        TextError: when it is damaged, too large, or has a piece that no vocabulary can hold.
        MissingDependencyError: when sentencepiece is not installed.
    """
    processor = load_processor(model)
    pieces = _pieces_of(processor)
    for token_id, piece in enumerate(pieces):
        if is_byte_piece(piece) != processor.is_byte(token_id):
            raise TextError(
                f"piece {token_id}, {piece!r}, is the name of a byte and none", remedy=_TRAIN_AGAIN
            )
    return Vocabulary(pieces).pieces


def load_processor(model: bytes) -> Any:
    """Load the file tokenizer.model.

    Raises:
        TextError: when it is damaged or too large.
        MissingDependencyError: when sentencepiece is not installed.
    """
    sentencepiece = _sentencepiece()
    if len(model) > MAX_MODEL_BYTES:
        raise TextError(f"a SentencePiece model has at most {MAX_MODEL_BYTES} bytes, not {len(model)}")
    try:
        processor = sentencepiece.SentencePieceProcessor(model_proto=model) if model else None
    except RuntimeError:
        processor = None
    if processor is None or processor.get_piece_size() == 0:
        raise TextError("the SentencePiece model is damaged", remedy=_TRAIN_AGAIN)
    return processor


def train_model(
    texts: Sequence[str], model_type: Literal["bpe", "unigram"], vocab_size: int, *, exact: bool = True
) -> bytes:
    """Train a SentencePiece model as NeMo does, but without rules that change the text.

    Args:
        texts: normalized texts.
        model_type: "bpe" (Sennrich et al. 2016) or "unigram" (Kudo 2018).
        vocab_size: the number of pieces, the unknown one included.
        exact: refuse when the texts do not give so many pieces; otherwise take what they give.

    Returns:
        The file tokenizer.model.

    Raises:
        TextError: when the texts give too few pieces or have too many characters for `vocab_size`.
        MissingDependencyError: when sentencepiece is not installed.
    """
    sentencepiece = _sentencepiece()
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            model_type=model_type,
            vocab_size=vocab_size,
            hard_vocab_limit=exact,
            character_coverage=1.0,
            normalization_rule_name="identity",
            bos_id=-1,
            eos_id=-1,
            pad_id=-1,
            max_sentence_length=max([_MIN_SENTENCE_BYTES, *(len(text.encode()) + 1 for text in texts)]),
            num_threads=_NUM_THREADS,
            minloglevel=_QUIET,
        )
    except RuntimeError as error:
        raise _training_error(str(error), vocab_size) from None
    _check_characters(load_processor(model.getvalue()), texts)
    return model.getvalue()


def _check_characters(processor: Any, texts: Sequence[str]) -> None:
    """Make sure that training left out no character: SentencePiece drops texts with those it reserves."""
    lacking = [
        each
        for each in sorted(set("".join(texts)) - {" "})
        if processor.piece_to_id(each) == processor.unk_id()
    ]
    if lacking:
        raise TextError(
            f"SentencePiece cannot learn the character {lacking[0]!r}",
            remedy="Normalize the texts, or choose the type char",
        )


def _training_error(message: str, vocab_size: int) -> TextError:
    if found := re.search(r"to a value <= (\d+)", message):
        return too_large(int(found[1]), vocab_size)
    if found := re.search(r"required_chars\. \d+ vs (\d+)", message):
        return too_small(int(found[1]), vocab_size)
    return TextError(f"SentencePiece cannot be trained on these texts: {message}")


def too_small(needed: int, vocab_size: int) -> TextError:
    """Say that the characters alone are more than the pieces asked for."""
    return TextError(
        f"the characters of the texts alone need {needed} pieces, not {vocab_size}",
        remedy="Ask for more pieces, or normalize the texts",
    )


def too_large(given: int, vocab_size: int) -> TextError:
    """Say that the texts do not give the pieces asked for."""
    return TextError(
        f"the texts give at most {given} pieces, not {vocab_size}", remedy="Ask for fewer, or bring more text"
    )


def _pieces_of(processor: Any) -> tuple[str, ...]:
    return tuple(processor.id_to_piece(token_id) for token_id in range(processor.get_piece_size()))


def _sentencepiece() -> Any:
    return require("sentencepiece", extra="text", purpose="a SentencePiece tokenizer")


_TRAIN_AGAIN = "Take a tokenizer.model that SentencePiece wrote, or train one with linnet tokenizer train"
