"""The normalizer "basic": lower case, letters, marks, digits and the apostrophes inside words."""

import re
import unicodedata

_APOSTROPHES = "’‘ʼ`´"
_TO_APOSTROPHE = {ord(mark): "'" for mark in _APOSTROPHES}
_LOOSE_APOSTROPHES = re.compile(r"'{2,}|(?<!\S)'|'(?!\S)")


def basic(text: str) -> str:
    """Fold, and turn all but letters, marks, digits and the apostrophes inside words into single spaces."""
    kept = fold(text).translate(_BASIC_CHARACTERS)
    return " ".join(_LOOSE_APOSTROPHES.sub(" ", kept).split())


def fold(text: str) -> str:
    """Apply Unicode NFKC and lower case, and make one of all apostrophes."""
    # NFKC makes a space of some apostrophes, so they are taken before it.
    plain = unicodedata.normalize("NFKC", text.translate(_TO_APOSTROPHE))
    return unicodedata.normalize("NFKC", plain.lower())


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
