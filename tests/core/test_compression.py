"""Compressed files: whole ones come back, damaged and cut ones are errors."""

import gzip
import sys
from pathlib import Path

import numpy as np
import pytest

from linnet.core.compression import create_compressed, open_decompressed
from linnet.core.errors import ManifestError, MissingDependencyError

CONTENT = b"\n".join(b"%x" % number for number in np.random.default_rng(0).integers(1 << 62, size=5000))


def read(path: Path) -> bytes:
    with open_decompressed(path, "manifest", ManifestError) as file:
        return file.read()


@pytest.mark.parametrize("content", [b"", b"\n", CONTENT, bytes(3_000_000)])
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_what_is_written_is_read_back(suffix: str, content: bytes, tmp_path: Path) -> None:
    if suffix == ".zst":
        pytest.importorskip("zstandard", reason="needs the extra zstd")
    path = tmp_path / f"a{suffix}"
    with create_compressed(path) as file:
        file.write(content)
    assert read(path) == content
    if len(content) > 100 and suffix:
        assert path.stat().st_size < len(content)


def test_files_joined_by_cat_are_read_whole(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="needs the extra zstd")
    for compress in (gzip.compress, zstandard.compress):
        (tmp_path / "joined").write_bytes(compress(CONTENT) + compress(b"\nend"))
        assert read(tmp_path / "joined") == CONTENT + b"\nend"


def test_a_cut_or_damaged_file_is_an_error(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard", reason="needs the extra zstd")
    for whole in (gzip.compress(CONTENT), zstandard.compress(CONTENT)):
        middle = len(whole) // 2
        for damaged in (whole[:middle], whole[:6], whole[:20] + b"\xff" * 99 + whole[119:], whole + b"junk"):
            (tmp_path / "damaged").write_bytes(damaged)
            with pytest.raises(ManifestError, match="damaged: cannot read the manifest: "):
                read(tmp_path / "damaged")


def test_the_remedy_is_named_where_zstandard_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    path = tmp_path / "a.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(20))
    with pytest.raises(MissingDependencyError, match=r"pip install 'linnet\[zstd\]'"):
        read(path)
    with pytest.raises(MissingDependencyError), create_compressed(path):
        pass
