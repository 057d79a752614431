"""A .nemo file taken apart without unpacking it: its configuration, artifacts and weights, each by name.

A .nemo file is a plain or gzip-compressed tar with model_config.yaml, model_weights.ckpt (a state dict of
PyTorch) and artifacts called {32 hexadecimal digits}_{name}, which the configuration points to as
"nemo:{member}".
"""

import gzip
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.importers.nemo_weights import TRUSTED, load_weights
from linnet.importers.nemo_yaml import parse_config

CONFIG_MEMBER = "model_config.yaml"
WEIGHTS_MEMBER = "model_weights.ckpt"

MAX_CONFIG_BYTES = 4 << 20
MAX_ARTIFACT_BYTES = 64 << 20
MAX_WEIGHTS_BYTES = 16 << 30
MAX_MEMBERS = 4096
# float32 weights shrink by a tenth; only something made to burst shrinks to a hundredth.
MAX_GZIP_RATIO = 100
_FREE_BYTES = 64 << 20  # may come out of the smallest gzip file
_BLOCK_BYTES = 1 << 20

_AGAIN = "Download it again and compare its size"
_SAVE_WHOLE = "Load it in the version of NeMo that wrote it, and save it with model.save_to('model.nemo')"
_ARTIFACT = re.compile(r"[0-9a-f]{32}_(.+)")


class NemoArchive:
    """The members of an open .nemo file; made by `open_nemo`."""

    def __init__(self, path: Path, tar: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> None:
        self.path = path
        self._tar = tar
        self._members = members

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its files, without a leading "./"."""
        return tuple(self._members)

    def config(self) -> dict[str, Any]:
        """Read model_config.yaml.

        Raises:
            CheckpointError: when it is damaged, too large or no plain YAML.
        """
        content = self._content(CONFIG_MEMBER, MAX_CONFIG_BYTES)
        return parse_config(content, f"{self.path}, {CONFIG_MEMBER}")

    def artifact(self, reference: str) -> bytes:
        """Read the file that a value of the configuration points to, always by the name of a member.

        Args:
            reference: "nemo:{member}" or, in old files, a path on the disk of whoever wrote them, of which
                only the last part counts.

        Raises:
            CheckpointError: when there is no such member, or more than one.
        """
        name = reference.removeprefix("nemo:")
        if name not in self._members:
            name = self._by_last_part(PurePosixPath(name).name, reference)
        return self._content(name, MAX_ARTIFACT_BYTES)

    def weights(self) -> dict[str, Tensor]:
        """Read the state dict: floats as float32, on the CPU, all finite.

        Raises:
            CheckpointError: when it is damaged, or holds more than tensors by name.
        """
        file = self._file(WEIGHTS_MEMBER, MAX_WEIGHTS_BYTES)
        with file:
            return load_weights(file, self._members[WEIGHTS_MEMBER].size, f"{self.path}, {WEIGHTS_MEMBER}")

    def _by_last_part(self, wanted: str, reference: str) -> str:
        found = [name for name in self._members if wanted in (name, _plain_name(name))]
        if len(found) != 1:
            what = "is not in the archive" if not found else f"could be any of {', '.join(found)}"
            raise CheckpointError(f"{reference!r} {what}", where=str(self.path), remedy=_AGAIN)
        return found[0]

    def _content(self, name: str, limit_bytes: int) -> bytes:
        with self._file(name, limit_bytes) as file:
            content = file.read(limit_bytes + 1)
        if len(content) < self._members[name].size:
            raise _truncated(self.path)
        return content

    def _file(self, name: str, limit_bytes: int) -> IO[bytes]:
        member = self._members[name]
        if member.size > limit_bytes:
            raise CheckpointError(
                f"{name} has {member.size} bytes, at most {limit_bytes} are read",
                where=str(self.path),
                remedy=TRUSTED,
            )
        file = self._tar.extractfile(member)
        assert file is not None, name  # only plain files are kept
        return file


@contextmanager
def open_nemo(path: Path) -> Iterator[NemoArchive]:
    """Open a .nemo file, with the list of its members checked.

    A compressed one is decompressed into an unnamed temporary file, within bounds; nothing is left behind.

    Raises:
        CheckpointError: when it is missing, no archive, truncated, or holds what no .nemo file holds: links,
            devices, names that lead elsewhere, one name twice.
    """
    if path.is_dir():
        raise CheckpointError("is a folder of a distributed checkpoint", where=str(path), remedy=_SAVE_WHOLE)
    if not path.is_file():
        raise CheckpointError("there is no such file", where=str(path), remedy="Check the path")
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("rb"))
        if file.read(2) == b"\x1f\x8b":
            file.seek(0)
            compressed, file = file, stack.enter_context(tempfile.TemporaryFile())
            _decompress(compressed, file, path)
        file.seek(0)
        try:
            tar = stack.enter_context(tarfile.open(fileobj=file, mode="r:"))
        except (tarfile.TarError, OverflowError, ValueError):
            raise CheckpointError(
                "is no tar archive, which a .nemo file is", where=str(path), remedy=_AGAIN
            ) from None
        yield NemoArchive(path, tar, _checked_members(tar, path))


def _decompress(source: IO[bytes], target: IO[bytes], path: Path) -> None:
    limit_bytes = min(max(_FREE_BYTES, MAX_GZIP_RATIO * path.stat().st_size), 2 * MAX_WEIGHTS_BYTES)
    num_bytes = 0
    try:
        with gzip.GzipFile(fileobj=source) as file:
            while block := file.read(_BLOCK_BYTES):
                num_bytes += len(block)
                if num_bytes > limit_bytes:
                    raise CheckpointError(
                        f"decompresses to more than {limit_bytes} bytes, which weights never do",
                        where=str(path),
                        remedy=TRUSTED,
                    )
                target.write(block)
    except EOFError:
        raise _truncated(path) from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise CheckpointError(
            f"is damaged: it does not decompress ({error})", where=str(path), remedy=_AGAIN
        ) from None


def _checked_members(tar: tarfile.TarFile, path: Path) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    try:
        for number, member in enumerate(tar):
            if number >= MAX_MEMBERS:
                raise CheckpointError(f"has more than {MAX_MEMBERS} members", where=str(path), remedy=TRUSTED)
            name = _checked_name(member, path)
            if member.isdir():
                continue
            if name in members:
                raise CheckpointError(f"holds {name!r} twice", where=str(path), remedy=_AGAIN)
            members[name] = member
    except CheckpointError:
        raise
    except (tarfile.TarError, OverflowError, ValueError):
        raise _truncated(path) from None
    _check_complete(members, path)
    return members


def _checked_name(member: tarfile.TarInfo, path: Path) -> str:
    """Return a member's name without "./"; refuse what a .nemo file has no use for."""
    name = member.name
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        raise CheckpointError(
            f"holds a member whose name leads out of it: {name!r}", where=str(path), remedy=TRUSTED
        )
    if member.issym() or member.islnk():
        raise CheckpointError(
            f"holds a link: {name!r} to {member.linkname!r}", where=str(path), remedy=TRUSTED
        )
    if member.issparse():
        raise CheckpointError(f"holds a sparse file: {name!r}", where=str(path), remedy=TRUSTED)
    if not (member.isreg() or member.isdir()):
        raise CheckpointError(f"holds a device or pipe: {name!r}", where=str(path), remedy=TRUSTED)
    return "/".join(parts)


def _check_complete(members: dict[str, tarfile.TarInfo], path: Path) -> None:
    """Tell a file of another kind from one that is cut short."""
    if any(PurePosixPath(name).parts[0] == "model_weights" for name in members):
        raise CheckpointError("holds a distributed checkpoint", where=str(path), remedy=_SAVE_WHOLE)
    if WEIGHTS_MEMBER not in members and any(PurePosixPath(name).name == WEIGHTS_MEMBER for name in members):
        raise CheckpointError(
            "holds weights that are split over several processes", where=str(path), remedy=_SAVE_WHOLE
        )
    for name in (CONFIG_MEMBER, WEIGHTS_MEMBER):
        if name not in members:
            found = ", ".join(sorted(members)[:8]) or "nothing"
            raise CheckpointError(
                f"{name} is missing; it holds {found}",
                where=str(path),
                remedy=f"{_AGAIN}, and see that it is a .nemo file",
            )


def _plain_name(member_name: str) -> str:
    """Return an artifact's name without its number."""
    match = _ARTIFACT.fullmatch(PurePosixPath(member_name).name)
    return match[1] if match else member_name


def _truncated(path: Path) -> CheckpointError:
    return CheckpointError("is truncated: it ends in the middle", where=str(path), remedy=_AGAIN)
