"""Files: written so that a crash leaves the old one or the new one whole, and read in bounded lines."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:  # writing does not say to which file
            error.filename = str(path)
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def new_directory(directory: Path) -> Iterator[Path]:
    """Give a folder beside `directory` that takes its place when the block ends without an error."""
    staging = directory.with_name(f".{directory.name}.{uuid4().hex[:8]}")
    staging.mkdir(parents=True)
    try:
        yield staging
        _move_into_place(staging, directory)
    except OSError as error:
        if error.errno == errno.ENOSPC:  # of a file in a folder that is gone when this is read
            error.filename, error.filename2 = str(directory), None
        raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _move_into_place(staging: Path, directory: Path) -> None:
    """Put a new directory in the old one's place, and the old one back if that fails."""
    old = staging.with_suffix(".old")
    with suppress(FileNotFoundError):
        directory.rename(old)
    try:
        staging.rename(directory)
    except OSError:
        if old.exists():
            old.rename(directory)
        raise
    shutil.rmtree(old, ignore_errors=True)


def bounded_lines(file: BinaryIO, limit_bytes: int) -> Iterator[bytes]:
    """Yield lines of at most `limit_bytes` + 1 bytes; the rest of a longer one is dropped."""
    while line := file.readline(limit_bytes + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(limit_bytes)
        yield line


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
