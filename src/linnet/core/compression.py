"""Opening files, here or at a URL, that gzip or zstd may have compressed, for reading and writing."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from linnet.core.errors import LinnetError
from linnet.core.optional import require
from linnet.core.remote import as_url, open_url

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_CHUNK_BYTES = 1 << 10  # unpacks to at most 32 MB: a block of zstd is 4 bytes or more and gives 128 kB


@contextmanager
def open_decompressed(
    location: str | os.PathLike[str], what: str, raising: type[LinnetError]
) -> Iterator[BinaryIO]:
    """Open a file for reading; its first bytes, not its name, tell how it is compressed.

    Args:
        location: a path or a URL.
        what: what the file is, for the message: "manifest".
        raising: the class of the error, such as ManifestError.

    Raises:
        LinnetError: of the class `raising`, when the file cannot be read, also while the caller reads on.
        MissingDependencyError: when zstandard, or fsspec for a URL, is needed and not installed.
    """
    try:
        with _open_raw(location, raising) as raw:
            magic = raw.peek(len(_ZSTD_MAGIC))[: len(_ZSTD_MAGIC)]
            if magic.startswith(_GZIP_MAGIC):
                with gzip.open(raw) as file:
                    yield cast(BinaryIO, file)
            elif magic == _ZSTD_MAGIC:
                yield cast(BinaryIO, io.BufferedReader(_ZstdReader(raw)))
            else:
                yield raw
    except (OSError, EOFError, zlib.error) as error:
        raise raising(f"cannot read the {what}: {error}", where=os.fspath(location)) from error


@contextmanager
def create_compressed(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; the suffix tells how to compress. The same content gives the same bytes.

    Raises:
        MissingDependencyError: when zstandard is needed and not installed.
    """
    with path.open("wb") as raw:
        if path.suffix == ".gz":
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
                yield cast(BinaryIO, file)
        elif path.suffix == ".zst":
            zstandard = require("zstandard", extra="zstd", purpose="writing .zst files")
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as file:
                yield cast(BinaryIO, file)
        else:
            yield raw


def _open_raw(
    location: str | os.PathLike[str], raising: type[LinnetError]
) -> AbstractContextManager[io.BufferedReader]:
    url = as_url(location)
    return open_url(url, raising) if url else Path(location).open("rb")


class _ZstdReader(io.RawIOBase):
    """The content of zstd frames; a cut frame is an EOFError, which zstandard's own reader passes over."""

    def __init__(self, raw: BinaryIO) -> None:
        super().__init__()
        self._raw = raw
        self._zstandard = require("zstandard", extra="zstd", purpose="reading .zst files")
        self._frame: Any = None
        self._content = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._content:
            packed = self._raw.read(_ZSTD_CHUNK_BYTES)
            if not packed and self._frame:
                raise EOFError("the zstd file is cut off")
            if not packed:
                return 0
            self._content = memoryview(self._unpack(packed))
        count = min(len(buffer), len(self._content))
        buffer[:count], self._content = self._content[:count], self._content[count:]
        return count

    def _unpack(self, packed: bytes) -> bytes:
        """Unpack a chunk, which may end one frame and begin the next."""
        content = b""
        while packed:
            self._frame = self._frame or self._zstandard.ZstdDecompressor().decompressobj()
            try:
                content += self._frame.decompress(packed)
            except self._zstandard.ZstdError as error:
                raise OSError(str(error)) from error
            packed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        return content
