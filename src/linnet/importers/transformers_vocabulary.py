"""The tokens of a CTC model of transformers, and which rows of its head are theirs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError
from linnet.importers.transformers_folder import VOCABULARY, read_json
from linnet.text.tokenizer import MAX_GROUP_CHARACTERS, TokenizerConfig

TOKENIZER, ADDED = "tokenizer_config.json", "added_tokens.json"
DELIMITER = "|"
_ID = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class OutputTokens:
    """What the outputs of a model mean.

    Attributes:
        tokenizer: the pieces after the space.
        order: the rows of the head in our order: the space, the pieces, the blank.
    """

    tokenizer: TokenizerConfig
    order: tuple[int, ...]


def read_vocabulary(folder: Path, num_outputs: int, blank_id: int) -> OutputTokens:
    """Read the tokens of a folder.

    Letters come in lower case where that keeps them apart, as linnet's normalizers write texts.

    Args:
        folder: of transformers.
        num_outputs: of the head, the blank among them.
        blank_id: the token that stands for CTC's blank.

    Raises:
        CheckpointError: when tokens are missing, have one id, or are not what a CTC model writes with.
    """
    where = str(folder / VOCABULARY)
    about = read_json(folder / TOKENIZER) if (folder / TOKENIZER).is_file() else {}
    tokens = _tokens(folder, about, where)
    missing = [index for index in range(num_outputs) if index not in tokens]
    if missing or not 0 <= blank_id < num_outputs:
        what = f"there is no token for output {missing[0]}" if missing else f"pad_token_id is {blank_id}"
        raise CheckpointError(f"{what}, and the model has {num_outputs}", where=where)
    padding = _text(about.get("pad_token"))
    if padding not in (None, tokens[blank_id]):
        raise CheckpointError(
            f"the padding, which is CTC's blank, is {shorten(padding)} here and "
            f"{shorten(tokens[blank_id])} in config.json",
            where=str(folder / TOKENIZER),
        )
    delimiter = _text(about.get("word_delimiter_token")) or DELIMITER
    return output_tokens([tokens[index] for index in range(num_outputs)], blank_id, delimiter, where)


def output_tokens(tokens: Sequence[str], blank_id: int, delimiter: str, where: str) -> OutputTokens:
    """Tell letters, blank and space of the outputs of a head apart.

    Args:
        tokens: in the order of the outputs.
        blank_id: which of them is CTC's blank.
        delimiter: the one that stands between words.
        where: what messages call the file.

    Raises:
        CheckpointError: when none stands between words, or one is no token of a CTC model.
    """
    spaces = [index for index, token in enumerate(tokens) if token == delimiter and index != blank_id]
    if len(spaces) != 1:
        raise CheckpointError(
            f"no output is the space between words, {shorten(delimiter)}",
            where=where,
            remedy="Models of sounds or of scripts without spaces are not read",
        )
    others = [index for index in range(len(tokens)) if index not in (blank_id, spaces[0])]
    tokenizer = _tokenizer(_lowered([tokens[index] for index in others]), where)
    return OutputTokens(tokenizer, (spaces[0], *others, blank_id))


def _tokens(folder: Path, about: Mapping[str, Any], where: str) -> dict[int, str]:
    """Gather the tokens by id, also those that were added later."""
    found: dict[str, Any] = dict(read_json(folder / VOCABULARY))
    if any(isinstance(value, dict) for value in found.values()):
        raise CheckpointError(
            "holds the tokens of several languages",
            where=where,
            remedy="Save the model with one language, in transformers with tokenizer.set_target_lang(…)",
        )
    if (folder / ADDED).is_file():
        found |= read_json(folder / ADDED)
    decoder = about.get("added_tokens_decoder")
    for token_id, token in (decoder if isinstance(decoder, dict) else {}).items():
        if (text := _text(token)) is not None and _ID.fullmatch(token_id):
            found.setdefault(text, int(token_id))
    tokens: dict[int, str] = {}
    for token, token_id in found.items():
        if not isinstance(token_id, int) or isinstance(token_id, bool) or token_id < 0:
            raise CheckpointError(f"the id of {shorten(token)} is {shorten(token_id)}", where=where)
        if tokens.setdefault(token_id, token) != token:
            raise CheckpointError(
                f"{shorten(token)} and {shorten(tokens[token_id])} have one id, {token_id}", where=where
            )
    return tokens


def _text(token: Any) -> str | None:
    """Give a token that is written as it is, or with what its tokenizer does to the space around it."""
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else None


def _lowered(tokens: list[str]) -> list[str]:
    lowered = [token.lower() if len(token.lower()) == len(token) else token for token in tokens]
    return lowered if len(set(lowered)) == len(set(tokens)) else tokens


def _tokenizer(pieces: list[str], where: str) -> TokenizerConfig:
    for kind in ("char", "tevr"):
        try:
            return TokenizerConfig.model_validate({"kind": kind, "pieces": pieces})
        except ValidationError as error:
            problem = config_error(error, TokenizerConfig, where).what
    raise CheckpointError(
        problem,
        where=where,
        remedy=f"Tokens are letters, groups of up to {MAX_GROUP_CHARACTERS}, or names in <> or []",
    )
