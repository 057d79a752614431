"""Files are replaced whole or not at all, and read in lines of bounded length."""

import errno
import io
import os
from pathlib import Path

import pytest

from linnet.core.files import bounded_lines, new_directory, replacing, write_text


def test_a_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "old\n")
    with replacing(path) as temporary:
        temporary.write_text("new\n", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old\n"
        assert temporary.suffix == ".txt"
    assert path.read_text(encoding="utf-8") == "new\n"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old\n")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("ne", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text(encoding="utf-8") == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as full, replacing(tmp_path / "a.txt"):
        Path("/dev/full").write_text("new", encoding="utf-8")
    assert full.value.filename == str(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [(), ("hidden/a",), ("source", None, "hidden/a")])
def test_a_full_disk_is_told_with_the_name_of_the_folder(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(OSError, match="full") as full, new_directory(tmp_path / "model"):
        raise OSError(errno.ENOSPC, "full", *names)
    assert (full.value.filename, full.value.filename2) == (str(tmp_path / "model"), None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_the_mode_is_what_an_ordinary_file_gets(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "")
    (tmp_path / "b.txt").write_text("", encoding="utf-8")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_line_ends_are_the_same_everywhere(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "é\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\nb\n".encode()


def test_the_rest_of_a_long_line_is_dropped() -> None:
    lines = list(bounded_lines(io.BytesIO(b"one\n" + b"x" * 25 + b"\ntwo\n\nlast"), 5))
    assert lines == [b"one\n", b"xxxxxx", b"two\n", b"\n", b"last"]
