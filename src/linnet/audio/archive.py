"""Recordings that are members of tar archives: how they are named, and read from front to back."""

import logging
import os
import re
import tarfile
from collections.abc import Container, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from linnet.core.errors import AudioError
from linnet.core.remote import as_url, open_url

logger = logging.getLogger(__name__)

MAX_MEMBER_BYTES = 1 << 30  # 90 minutes of 16-bit stereo at 48 kHz; a member is held in memory
BLOCK_BYTES = 8 << 20  # fetched in one request: an archive is read from its start to its end

_PREFIX, _MARK = "tar:", ".tar!/"
_SUB = re.compile(r"-sub\d+(?=\.[^.]*$|$)")


class Member(NamedTuple):
    """A member of a tar archive: path or URL of the archive, and the member's name in it."""

    archive: str
    name: str

    def __str__(self) -> str:
        return f"{_PREFIX}{self.archive}!/{self.name}"


def as_member(location: str | os.PathLike[str]) -> Member | None:
    """Return the member that a location stands for (the text of a `Member`), None for any other."""
    archive, mark, name = os.fspath(location).partition(_MARK)
    if not (mark and archive.startswith(_PREFIX)):
        return None
    return Member(archive.removeprefix(_PREFIX) + ".tar", name)


def shared_name(name: str) -> str:
    """Return the member that NeMo means by a-sub1.wav where no member has that name: a.wav."""
    return _SUB.sub("", name)


def read_members(archive: str, names: Container[str]) -> Iterator[tuple[str, bytes]]:
    """Read an archive once, in order, and yield the wanted members: name without a leading ./, content.

    Links, devices, sparse files and what is larger than MAX_MEMBER_BYTES are passed over, and nothing is
    written to disk. An archive that is damaged gives the members before the damage, and a logged warning.

    Args:
        archive: path or URL; it is not compressed.
        names: of the members wanted.

    Raises:
        AudioError: when the archive cannot be opened, or the transfer broke off.
        MissingDependencyError: when the packages for this kind of URL are not installed.
    """
    url = as_url(archive)
    try:
        with open_url(url, AudioError, block_bytes=BLOCK_BYTES) if url else Path(archive).open("rb") as file:
            yield from _members(file, archive, names)
    except OSError as error:
        raise AudioError(
            f"the archive cannot be read ({error})",
            where=archive,
            remedy="Check the path, and that the archive is whole",
        ) from error


def _members(file: BinaryIO, archive: str, names: Container[str]) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=file, mode="r|") as opened:
            for info in opened:
                name = info.name.removeprefix("./")
                is_file = info.isreg() and not info.issparse() and info.size <= MAX_MEMBER_BYTES
                if is_file and name in names:
                    content = opened.extractfile(info)
                    assert content is not None, "a regular member has content"
                    yield name, content.read()
    except (tarfile.TarError, EOFError, ValueError) as error:
        logger.warning("%s: the archive is damaged (%s); what follows is left out", archive, error)
