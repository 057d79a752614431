"""Binary files of KenLM: tries and probing hash tables are read, all else is refused by name."""

from pathlib import Path

import numpy as np

from linnet.core.errors import LanguageModelError
from linnet.lm.assembly import assemble
from linnet.lm.kenlm_file import KENLM_MAGIC, TRIE, KenlmFile
from linnet.lm.kenlm_probing import read_probing
from linnet.lm.kenlm_trie import read_trie
from linnet.lm.levels import NgramModel, Progress, Unit, no_progress

_REMEDY = "Give the ARPA file that it was made of"


def is_kenlm_binary(path: Path) -> bool:
    """Tell whether a file begins as a binary file of KenLM; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(KENLM_MAGIC)) == KENLM_MAGIC
    except OSError:
        return False


def read_kenlm_binary(path: Path, unit: Unit = "word", report: Progress = no_progress) -> NgramModel:
    """Read a file of KenLM, as `build_binary` and `build_binary trie` write it.

    Args:
        path: the file.
        unit: what the words of the model are.
        report: is told how far the work is.

    Raises:
        LanguageModelError: when it is of another kind or damaged, or not all of its hashes could be spelled.
    """
    try:
        file = KenlmFile(np.asarray(np.memmap(path, np.uint8, "r")))
        words, renumbered, orders = read_trie(file) if file.kind == TRIE else read_probing(file, report)
    except LanguageModelError as error:
        raise LanguageModelError(error.what, where=str(path), remedy=_REMEDY) from None
    except OSError as error:
        raise LanguageModelError(f"cannot be read: {error.strerror}", where=str(path)) from None
    for ngrams in orders:
        ngrams.words[:] = renumbered[ngrams.words]
    return assemble(words, orders, unit)
