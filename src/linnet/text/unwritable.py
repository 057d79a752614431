"""What the pieces of a model cannot write, named with its place in the text."""

from linnet.core.errors import TextError
from linnet.text.vocabulary import BOUNDARY, is_half_a_pair

MAX_SHOWN_CHARACTERS = 80


def unwritable_at(word: str) -> int | None:
    """Find the first character of a word that no pieces at all can write, or return None.

    These are "▁", which would be read as a space, and halves of surrogate pairs.
    """
    return next((at for at, each in enumerate(word) if each == BOUNDARY or is_half_a_pair(each)), None)


def unknown_character(text: str, word: str, at: int) -> TextError:
    """Say which character is lacking; `at` is its place in `text`, counted from 0."""
    return unknown(f"the character {text[at]!r} of the word {word!r}", text, at)


def unknown(what: str, text: str, at: int, hint: str = "") -> TextError:
    """Say what the vocabulary lacks and where it stands in `text`."""
    shown = text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"
    return TextError(
        f"the vocabulary lacks {what}",
        where=f"text {shown!r}, character {at + 1}",
        remedy=f"{hint}Normalize the text, add the piece, or set skip_unknown to leave such words out",
    )
