"""Text files are read line by line, and a bad line stops nothing."""

from pathlib import Path

import pytest

from linnet.core.errors import TextError
from linnet.text import lines as module
from linnet.text.lines import read_lines


def test_lines_come_with_their_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE_BYTES", 12)
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\n  two \n\xff\n" + b"x" * 30 + b"\nlast")
    found = list(read_lines(path))
    assert [text for _, text in found if isinstance(text, str)] == ["one", "two", "last"]
    assert [where for where, _ in found] == [f"{path}, line {number}" for number in (1, 3, 4, 5, 6)]
    problems = [str(text) for _, text in found if isinstance(text, TextError)]
    assert "line 4: is not UTF-8: invalid start byte at byte 1" in problems[0]
    assert "line 5: the line is longer than 12 bytes" in problems[1]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"gone\.txt: cannot be read"):
        list(read_lines(tmp_path / "gone.txt"))
