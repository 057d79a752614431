"""The vocabulary of a NeMo model: letters from its configuration, or the tokenizer among its artifacts."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError, TextError
from linnet.importers.section import SAVE_AGAIN, Section
from linnet.text.sentencepiece_model import read_pieces
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer
from linnet.text.vocabulary import BOUNDARY
from linnet.text.wordpiece import CONTINUATION, SPECIAL_PIECES

SPACE = " "


def char_tokenizer(labels: Any, where: str) -> TokenizerConfig:
    """Turn a list of labels into a tokenizer with the same ids.

    linnet's letters begin with the space, as NeMo's English models do. Other lists (the space elsewhere or
    missing, as in Chinese; labels of several letters) are kept as word pieces, which gives the same texts.

    Raises:
        CheckpointError: when they are no vocabulary.
    """
    if (
        not isinstance(labels, list)
        or not labels
        or not all(isinstance(label, str) and label for label in labels)
    ):
        raise CheckpointError(
            f"vocabulary: {shorten(labels)} is no list of labels", where=where, remedy=SAVE_AGAIN
        )
    if labels[0] == SPACE and all(len(label) == 1 for label in labels[1:]) and len(labels) > 1:
        values: dict[str, Any] = {"kind": "char", "pieces": tuple(labels[1:])}
    else:
        pieces = [BOUNDARY if label == SPACE else CONTINUATION + label for label in labels]
        values = {"kind": "wordpiece", "pieces": tuple(pieces)}
    return _checked(values, where)


def subword_tokenizer(
    section: Section, read_artifact: Callable[[str], bytes], listed: Sequence[Any], where: str
) -> TokenizerConfig:
    """Turn the tokenizer section into a tokenizer with its artifacts inside.

    Args:
        section: the keys under `tokenizer`.
        read_artifact: gives the file that a value points to.
        listed: the vocabulary that the decoder lists, [] when it does not.
        where: what messages call the file.

    Raises:
        CheckpointError: when the tokenizer is of a kind without a counterpart, damaged, or another than the
            decoder's list says.
    """
    kind = section.take("type", str).lower()
    if kind == "agg":
        return _aggregate(section, read_artifact, where)
    if kind == "bpe":
        return _sentencepiece(read_artifact(_artifact_of(section, "model_path", "tokenizer.model")), where)
    if kind == "wpe":
        content = read_artifact(_artifact_of(section, "vocab_path", "vocab.txt"))
        return _wordpiece(content, listed, where)
    raise CheckpointError(
        f"the tokenizer is of the unknown type {kind!r}", where=where, remedy="The types are bpe, wpe and agg"
    )


def _aggregate(section: Section, read_artifact: Callable[[str], bytes], where: str) -> TokenizerConfig:
    """Put the pieces of several languages one after the other, in the order of the file, as NeMo does."""
    if section.get("custom_tokenizer") is not None:
        raise CheckpointError(
            "the tokenizer has a class of its own (custom_tokenizer)",
            where=where,
            remedy="Of sets of tokenizers, those of the types bpe and wpe are read",
        )
    languages = Section(section.get("langs"), f"{where}, tokenizer, langs")
    pieces: list[str] = []
    for name in languages.names:
        one = Section(languages.get(name), f"{languages.where}, {name}")
        if one.take("type", str).lower() == "agg":
            raise CheckpointError(
                "a set of tokenizers inside of another",
                where=one.where,
                remedy="List all languages in one set",
            )
        pieces += build_tokenizer(subword_tokenizer(one, read_artifact, [], one.where)).vocabulary.pieces
    return _checked({"kind": "aggregate", "pieces": tuple(pieces)}, where)


def normalizer_of(pieces: Sequence[str]) -> str:
    """Choose the normalizer of texts in these pieces: none where they have capitals or punctuation."""
    spoken = [piece for piece in pieces if piece not in SPECIAL_PIECES]
    plain = all(piece == piece.lower() and set(piece).isdisjoint(".,?!") for piece in spoken)
    return "basic" if plain else "none"


def _artifact_of(section: Section, key: str, default_name: str) -> str:
    """Find the member of a tokenizer file; the first versions of NeMo named only their folder."""
    value = section.get(key)
    return value if isinstance(value, str) and value else f"nemo:{default_name}"


def _sentencepiece(model: bytes, where: str) -> TokenizerConfig:
    try:
        pieces = read_pieces(model)
    except TextError as error:
        raise CheckpointError(f"tokenizer.model: {error.what}", where=where, remedy=error.remedy) from None
    encoded = base64.b64encode(model).decode("ascii")
    return _checked({"kind": "sentencepiece", "pieces": pieces, "sentencepiece_model": encoded}, where)


def _wordpiece(content: bytes, listed: Sequence[Any], where: str) -> TokenizerConfig:
    """Read BERT's vocab.txt; special pieces that it lacks and BERT added behind it are in the list."""
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise CheckpointError("vocab.txt is not UTF-8", where=where, remedy=SAVE_AGAIN) from None
    pieces = [line.rstrip("\r") for line in lines]
    if len(listed) > len(pieces) and list(listed[: len(pieces)]) == pieces:
        pieces = [str(piece) for piece in listed]
    return _checked({"kind": "wordpiece", "pieces": tuple(pieces)}, where)


def _checked(values: dict[str, Any], where: str) -> TokenizerConfig:
    try:
        config = TokenizerConfig.model_validate(values)
        build_tokenizer(config)
    except ValidationError as error:
        problem = config_error(error, TokenizerConfig, where).what
    except TextError as error:
        problem = error.what
    else:
        return config
    raise CheckpointError(f"its vocabulary cannot be used: {problem}", where=where, remedy=SAVE_AGAIN)
