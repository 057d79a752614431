"""Spoken numbers become digits, and only they."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.text.numbers import SpokenNumber, find_numbers

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"]
BELOW_20 = [*DIGITS, *TEENS, "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def say(number: int, joiner: str) -> str:
    """The number in English words; `joiner` ("" or "and") stands before the part below one hundred."""
    if number < 20:
        return BELOW_20[number]
    if number < 100:
        rest = f" {BELOW_20[number % 10]}" if number % 10 else ""
        return TENS[number // 10 - 2] + rest
    scale, word = (1000, "thousand") if number >= 1000 else (100, "hundred")
    count, rest_value = divmod(number, scale)
    middle = f" {joiner}" if joiner and rest_value < 100 else ""
    return f"{say(count, joiner)} {word}" + (f"{middle} {say(rest_value, joiner)}" if rest_value else "")


def spoken_to_digits(text: str) -> str:
    """The text with what `find_numbers` finds as digits, and all other words as they are."""
    words = text.split()
    for number in reversed(find_numbers(words)):
        words[number.start : number.end] = [number.digits]
    return " ".join(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("eight nine six", "896"),
        ("zero zero seven", "007"),
        ("oh", "0"),
        ("oh two oh", "020"),
        ("double four", "44"),
        ("one double oh triple seven", "100777"),
        ("twenty one", "21"),
        ("forty five six", "456"),
        ("twenty double five", "2055"),
        ("nineteen eighty four", "1984"),
        ("nineteen oh one", "1901"),
        ("twenty twenty", "2020"),
        ("nineteen hundred", "1900"),
        ("twenty one hundred", "2100"),
        ("two hundred and five", "205"),
        ("a hundred", "100"),
        ("a thousand and one", "1001"),
        ("a hundred thousand", "100000"),
        ("seven thousand and two", "7002"),
        ("two thousand nineteen", "2019"),
        ("eight hundred ninety six thousand", "896000"),
        ("one hundred and one thousand", "101000"),
        ("EIGHT Nine", "89"),
    ],
)
def test_a_number(text: str, expected: str) -> None:
    assert spoken_to_digits(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call four one one now", "call 411 now"),
        ("two and three", "2 and 3"),
        ("one hundred and", "100 and"),
        ("one hundred and one hundred", "100 and 100"),
        ("one hundred two hundred", "100 200"),
        ("one hundred two thousand three", "102003"),
        ("one thousand two hundred thousand", "1000 200000"),
        ("one eight hundred five five five one two one two", "1 800 5551212"),
        ("eight hundred twenty five six", "800 256"),
        ("five hundred double two", "500 22"),
    ],
)
def test_where_one_number_ends(text: str, expected: str) -> None:
    assert spoken_to_digits(text) == expected


@pytest.mark.parametrize(
    "text",
    ["oh no", "oh oh really", "a hen", "several hundred", "double", "triple and double", "sand thousand"],
)
def test_words_that_are_no_numbers_stay(text: str) -> None:
    assert spoken_to_digits(text) == text


def test_double_before_what_it_cannot_double_stays() -> None:
    assert spoken_to_digits("double twenty") == "double 20"
    assert spoken_to_digits("double five hundred") == "double 500"


@pytest.mark.parametrize("joiner", ["", "and"])
def test_every_number_said_in_words_comes_back(joiner: str) -> None:
    numbers = [*range(2000), *range(2000, 1_000_000, 997), 999_999]
    wrong = [number for number in numbers if spoken_to_digits(say(number, joiner)) != str(number)]
    assert wrong == []


@given(st.integers(0, 999_999), st.sampled_from(["", "and"]), st.sampled_from(["", "the", "please"]))
def test_numbers_come_back_among_words(number: int, joiner: str, word: str) -> None:
    assert spoken_to_digits(f"{word} {say(number, joiner)} {word}") == f"{word} {number} {word}".strip()


@given(st.text("0123456789", min_size=1))
def test_digits_said_one_by_one_come_back(digits: str) -> None:
    assert spoken_to_digits(" ".join(DIGITS[int(digit)] for digit in digits)) == digits


def test_find_numbers_says_which_words_they_are() -> None:
    words = ["pay", "two", "hundred", "and", "five", "to", "six", "oh"]
    assert find_numbers(words) == [SpokenNumber(1, 5, "205"), SpokenNumber(6, 8, "60")]
