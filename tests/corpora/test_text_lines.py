"""Text files of corpora: numbered lines, and what cannot be read."""

from pathlib import Path

from linnet.corpora.entry import Skipped
from linnet.corpora.text_lines import MAX_LINE_BYTES, numbered_lines, read_table


def test_lines_have_numbers_and_bad_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "text"
    long = b"a" * (3 * MAX_LINE_BYTES)
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n  two \ncaf\xe9\n" + long + b"\nsix\n" + long)
    problems: list[Skipped] = []
    assert list(numbered_lines(path, problems)) == [(1, "one"), (3, "two"), (6, "six")]
    assert [problem.what.rpartition(", ")[2] for problem in problems] == ["line 4", "line 5", "line 7"]
    assert problems[1].reason == f"longer than {MAX_LINE_BYTES} bytes"


def test_a_file_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    problems: list[Skipped] = []
    assert list(numbered_lines(tmp_path / "none", problems)) == []
    assert problems[0].reason == "cannot be read (No such file or directory)"


def test_tables_split_at_the_first_space_or_tab(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("a one\ttwo\nb\tone two\nc\n a  spaced  out \n")
    problems: list[Skipped] = []
    assert read_table(tmp_path / "t", problems) == {"a": "one\ttwo", "b": "one two", "c": ""}
    assert problems == [Skipped(f"{tmp_path / 't'}, line 4", "a stands here a second time")]
