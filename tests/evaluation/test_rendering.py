"""Alignments stand in columns, whatever the width of their letters, and facts name the recipe."""

import math
from dataclasses import replace

from rich.cells import cell_len

from linnet.evaluation.rendering import aligned_lines, facts
from linnet.evaluation.report import EvaluationReport, Interval
from linnet.metrics.alignment import Alignment, align

REPORT = EvaluationReport(
    model="digits",
    normalizer="basic",
    normalizer_version="1",
    results=(),
    failures=(),
    interval=Interval(
        low=0.021, high=0.0345, level=0.95, over="speaker", num_drawn=6, num_resamples=1000, seed=0
    ),
    recognition_s=0.0,
    num_worst=10,
)


def aligned(reference: str, hypothesis: str) -> Alignment:
    return align(reference.split(), hypothesis.split())


def test_columns_stand_below_each_other() -> None:
    (lines,) = aligned_lines(aligned("one two three nine", "one too three four nine"), 80)
    assert lines == (
        "one two three **** nine",
        "one too three four nine",
        "    S         I",
    )


def test_wide_letters_keep_the_columns() -> None:
    (lines,) = aligned_lines(aligned("你好 a", "你 a"), 80)
    assert cell_len(lines[0]) == cell_len(lines[1])
    assert lines[2] == "S"


def test_long_alignments_break_between_words() -> None:
    rows = list(aligned_lines(aligned("aaaa bbbb cccc", "aaaa bbbb"), 10))
    assert rows == [("aaaa bbbb", "aaaa bbbb", ""), ("cccc", "****", "D")]


def test_a_word_wider_than_the_line_is_not_cut() -> None:
    assert list(aligned_lines(aligned("a" * 30, "a" * 30), 10)) == [("a" * 30, "a" * 30, "")]


def test_nothing_to_align_is_no_line() -> None:
    assert list(aligned_lines(Alignment(()), 10)) == []


def test_facts_name_normalizer_and_interval() -> None:
    found = facts(REPORT)
    assert found["normalizer"] == "basic, version 1"
    assert found["95% interval"] == "2.10% to 3.45% (bootstrap over 6 speakers)"


def test_an_unknown_interval_is_said_to_be_so() -> None:
    unknown = replace(REPORT, interval=replace(REPORT.interval, low=math.nan, high=math.nan))
    assert facts(unknown)["95% interval"].startswith("cannot be estimated")
