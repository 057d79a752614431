"""Texts for spoken-number training: telephone numbers, digit strings, cardinals, years, as words.

Every sampled text uses only `NUMBER_WORDS`, the vocabulary of a spoken-number recognizer.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEEN_WORDS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
TENS_WORDS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBER_WORDS = (
    *DIGIT_WORDS,
    *TEEN_WORDS,
    *TENS_WORDS,
    "hundred",
    "thousand",
    "and",
    "oh",
    "double",
    "triple",
)

# How a telephone number of each length is commonly split when it is read aloud.
GROUPINGS: dict[int, tuple[tuple[int, ...], ...]] = {
    7: ((3, 4), (3, 2, 2), (7,)),
    8: ((4, 4), (2, 2, 2, 2), (3, 5)),
    9: ((3, 3, 3), (2, 3, 4), (5, 4)),
    10: ((3, 3, 4), (3, 3, 4), (3, 3, 4), (3, 3, 2, 2), (5, 5), (4, 3, 3), (2, 2, 2, 2, 2), (4, 6), (10,)),
    11: ((1, 3, 3, 4), (5, 6), (5, 3, 3), (3, 4, 4), (4, 3, 4)),
}


@dataclass(frozen=True, slots=True)
class NumberText:
    """A text to be spoken.

    Attributes:
        groups: runs of words; a speaker may pause between two groups.
    """

    groups: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words without the grouping."""
        return " ".join(self.groups)


def sample_number_text(rng: random.Random) -> NumberText:
    """Draw one text: about 60 % telephone numbers and digit strings, 25 % cardinals, 15 % other readings."""
    samplers: tuple[Callable[[random.Random], list[str]], ...] = (
        _telephone,
        _digit_string,
        _cardinals,
        _year,
        _pairs,
        _mixture,
    )
    sampler = rng.choices(samplers, weights=(40, 20, 25, 5, 5, 5))[0]
    return NumberText(tuple(sampler(rng)))


def sample_digit_text(rng: random.Random) -> NumberText:
    """Draw a telephone number or a digit string: only digit words, "oh", "double" and "triple"."""
    sampler = rng.choices((_telephone, _digit_string), weights=(2, 1))[0]
    return NumberText(tuple(sampler(rng)))


def group_sizes(num_digits: int, rng: random.Random) -> tuple[int, ...]:
    """Split a string of digits into the groups a reader would make."""
    if num_digits in GROUPINGS:
        return rng.choice(GROUPINGS[num_digits])
    size = rng.choice((num_digits, 2, 3, 4))
    full, rest = divmod(num_digits, size)
    return (size,) * full + ((rest,) if rest else ())


def cardinal_words(value: int, *, use_and: bool = False) -> list[str]:
    """Read a number from 0 to 999,999 in words.

    Args:
        value: the number.
        use_and: the British "and" before tens and units ("nine hundred and six").
    """
    assert 0 <= value < 1_000_000, value
    if value >= 1000:
        thousands, rest = divmod(value, 1000)
        words = [*cardinal_words(thousands, use_and=use_and), "thousand"]
        joint = ["and"] if use_and and 0 < rest < 100 else []
        return [*words, *joint, *(cardinal_words(rest, use_and=use_and) if rest else [])]
    if value >= 100:
        hundreds, rest = divmod(value, 100)
        joint = ["and"] if use_and and rest else []
        return [DIGIT_WORDS[hundreds], "hundred", *joint, *(_below_hundred(rest) if rest else [])]
    return _below_hundred(value)


def _below_hundred(value: int) -> list[str]:
    if value < 10:
        return [DIGIT_WORDS[value]]
    if value < 20:
        return [TEEN_WORDS[value - 10]]
    tens, units = divmod(value, 10)
    return [TENS_WORDS[tens - 2], *([DIGIT_WORDS[units]] if units else [])]


def _two_digits(rng: random.Random) -> int:
    # Ten to nineteen have a word each: drawn evenly they would be the rarest words of all.
    return rng.randint(10, 19) if rng.random() < 0.4 else rng.randint(20, 99)


def _random_digits(num_digits: int, rng: random.Random) -> list[int]:
    # Real numbers repeat a digit more often than chance; repeats are also what CTC finds hardest.
    repeat = rng.choice((0.0, 0.0, 0.25))
    digits: list[int] = []
    for _ in range(num_digits):
        digits.append(digits[-1] if digits and rng.random() < repeat else rng.randrange(10))
    return digits


def _digit_words(digits: list[int], zero: str, *, multiples: bool) -> list[str]:
    words: list[str] = []
    for digit, run in groupby(digits):
        word, count = (zero if digit == 0 else DIGIT_WORDS[digit]), len(list(run))
        if multiples and count in (2, 3):
            words += [("double", "triple")[count - 2], word]
        else:
            words += [word] * count
    return words


def _read_in_groups(digits: list[int], sizes: tuple[int, ...], rng: random.Random) -> list[str]:
    zero = rng.choice(("zero", "oh"))
    multiples = rng.random() < 0.3
    groups, start = [], 0
    for size in sizes:
        groups.append(" ".join(_digit_words(digits[start : start + size], zero, multiples=multiples)))
        start += size
    return groups


def _telephone(rng: random.Random) -> list[str]:
    num_digits = rng.choices((7, 8, 9, 10, 11), weights=(15, 5, 5, 60, 15))[0]
    return _read_in_groups(_random_digits(num_digits, rng), group_sizes(num_digits, rng), rng)


def _digit_string(rng: random.Random) -> list[str]:
    num_digits = rng.randint(1, 16)
    return _read_in_groups(_random_digits(num_digits, rng), group_sizes(num_digits, rng), rng)


def _cardinal(rng: random.Random) -> str:
    # Uniform over the number of digits, not over values: else nearly all would have six.
    value = rng.randrange(10 ** rng.randint(1, 6))
    if value >= 100 and rng.random() < 0.3:  # round numbers are what people say
        value -= value % 10 ** rng.randint(1, len(str(value)) - 1)
    elif value >= 10 and rng.random() < 0.3:
        value += _two_digits(rng) - value % 100
    return " ".join(cardinal_words(value, use_and=rng.random() < 0.4))


def _cardinals(rng: random.Random) -> list[str]:
    return [_cardinal(rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]


def _year(rng: random.Random) -> list[str]:
    century, year = divmod(rng.randint(1100, 2099), 100)
    if year == 0:
        return [" ".join([*_below_hundred(century), "hundred"])]
    zero = ["oh"] if year < 10 else []
    return [" ".join([*_below_hundred(century), *zero, *_below_hundred(year)])]


def _pairs(rng: random.Random) -> list[str]:
    return [" ".join(_below_hundred(_two_digits(rng))) for _ in range(rng.randint(1, 5))]


def _mixture(rng: random.Random) -> list[str]:
    parts = rng.sample((_digit_string, _cardinals, _pairs, _year), k=2)
    return [group for part in parts for group in part(rng)][:8]
