"""Conditions: each keeps and leaves out what it says, with its reason."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from linnet.manifest.filter import chars_per_s, filter_utterances
from linnet.manifest.filter_config import FilterConfig
from linnet.manifest.utterance import Utterance


@pytest.mark.parametrize(
    ("conditions", "kept", "left_out", "reason", "detail"),
    [
        ({"min_duration_s": 2.0}, {"duration_s": 2.0}, {"duration_s": 1.99}, "below 2 s", "1.99"),
        ({"max_duration_s": 2.0}, {"duration_s": 2.0}, {"duration_s": 2.5}, "above 2 s", "2.50"),
        ({"min_chars_per_s": 3.0}, {"text": "a b"}, {"text": "ab"}, "below 3 characters per second", "2.00"),
        (
            {"max_chars_per_s": 3.0},
            {"text": "a b"},
            {"text": "a bc"},
            "above 3 characters per second",
            "4.00",
        ),
        ({"chars": "abc"}, {"text": "a cab"}, {"text": "café"}, "characters that are not allowed", "'f' 'é'"),
        ({"chars": ""}, {"text": " "}, {"text": "a"}, "characters that are not allowed", "'a'"),
        ({"speaker": ("ada", "bo")}, {"speaker": "bo"}, {"speaker": "cy"}, "another speaker", "'cy'"),
        ({"speaker": ("ada",)}, {"speaker": "ada"}, {}, "another speaker", "unknown"),
        ({"match": ("^h", "o$")}, {"text": "hello"}, {"text": "hell"}, "no match of 'o$'", ""),
        ({"match": ("",)}, {"text": ""}, {"text": None}, "no text", ""),
        ({"min_chars_per_s": 0.0}, {"text": ""}, {"text": None}, "no text", ""),
    ],
)
def test_each_condition(
    conditions: dict[str, Any],
    kept: dict[str, Any],
    left_out: dict[str, Any],
    reason: str,
    detail: str,
    make_utterance: Callable[..., Utterance],
) -> None:
    good, bad = make_utterance(**kept), make_utterance(**left_out)
    selection = filter_utterances([bad, good, bad], FilterConfig(**conditions))
    assert selection.kept == [good]
    assert [(each.utterance, each.reason, each.detail) for each in selection.left_out] == [
        (bad, reason, detail)
    ] * 2
    assert selection.reasons() == [(reason, 2, pytest.approx(2 * bad.duration_s))]


def test_without_conditions_all_is_kept(make_utterance: Callable[..., Utterance]) -> None:
    utterances = [make_utterance(text=None), make_utterance(text="")]
    assert filter_utterances(utterances, FilterConfig()).kept == utterances


def test_many_foreign_characters_are_cut_short(make_utterance: Callable[..., Utterance]) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(500))
    (left_out,) = filter_utterances([make_utterance(text=text)], FilterConfig(chars="a")).left_out
    assert left_out.detail.endswith(" …")
    assert len(left_out.detail) < 100


def test_characters_per_second_count_the_spaces(make_utterance: Callable[..., Utterance]) -> None:
    assert chars_per_s(make_utterance(text="a bc", duration_s=2.0)) == 2.0
    assert chars_per_s(make_utterance(text=None)) is None


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"min_duration_s": 7, "max_duration_s": 3}, "min_duration_s is 7 and max_duration_s 3"),
        ({"min_chars_per_s": 7, "max_chars_per_s": 3}, "nothing would be kept"),
        ({"match": ("a", "(")}, "'\\(' is not a regular expression"),
        ({"max_duration_s": 0}, "greater than 0"),
    ],
)
def test_conditions_that_cannot_be_met_are_refused(conditions: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        FilterConfig(**conditions)
