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


TRICKY = st.lists(
    st.one_of(
        st.text(max_size=4),
        st.text("0123456789,.:-$€£%°½ \u00ad\u0301'", max_size=6),
        st.sampled_from(
            ["mr", "Dr.", "kg", "°C", "1st", "'80s", "etc", "ё", "е\u0301\u0308", "й", "км", "№", "٣", "²"]
        ),
    ),
    max_size=8,
).map("".join)


@given(TRICKY)
def test_the_output_of_every_normalizer_is_its_own_fixed_point(text: str) -> None:
    for name in NORMALIZERS:
        once = normalize(text, name)
        assert normalize(once, name) == once, name


@given(TRICKY)
def test_the_output_of_all_but_none_is_words_with_single_spaces(text: str) -> None:
    for name in set(NORMALIZERS) - {"none"}:
        once = normalize(text, name)
        assert once == " ".join(once.split())
        assert once == normalize(once, "basic"), name


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
