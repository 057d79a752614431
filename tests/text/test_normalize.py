"""Normalizers give the texts their descriptions promise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.core.errors import TextError
from linnet.text.normalize import NORMALIZERS, normalize, normalizer_version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \t\n", ""),
        ("Twenty-one, PLEASE!", "twenty one please"),
        ("don’t rock 'n' roll", "don't rock n roll"),
        ("‘Twas the “Dogs’ day", "twas the dogs day"),
        ("it''s", "it s"),
        ("ﬁve\u00a0ﾀ", "five タ"),
        ("co\u00adoperate", "cooperate"),
        ("हिन्दी", "हिन्दी"),
        ("snake_case 3.5", "snake case 3 5"),
        ("Ça va? ÉTÉ", "ça va été"),
    ],
)
def test_basic(text: str, expected: str) -> None:
    assert normalize(text, "basic") == expected


@given(st.text())
def test_basic_of_basic_changes_nothing(text: str) -> None:
    once = normalize(text, "basic")
    assert normalize(once, "basic") == once


@given(st.text())
def test_none_changes_nothing(text: str) -> None:
    assert normalize(text, "none") == text


def test_every_normalizer_works_and_has_a_version() -> None:
    for name in NORMALIZERS:
        assert normalize("one", name) == "one"
        assert normalizer_version(name)


def test_an_unknown_normalizer_is_named_with_the_nearest() -> None:
    with pytest.raises(TextError, match=r"no text normalizer 'basics'.*did you mean 'basic'"):
        normalize("one", "basics")
