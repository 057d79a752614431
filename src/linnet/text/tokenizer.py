"""From text to the token ids a model learns, by the pieces of its vocabulary."""

import base64
import re
from difflib import get_close_matches
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Protocol, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from linnet.core.config_error import config_error
from linnet.core.errors import TextError
from linnet.text.fewest_pieces import FewestPieces
from linnet.text.sentencepiece_model import SentencePieceTokenizer
from linnet.text.tokenizer_folder import TokenizerFiles, read_tokenizer_folder
from linnet.text.unwritable import unknown, unknown_character, unwritable_at
from linnet.text.vocabulary import BOUNDARY, NUM_BYTES, TokenizerKind, Vocabulary, byte_piece, is_byte_piece
from linnet.text.wordpiece import SPECIAL_PIECES, from_bert

MAX_GROUP_CHARACTERS = 4

_WITHOUT_DEFAULT = set(get_args(TokenizerKind)) - {"char", "byte"}
_WORD = re.compile(r"\S+")
# What other toolkits call their tokens that are no text, such as <s>, </s> and [UNK]; never in a target.
_SPECIAL = re.compile(r"<[^<>\s]+>|\[[^\[\]\s]+\]")


class TokenizerConfig(BaseModel):
    """Which pieces a model writes with.

    Attributes:
        kind: "char" spells words letter by letter; "word" has one token for each word; "byte" writes UTF-8;
            "tevr" has groups of one to four letters; "wordpiece" cuts words as BERT does; "sentencepiece"
            runs a BPE or unigram model; "aggregate" has those of several languages one after the other.
        path: a folder of `linnet tokenizer train` or of NeMo, from which kind, pieces and model are taken.
            They are kept in its place, so that a checkpoint needs the folder no more.
        pieces: the letters or groups (without the space, which always is id 0, but with names in <> or [],
            which are no text), the words, the lines of BERT's vocab.txt, or the pieces of the SentencePiece
            model; none for bytes.
        sentencepiece_model: the file tokenizer.model in base64, for the kind "sentencepiece" only.
        skip_unknown: leave out words that the pieces cannot write, as keyword spotting wants, instead of
            refusing the text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TokenizerKind = "char"
    path: Path | None = Field(default=None, exclude=True)
    pieces: tuple[str, ...] = (*ascii_lowercase, "'")
    sentencepiece_model: str = Field(default="", repr=False)
    skip_unknown: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read_path(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        kind, path = data.get("kind"), data.get("path")
        if not isinstance(path, str | Path):
            if kind in _WITHOUT_DEFAULT and "pieces" not in data:
                raise ValueError(
                    f"kind {kind!r} needs `path`, the folder of a trained tokenizer, or `pieces`"
                )
            return {"pieces": (), **data} if kind == "byte" else data
        if given := {"pieces", "sentencepiece_model"} & data.keys():
            raise ValueError(f"`path` brings its own pieces; leave out {', '.join(sorted(given))}")
        files = read_tokenizer_folder(Path(path))
        if kind not in (None, files.about.kind):
            raise ValueError(f"kind is {kind!r}, but the tokenizer in {path} is of kind {files.about.kind!r}")
        return data | _config_values(files) | {"path": None}

    @model_validator(mode="after")
    def _check_pieces(self) -> Self:
        if bool(self.sentencepiece_model) != (self.kind == "sentencepiece"):
            raise ValueError("sentencepiece_model belongs to kind: sentencepiece, and to it only")
        if bool(self.pieces) == (self.kind == "byte"):
            raise ValueError("a vocabulary needs at least one piece, and that of bytes has its own")
        if self.kind == "aggregate" and self.skip_unknown:
            raise ValueError("skip_unknown is not for the pieces of several languages")
        for piece in () if self.kind in ("sentencepiece", "aggregate") else self.pieces:
            self._check_piece(piece)
        return self

    def _check_piece(self, piece: str) -> None:
        is_space = self.kind == "wordpiece" and piece == BOUNDARY  # NeMo's lists have it
        if not is_space and (piece == "" or BOUNDARY in piece or len(piece.split()) != 1):
            raise ValueError(f"piece {piece!r} must be one word without spaces or {BOUNDARY!r}")
        if is_byte_piece(piece):
            raise ValueError(f"piece {piece!r} is the name of a byte; for bytes say kind: byte")
        if _SPECIAL.fullmatch(piece):
            return
        if self.kind == "char" and len(piece) > 1:
            raise ValueError(f"piece {piece!r} is not a single letter; for whole words say kind: word")
        if self.kind == "tevr" and len(piece) > MAX_GROUP_CHARACTERS:
            raise ValueError(f"piece {piece!r} is longer than {MAX_GROUP_CHARACTERS} letters")


def _config_values(files: TokenizerFiles) -> dict[str, Any]:
    model = base64.b64encode(files.model).decode("ascii")
    return {"kind": files.about.kind, "pieces": files.pieces, "sentencepiece_model": model}


class Tokenizer(Protocol):
    """What turns text into token ids."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The pieces behind the ids."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalized text; raises TextError on what the pieces cannot write.

        What it does return, `vocabulary.decode` turns into the same words with single spaces.
        """
        ...


def build_tokenizer(config: TokenizerConfig) -> Tokenizer:
    """Build the tokenizer that `config` describes.

    Raises:
        TextError: when a piece appears twice.
    """
    if config.kind == "byte":
        return ByteTokenizer(skip_unknown=config.skip_unknown)
    if config.kind == "sentencepiece":
        return SentencePieceTokenizer(
            config.sentencepiece_model, config.pieces, skip_unknown=config.skip_unknown
        )
    if config.kind == "aggregate":
        return FewestPieces(Vocabulary(config.pieces, repeats=True))
    return PieceTokenizer(config)


def tokenizer_of(files: TokenizerFiles, where: str) -> Tokenizer:
    """Build the tokenizer of a folder that was read from `where`.

    Raises:
        ConfigError: when its pieces are no vocabulary.
        TextError: when a piece appears twice.
    """
    try:
        return build_tokenizer(TokenizerConfig.model_validate(_config_values(files)))
    except ValidationError as error:
        raise config_error(error, TokenizerConfig, where) from None


class PieceTokenizer:
    """Takes the longest piece that fits, word by word from the left.

    Words of letters or groups have id 0 (the space) between them, as in NeMo; whole words and BERT's word
    pieces begin with their space.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        self._config = config
        self._separated = config.kind in ("char", "tevr")
        if self._separated:
            pieces = (BOUNDARY, *config.pieces)
        elif config.kind == "word":
            pieces = tuple(BOUNDARY + word for word in config.pieces)
        else:
            pieces = tuple(map(from_bert, config.pieces))
        self.vocabulary = Vocabulary(pieces)
        unspoken = {BOUNDARY, *filter(_SPECIAL.fullmatch, pieces)} if self._separated else SPECIAL_PIECES
        self._ids = {piece: token_id for token_id, piece in enumerate(pieces) if piece not in unspoken}
        self._longest = max(map(len, pieces))

    def encode(self, text: str) -> list[int]:
        """Return the ids of a normalized text.

        Raises:
            TextError: on a word the pieces cannot write, unless the config says to skip such words.
        """
        ids: list[int] = []
        for match in _WORD.finditer(text):
            tokens, num_written = self._split(match[0])
            if num_written == len(match[0]):
                ids += [0, *tokens] if ids and self._separated else tokens
            elif not self._config.skip_unknown:
                raise self._error(match, num_written)
        return ids

    def _split(self, word: str) -> tuple[list[int], int]:
        """Give the ids of a word and how many of its characters they write."""
        prefix = "" if self._separated else BOUNDARY
        if (at := unwritable_at(word)) is not None:
            return [], at
        marked, ids, start = prefix + word, [], 0
        while start < len(marked):
            ends = range(min(start + self._longest, len(marked)), start, -1)
            end = next((end for end in ends if marked[start:end] in self._ids), None)
            if end is None:
                break
            ids.append(self._ids[marked[start:end]])
            start = end
        return ids, max(0, start - len(prefix))

    def _error(self, match: re.Match[str], at: int) -> TextError:
        word = match[0]
        if self._config.kind != "word":
            return unknown_character(match.string, word, match.start() + at)
        near = get_close_matches(BOUNDARY + word, self._ids, n=1)
        hint = f"Did you mean {near[0].removeprefix(BOUNDARY)!r}? " if near else ""
        return unknown(f"the word {word!r}", match.string, match.start(), hint)


class ByteTokenizer:
    """Writes the bytes of UTF-8: each is its own id, and that of the space is "▁"."""

    def __init__(self, *, skip_unknown: bool = False) -> None:
        self.vocabulary = Vocabulary(
            tuple(BOUNDARY if byte == ord(" ") else byte_piece(byte) for byte in range(NUM_BYTES))
        )
        self._skip_unknown = skip_unknown

    def encode(self, text: str) -> list[int]:
        """Return the bytes of a normalized text.

        Raises:
            TextError: on "▁" and on half a surrogate pair, unless such words are to be skipped.
        """
        words = []
        for match in _WORD.finditer(text):
            at = unwritable_at(match[0])
            if at is None:
                words.append(match[0])
            elif not self._skip_unknown:
                raise unknown_character(text, match[0], match.start() + at)
        return list(" ".join(words).encode("utf-8"))
