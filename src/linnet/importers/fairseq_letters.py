"""The letters of a model of fairseq from the dictionary beside it."""

from pathlib import Path

from linnet.core.errors import CheckpointError
from linnet.importers.transformers_vocabulary import DELIMITER, OutputTokens, output_tokens
from linnet.text.vocabulary import MAX_TOKENS_BYTES

LETTERS_FILE = "dict.ltr.txt"
_REMEDY = "Copy the one that the model was fine-tuned with there"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")  # before the letters; the first is CTC's blank


def read_letters_beside(checkpoint: Path, num_outputs: int) -> OutputTokens:
    """Read dict.ltr.txt in the folder of a checkpoint: a letter and how often it was seen, line by line.

    Raises:
        CheckpointError: when there is none, or its letters are not those of the model.
    """
    path = checkpoint.parent / LETTERS_FILE
    where = str(path)
    if not path.is_file():
        raise CheckpointError(
            f"there is no {LETTERS_FILE} beside the model",
            where=str(checkpoint),
            remedy=_REMEDY,
        )
    if path.stat().st_size > MAX_TOKENS_BYTES:
        raise CheckpointError(f"has more than {MAX_TOKENS_BYTES:,} bytes", where=where, remedy=_REMEDY)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise CheckpointError("is not UTF-8", where=where, remedy=_REMEDY) from None
    tokens = [*SPECIAL, *(line.split(" ")[0] for line in lines if line)]
    if len(tokens) != num_outputs:
        raise CheckpointError(
            f"lists {len(tokens) - len(SPECIAL)} letters, and the model has {num_outputs - len(SPECIAL)}",
            where=where,
            remedy=_REMEDY,
        )
    return output_tokens(tokens, 0, DELIMITER, where)
