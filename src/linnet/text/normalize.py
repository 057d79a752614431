"""Named, versioned rules that bring text to the form a model is trained and scored on."""

import re
import unicodedata
from collections.abc import Callable
from difflib import get_close_matches

from linnet.core.errors import TextError

# A version grows whenever a rule gives another text, so that figures are only compared like with like.
NORMALIZERS = {"none": "1", "basic": "1"}

_APOSTROPHES = "’‘ʼ`´"
_LOOSE_APOSTROPHES = re.compile(r"'{2,}|(?<!\S)'|'(?!\S)")


def normalize(text: str, name: str) -> str:
    """Bring `text` to the form that the normalizer called `name` describes.

    "none" changes nothing. "basic" applies Unicode NFKC and lower case, keeps letters, marks, digits and the
    apostrophes inside words, and turns all else into single spaces.

    Raises:
        TextError: when there is no such normalizer.
    """
    normalizer_version(name)
    return _RULES[name](text)


def normalizer_version(name: str) -> str:
    """Return the version of a normalizer, for reports.

    Raises:
        TextError: when there is no such normalizer.
    """
    if name not in NORMALIZERS:
        near = get_close_matches(name, NORMALIZERS, n=1)
        remedy = f"Choose one of {', '.join(NORMALIZERS)}" + (f"; did you mean {near[0]!r}?" if near else "")
        raise TextError(f"there is no text normalizer {name!r}", remedy=remedy)
    return NORMALIZERS[name]


class _BasicCharacters(dict[int, str]):
    """A table for str.translate that fills itself: what "basic" makes of each character."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character == "'" or character in _APOSTROPHES:
            kept = "'"
        elif character == "\u00ad":  # soft hyphen: a place where a line may break, inside a word
            kept = ""
        else:
            kept = character if unicodedata.category(character)[0] in "LMN" else " "
        self[code] = kept
        return kept


_BASIC_CHARACTERS = _BasicCharacters()


def _basic(text: str) -> str:
    # NFKC makes a space of some apostrophes, so they are taken before it, and all other characters after it.
    plain = unicodedata.normalize("NFKC", text.translate({ord(mark): "'" for mark in _APOSTROPHES}))
    lowered = unicodedata.normalize("NFKC", plain.lower()).translate(_BASIC_CHARACTERS)
    return " ".join(_LOOSE_APOSTROPHES.sub(" ", lowered).split())


_RULES: dict[str, Callable[[str], str]] = {"none": str, "basic": _basic}
