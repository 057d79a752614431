"""Numbers written in digits, said in words of a language, by num2words."""

import re
from functools import lru_cache

from linnet.core.optional import require

MAX_NUMBER_DIGITS = 15  # longer strings of digits are codes, and are said digit by digit

_NOT_LETTERS = re.compile(r"[^\w']+")


def cardinal(digits: str, language: str) -> str:
    """Say a string of digits as a number, or digit by digit when it is no plain number.

    That is the case behind a leading zero and above `MAX_NUMBER_DIGITS` digits.

    Args:
        digits: 0 to 9, at least one.
        language: as num2words calls it.

    Raises:
        MissingDependencyError: when num2words is not installed.
    """
    if len(digits) > MAX_NUMBER_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return one_by_one(digits, language)
    return say(int(digits), language, "cardinal")


def one_by_one(digits: str, language: str) -> str:
    """Say each digit on its own."""
    return " ".join(say(int(digit), language, "cardinal") for digit in digits)


def ascii_digits(text: str) -> str:
    """Write the decimal digits of every script as 0 to 9."""
    return text if text.isascii() else re.sub(r"\d", lambda match: str(int(match[0])), text)


@lru_cache(maxsize=1 << 14)
def say(number: int | str, language: str, form: str) -> str:
    """Say a number, its words without hyphens and commas.

    Args:
        number: 0 or above; a text for decimals ("3.14").
        language: as num2words calls it.
        form: "cardinal", "ordinal" or "year".

    Raises:
        MissingDependencyError: when num2words is not installed.
    """
    num2words = require("num2words", extra="text", purpose="saying numbers in words")
    return _NOT_LETTERS.sub(" ", str(num2words.num2words(number, lang=language, to=form))).strip()
