"""Groups of letters even out how much a token tells."""

from collections import Counter

import pytest

from linnet.text import tevr
from linnet.text.tevr import choose_groups, letter_surprises

# "qu" always stands together, what follows it does not; "ing" closes many words.
WORDS = Counter(
    f"{start}{vowel}{end}"
    for start in ("qu", "b", "t", "s", "qu")
    for vowel in "aeio"
    for end in ("ing", "t", "l", "")
)


def spread(words: Counter[str], groups: list[str]) -> float:
    """The variance of the bits of a token over the square of their mean, longest groups first."""
    surprises, bits = letter_surprises(words), []
    for word, count in words.items():
        start = 0
        while start < len(word):
            size = next(
                (n for n in (4, 3, 2) if word[start : start + n] in groups and start + n <= len(word)), 1
            )
            bits += [sum(surprises[word][start : start + size])] * count
            start += size
    mean = sum(bits) / len(bits)
    return sum((each - mean) ** 2 for each in bits) / len(bits) / mean**2


def test_a_letter_that_follows_from_the_one_before_tells_little() -> None:
    surprises = letter_surprises(WORDS)["quing"] if "quing" in WORDS else letter_surprises(WORDS)["quaing"]
    assert surprises[1] < 0.5 < surprises[0]
    assert surprises[2] > 1


def test_the_surprise_of_a_certain_word_is_small_and_of_a_fair_choice_its_bits() -> None:
    certain = letter_surprises({"aaaa": 1000})["aaaa"]
    assert sum(certain) == pytest.approx(0, abs=0.1)
    fair = letter_surprises(dict.fromkeys("abcdefgh", 1000))
    assert fair["a"][0] == pytest.approx(3, abs=0.05)


def test_groups_even_out_the_tokens() -> None:
    groups = choose_groups(WORDS, 6)
    assert "qu" in groups
    assert all(2 <= len(group) <= 4 for group in groups)
    assert groups == sorted(groups, key=len, reverse=True)
    assert spread(WORDS, groups) < 0.7 * spread(WORDS, [])


def test_the_mean_is_that_of_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups chosen against the mean of single letters leave more unevenness."""
    text = "the other brother gathers there another thing together whether the weather bothers either mother"
    words = Counter(text.split())
    even = spread(words, choose_groups(words, 8))
    monkeypatch.setattr(tevr, "NUM_ROUNDS", 1)
    assert even < spread(words, choose_groups(words, 8)) < spread(words, [])


def test_groups_share_the_number_as_in_the_paper() -> None:
    words = Counter(
        f"{a}{b}{c}{d}{e}" for a in "bdfg" for b in "aeio" for c in "lmnr" for d in "aeio" for e in "st"
    )
    groups = choose_groups(words, 27)
    assert len(groups) <= 27
    assert max(Counter(map(len, groups)).values(), default=0) <= 27
    assert choose_groups(words, 27) == groups


def test_no_group_where_nothing_can_be_gained() -> None:
    assert choose_groups({}, 5) == []
    assert choose_groups({"a": 1, "b": 1}, 5) == []
