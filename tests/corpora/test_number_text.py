"""Texts of spoken numbers."""

import random
from collections import Counter

import pytest

from linnet.corpora.number_text import (
    GROUPINGS,
    NUMBER_WORDS,
    cardinal_words,
    group_sizes,
    sample_digit_text,
    sample_number_text,
)


@pytest.mark.parametrize(
    ("value", "use_and", "words"),
    [
        (0, False, "zero"),
        (7, False, "seven"),
        (10, False, "ten"),
        (19, False, "nineteen"),
        (20, False, "twenty"),
        (42, False, "forty two"),
        (100, True, "one hundred"),
        (906, False, "nine hundred six"),
        (906, True, "nine hundred and six"),
        (1000, True, "one thousand"),
        (1001, True, "one thousand and one"),
        (2300, True, "two thousand three hundred"),
        (896_000, False, "eight hundred ninety six thousand"),
        (896_012, True, "eight hundred and ninety six thousand and twelve"),
        (
            999_999,
            False,
            "nine hundred ninety nine thousand nine hundred ninety nine",
        ),
    ],
)
def test_cardinals_are_read_as_people_read_them(value: int, use_and: bool, words: str) -> None:
    assert " ".join(cardinal_words(value, use_and=use_and)) == words


def test_the_sampler_uses_the_vocabulary_and_all_of_it() -> None:
    rng = random.Random(0)
    counts = Counter(word for _ in range(3000) for word in sample_number_text(rng).text.split())
    assert set(counts) == set(NUMBER_WORDS)
    assert min(counts.values()) >= 50


def test_equal_seeds_give_equal_texts() -> None:
    first, second = random.Random(5), random.Random(5)
    assert [sample_number_text(first) for _ in range(50)] == [sample_number_text(second) for _ in range(50)]


def test_most_texts_are_digit_strings() -> None:
    rng = random.Random(1)
    other = {*NUMBER_WORDS[10:30]}  # ten to thousand
    texts = [set(sample_number_text(rng).text.split()) for _ in range(2000)]
    assert 0.5 < sum(words.isdisjoint(other) for words in texts) / len(texts) < 0.75


def test_digit_texts_hold_only_what_a_digit_voice_can_say() -> None:
    rng = random.Random(2)
    words = {word for _ in range(500) for word in sample_digit_text(rng).text.split()}
    assert words == {*NUMBER_WORDS[:10], "oh", "double", "triple"}


def test_a_text_is_its_groups_joined() -> None:
    number = sample_number_text(random.Random(3))
    assert number.text == " ".join(number.groups)


@pytest.mark.parametrize("num_digits", range(1, 17))
def test_groups_hold_all_digits(num_digits: int) -> None:
    rng = random.Random(num_digits)
    for _ in range(20):
        sizes = group_sizes(num_digits, rng)
        assert sum(sizes) == num_digits
        assert min(sizes) >= 1


def test_the_groupings_of_telephone_numbers_add_up() -> None:
    for num_digits, groupings in GROUPINGS.items():
        assert {sum(sizes) for sizes in groupings} == {num_digits}
