"""Texts that are missing, empty, damaged or repeated, and speech rates by robust statistics."""

from collections.abc import Callable, Sequence

import pytest

from linnet.manifest.checks_text import MIN_RATES, check_texts
from linnet.manifest.findings import Finding, Line

LineMaker = Callable[..., Line]


def codes(findings: Sequence[Finding]) -> list[tuple[int, str]]:
    return [(finding.line, finding.code) for finding in findings]


def test_a_manifest_without_texts_is_one_note(make_line: LineMaker) -> None:
    assert codes(check_texts([make_line(None, 1), make_line(None, 2)])) == [(0, "unlabelled")]
    assert check_texts([]) == []


def test_one_text_that_is_missing_is_an_error(make_line: LineMaker) -> None:
    assert codes(check_texts([make_line("hello there", 1), make_line(None, 2)])) == [(2, "missing-text")]


@pytest.mark.parametrize("text", ["", " ", "...", "—"])
def test_a_text_without_a_word_is_empty(make_line: LineMaker, text: str) -> None:
    assert codes(check_texts([make_line(text)])) == [(1, "empty-text")]


@pytest.mark.parametrize("text", ["caf\ufffd au lait", "two\x00words", "a\udce9b", "a\ue000b"])
def test_damaged_characters_are_named(make_line: LineMaker, text: str) -> None:
    (finding,) = check_texts([make_line(text)])
    assert finding.code == "damaged-text"
    assert "U+" in finding.what


@pytest.mark.parametrize("text", ["größe", "नमस्ते", "a\u0301 b\tc", "soft\u00adware", "👋 hi", "می‌خواهم"])
def test_characters_of_any_language_are_sound(make_line: LineMaker, text: str) -> None:
    assert check_texts([make_line(text)]) == []


def test_texts_are_equal_whatever_their_case_and_punctuation(make_line: LineMaker) -> None:
    lines = [make_line("Well, no.", 3), make_line("yes", 4), make_line("well no", 7)]
    (finding,) = check_texts(lines)
    assert (finding.line, finding.code) == (7, "duplicate-text")
    assert "line 3" in finding.what


def rates(make_line: LineMaker, last_s: float, count: int) -> list[Line]:
    """Give lines of ten letters in about a second each, and one in `last_s`."""
    lines = [
        make_line(f"{number:010}", number, duration_s=1.0 + number % 5 / 10) for number in range(1, count)
    ]
    return [*lines, make_line("abcde fghij", count, duration_s=last_s)]


@pytest.mark.parametrize(
    ("last_s", "code"),
    [(1.2, None), (2.4, None), (0.6, None), (8.0, "odd-rate"), (0.3, "odd-rate"), (0.19, "impossible-rate")],
)
def test_rates_far_from_the_median_are_odd(make_line: LineMaker, last_s: float, code: str | None) -> None:
    found = codes(check_texts(rates(make_line, last_s, count=60)))
    assert found == ([(60, code)] if code else [])


def test_few_lines_have_no_usual_rate(make_line: LineMaker) -> None:
    assert check_texts(rates(make_line, 8.0, count=MIN_RATES - 1)) == []
    assert codes(check_texts(rates(make_line, 0.1, count=2))) == [(2, "impossible-rate")]
