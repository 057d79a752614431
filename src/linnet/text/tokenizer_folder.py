"""A tokenizer on disk, in the layout of NeMo's process_asr_text_tokenizer.py.

tokenizer_spe_bpe_v128/     tokenizer.model, tokenizer.vocab (piece, score), vocab.txt (in BERT's notation)
tokenizer_spe_unigram_v128/ likewise
tokenizer_wpe_v128/         vocab.txt
tokenizer_char_v28/         vocab.txt, one letter a line; likewise tevr
tokenizer_byte_v256/        no pieces: bytes are bytes

linnet adds linnet.yaml, which NeMo does not read: the kind and the normalizer. Where it is missing, a folder
with tokenizer.model is of SentencePiece and one with vocab.txt alone of BERT, as in NeMo.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import yaml
from pydantic import BaseModel, ConfigDict

from linnet.core.config import load_config
from linnet.core.errors import ConfigError, TextError
from linnet.core.files import write_text
from linnet.text.sentencepiece_model import MAX_MODEL_BYTES, load_processor, read_pieces
from linnet.text.vocabulary import MAX_TOKENS_BYTES, TokenizerKind
from linnet.text.wordpiece import to_bert

MODEL_FILE = "tokenizer.model"
SCORES_FILE = "tokenizer.vocab"
PIECES_FILE = "vocab.txt"
ABOUT_FILE = "linnet.yaml"


class TokenizerAbout(BaseModel):
    """What linnet.yaml says of a tokenizer.

    Attributes:
        kind: how its pieces are used.
        normalizer: the normalizer of the texts it was trained on; "" when unknown.
        normalizer_version: its version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: TokenizerKind
    normalizer: str = ""
    normalizer_version: str = ""


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """A tokenizer as it is read and written.

    Attributes:
        about: its kind and normalizer.
        pieces: as in `TokenizerConfig`.
        model: the bytes of tokenizer.model; empty for all but SentencePiece.
    """

    about: TokenizerAbout
    pieces: tuple[str, ...]
    model: bytes = b""


def read_tokenizer_folder(folder: Path) -> TokenizerFiles:
    """Read a tokenizer that `linnet tokenizer train` or NeMo wrote.

    Raises:
        TextError: when it is none, or a file is missing, damaged or too large.
        MissingDependencyError: when it is of SentencePiece, which is not installed.
    """
    about = _read_about(folder)
    if about.kind == "byte":
        return TokenizerFiles(about, ())
    if about.kind != "sentencepiece":
        return TokenizerFiles(about, _read_lines(folder / PIECES_FILE))
    model = _read(folder / MODEL_FILE, MAX_MODEL_BYTES)
    try:
        return TokenizerFiles(about, read_pieces(model), model)
    except TextError as error:
        raise TextError(error.what, where=str(folder / MODEL_FILE), remedy=error.remedy) from None


def check_free(folder: Path) -> None:
    """Say before any work that `write_tokenizer_folder` would refuse a folder.

    Raises:
        TextError: when something is there.
    """
    if folder.exists():
        raise TextError(
            "there is something here already",
            where=str(folder),
            remedy="Choose another output, or remove it if no model needs it",
        )


def write_tokenizer_folder(folder: Path, files: TokenizerFiles) -> None:
    """Write a tokenizer into a new folder, which appears whole or not at all.

    Raises:
        TextError: when something is there.
    """
    check_free(folder)
    staging = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}")
    staging.mkdir(parents=True)
    try:
        _write_pieces(staging, files)
        about = files.about.model_dump(mode="json")
        write_text(staging / ABOUT_FILE, yaml.safe_dump(about, sort_keys=False, allow_unicode=True))
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_pieces(folder: Path, files: TokenizerFiles) -> None:
    pieces = files.pieces
    if files.model:
        processor = load_processor(files.model)
        scores = [f"{piece}\t{processor.get_score(at):g}" for at, piece in enumerate(files.pieces)]
        _write_lines(folder / SCORES_FILE, scores)
        (folder / MODEL_FILE).write_bytes(files.model)
        spoken = [piece for at, piece in enumerate(pieces) if not _is_special(processor, at)]
        pieces = tuple(map(to_bert, spoken))
    if files.about.kind != "byte":
        _write_lines(folder / PIECES_FILE, pieces)


def _is_special(processor: object, token_id: int) -> bool:
    """Tell the unknown piece and control symbols, which NeMo leaves out of vocab.txt."""
    return any(getattr(processor, question)(token_id) for question in ("is_unknown", "is_control"))


def _write_lines(path: Path, lines: tuple[str, ...] | list[str]) -> None:
    write_text(path, "".join(f"{line}\n" for line in lines))


def _read_about(folder: Path) -> TokenizerAbout:
    if (folder / ABOUT_FILE).is_file():
        try:
            return load_config(TokenizerAbout, folder / ABOUT_FILE)
        except ConfigError as error:
            raise TextError(error.what, where=error.where, remedy="Train the tokenizer again") from None
    if (folder / MODEL_FILE).is_file():
        return TokenizerAbout(kind="sentencepiece")
    if (folder / PIECES_FILE).is_file():
        return TokenizerAbout(kind="wordpiece")
    what = (
        f"neither {MODEL_FILE} nor {PIECES_FILE} is in this folder"
        if folder.is_dir()
        else "there is no such folder"
    )
    raise TextError(what, where=str(folder), remedy="Give a folder that linnet tokenizer train or NeMo wrote")


def _read_lines(path: Path) -> tuple[str, ...]:
    try:
        text = _read(path, MAX_TOKENS_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(f"is not UTF-8: {error}", where=str(path), remedy="Save the file as UTF-8") from None
    return tuple(line.removesuffix("\r") for line in text.removesuffix("\n").split("\n"))


def _read(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        raise TextError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            remedy="Check the path, and whether you may read it",
        ) from None
    if len(data) > limit_bytes:
        raise TextError(
            f"has more than {limit_bytes} bytes",
            where=str(path),
            remedy="Give a folder that linnet tokenizer or NeMo wrote",
        )
    return data
