"""Spoken English numbers to digits: "eight nine six" → 896, "two hundred and five" → 205.

Each word is coded as one letter, and two patterns over these letters are the grammar:

    cardinal   a number said with hundred or thousand, up to 999,999. It stands alone.
               "seven thousand and two" → 7002, "nineteen hundred" → 1900, "a hundred" → 100
    string     numbers below one hundred, zero, oh, double X and triple X in a row. Their digits join.
               "oh two double four" → 0244, "nineteen eighty four" → 1984, "forty five six" → 456

One number after a cardinal belongs to it, a string of several does not: "eight hundred five" → 805, but
"eight hundred five five" → 800 55. "and" joins only after hundred and thousand. "oh" is a zero beside another
number or when nothing else is said, else an exclamation. All other words stay as they are, bare "hundred" and
"point" among them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_UNITS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten",
    "eleven",
    "twelve",
    *(stem + "teen" for stem in ("thir", "four", "fif", "six", "seven", "eigh", "nine")),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = (
    {"zero": 0, "oh": 0}
    | {word: value for value, word in enumerate(_UNITS + _TEENS, start=1)}
    | dict(zip(_TENS, range(20, 100, 10), strict=True))
)
_REPEATS = {"double": 2, "triple": 3}
_CODES = (
    dict.fromkeys(("zero", "oh"), "Z")
    | dict.fromkeys(_UNITS, "U")
    | dict.fromkeys(_TEENS, "T")
    | dict.fromkeys(_TENS, "Y")
    | dict.fromkeys(_REPEATS, "D")
    | {"hundred": "H", "thousand": "K", "and": "&", "a": "a"}
)
_OTHER = "."

_BELOW_100 = "(?>YU?|T|U)"
_TAIL = f"(?:&{_BELOW_100}(?![HK])|{_BELOW_100}(?![HKUTYZD]))"
_THOUSANDS = f"(?:[aU]H(?:&?{_BELOW_100})?|a|{_BELOW_100})K(?:&?UH{_TAIL}?(?!K)|{_TAIL})?"
_HUNDREDS = f"(?:a|{_BELOW_100})H{_TAIL}?"
_NUMBER = re.compile(
    f"(?P<cardinal>{_THOUSANDS}|{_HUNDREDS})|(?P<string>(?:D[ZU](?![HK])|Z|{_BELOW_100}(?![HK]))+)"
)


@dataclass(frozen=True, slots=True)
class SpokenNumber:
    """A number found among words.

    Attributes:
        start: the index of its first word.
        end: one past the index of its last word.
        digits: the number as digits; leading zeros of a digit string are kept.
    """

    start: int
    end: int
    digits: str


def find_numbers(words: Sequence[str]) -> list[SpokenNumber]:
    """Find the spoken numbers among `words` (one plain word each), in order and without overlap."""
    lowered = [word.lower() for word in words]
    codes = "".join(_CODES.get(word, _OTHER) for word in lowered)
    numbers = []
    for match in _NUMBER.finditer(codes):
        spoken = lowered[match.start() : match.end()]
        if len(spoken) < len(words) and set(spoken) == {"oh"}:
            continue
        digits = str(_cardinal_value(spoken)) if match["cardinal"] else _string_digits(spoken)
        numbers.append(SpokenNumber(match.start(), match.end(), digits))
    return numbers


def _cardinal_value(words: Sequence[str]) -> int:
    thousands = below_thousand = 0
    for word in words:
        if word == "hundred":
            below_thousand = max(below_thousand, 1) * 100
        elif word == "thousand":
            thousands, below_thousand = max(below_thousand, 1) * 1000, 0
        else:
            below_thousand += _VALUES.get(word, 0)  # "a" and "and" add nothing
    return thousands + below_thousand


def _string_digits(words: Sequence[str]) -> str:
    digits = ""
    for previous, word in zip(("", *words), words, strict=False):
        if previous in _TENS and word in _UNITS:
            digits = digits[:-1]  # "forty" "five": the zero of 40 gives way
        if word in _VALUES:
            digits += str(_VALUES[word]) * _REPEATS.get(previous, 1)
    return digits
