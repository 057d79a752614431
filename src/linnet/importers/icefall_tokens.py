"""The pieces of a model of icefall from the files that its recipes leave beside it."""

from pathlib import Path

from linnet.core.errors import CheckpointError, TextError
from linnet.text.sentencepiece_model import MAX_MODEL_BYTES, load_processor
from linnet.text.vocabulary import BLANK, BOUNDARY, MAX_TOKENS_BYTES

TOKENS_FILE, MODEL_FILE = "tokens.txt", "bpe.model"
_FOLDERS = ("lang_bpe_*", "lang_char*", "lang_*")  # in data/, beside exp/
_DISAMBIGUATION = "#"


def read_pieces_beside(checkpoint: Path, num_tokens: int) -> tuple[str, ...]:
    """Find the pieces of a model, without the blank, which is token 0 in icefall.

    Args:
        checkpoint: tokens.txt or bpe.model are in its folder, or in data/lang_…/ beside that folder.
        num_tokens: V, the outputs of the model with the blank.

    Raises:
        CheckpointError: when there are none, or they do not fit the model.
        MissingDependencyError: when there is a bpe.model alone and sentencepiece is not installed.
    """
    path = _find(checkpoint)
    pieces = _numbered(path) if path.name == TOKENS_FILE else _of_model(path)
    if len(pieces) != num_tokens:
        raise CheckpointError(f"lists {len(pieces)} tokens, the model has {num_tokens}", where=str(path))
    if pieces[0] not in (BLANK, "<blank>", "<eps>"):
        raise CheckpointError(f"token 0 is {pieces[0]!r}, not the blank", where=str(path))
    return tuple(pieces[1:])


def _find(checkpoint: Path) -> Path:
    folder = checkpoint.parent
    data = folder.resolve().parent / "data"
    folders = [folder, *(found for pattern in _FOLDERS for found in sorted(data.glob(pattern)))]
    for name in (TOKENS_FILE, MODEL_FILE):
        for each in folders:
            if (each / name).is_file():
                return each / name
    raise CheckpointError(
        f"there is no {TOKENS_FILE} or {MODEL_FILE} beside the model",
        where=str(checkpoint),
        remedy="Copy the one of its recipe (data/lang_bpe_500/) there",
    )


def _numbered(path: Path) -> list[str]:
    """Read `piece id` lines, but for the symbols that Kaldi's tools put behind the tokens (#0)."""
    content = _content(path, MAX_TOKENS_BYTES)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise CheckpointError("is not UTF-8", where=str(path)) from None
    by_id: dict[int, str] = {}
    for number, line in enumerate(lines, start=1):
        piece, _, token_id = line.strip().rpartition(" ")
        if not token_id.isdecimal() or len(token_id) > 9 or int(token_id) in by_id:
            raise CheckpointError(
                f"{line[:80]!r} is no piece with an id of its own", where=f"{path}, line {number}"
            )
        if not (piece.startswith(_DISAMBIGUATION) and piece[1:].isdecimal()):
            by_id[int(token_id)] = piece.strip() or BOUNDARY
    if not by_id or sorted(by_id) != list(range(len(by_id))):
        raise CheckpointError("its ids do not count from 0 without a gap", where=str(path))
    return [by_id[token_id] for token_id in range(len(by_id))]


def _of_model(path: Path) -> list[str]:
    try:
        processor = load_processor(_content(path, MAX_MODEL_BYTES))
    except TextError as error:
        raise CheckpointError(error.what, where=str(path), remedy=error.remedy) from None
    return [processor.id_to_piece(token_id) for token_id in range(processor.get_piece_size())]


def _content(path: Path, limit_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(content) > limit_bytes:
        raise CheckpointError(f"is larger than {limit_bytes} bytes", where=str(path))
    return content
