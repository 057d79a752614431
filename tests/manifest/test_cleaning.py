"""The clean manifest and the list of what it leaves out."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.core.errors import ManifestError
from linnet.manifest.cleaning import left_out_path, write_clean
from linnet.manifest.findings import Line, found, found_in

LineMaker = Callable[..., Line]


def test_a_line_with_several_errors_is_listed_once_with_all_reasons(
    tmp_path: Path, make_line: LineMaker
) -> None:
    lines = [make_line("one", 1), make_line("two", 2), make_line("three", 4, extra={"id": "x"})]
    findings = [
        found("silent-audio", lines[1], "nothing"),
        found("wrong-rate", lines[1], "8000"),
        found("odd-rate", lines[0], "slow"),  # a warning: the line stays
        found_in("bad-line", "train.jsonl", "not JSON", 3),
    ]
    assert write_clean(tmp_path / "clean.jsonl", lines, findings) == (2, 2)
    kept = [json.loads(line) for line in (tmp_path / "clean.jsonl").open(encoding="utf-8")]
    assert [line["text"] for line in kept] == ["one", "three"]
    assert kept[1]["id"] == "x"
    listed = [json.loads(line) for line in (tmp_path / "clean.left_out.jsonl").open(encoding="utf-8")]
    assert [entry["line"] for entry in listed] == [2, 3]
    assert [reason["code"] for reason in listed[0]["reasons"]] == ["silent-audio", "wrong-rate"]
    assert listed[1]["audio_filepath"] is None


def test_a_manifest_of_errors_is_not_written(tmp_path: Path, make_line: LineMaker) -> None:
    line = make_line("one")
    with pytest.raises(ManifestError, match="no line is without an error"):
        write_clean(tmp_path / "clean.jsonl", [line], [found("silent-audio", line, "nothing")])
    assert list(tmp_path.iterdir()) == []


def test_the_list_lies_beside_whatever_the_compression() -> None:
    assert left_out_path(Path("a/clean.jsonl.gz")) == Path("a/clean.left_out.jsonl")
    assert left_out_path(Path("a/v1.2.json")) == Path("a/v1.2.left_out.jsonl")
