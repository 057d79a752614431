"""Recordings that a manifest cannot point to: members of tar archives and single channels, written out."""

import re
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from linnet.audio.write import write_audio
from linnet.core.errors import AudioError
from linnet.core.files import replacing

MAX_MEMBER_BYTES = 2 << 30


@dataclass
class UnpackedAudio:
    """The folder of recordings that were taken out of archives or of recordings with several channels.

    Attributes:
        folder: where they go.
        force: whether files of an earlier run are replaced.
    """

    folder: Path
    force: bool
    _origins: dict[Path, tuple[Path, str]] = field(default_factory=dict)
    _archive_path: Path | None = None
    _archive: tarfile.TarFile | None = None

    def member(self, archive: Path, name: str) -> Path:
        """Write a member of a tar archive as a file; the folders in its name become part of the file name.

        Raises:
            AudioError: when the archive has no such regular file of at most 2 GB, or the file exists.
        """
        target = self.folder / _plain(archive.stem) / _plain(name)
        if self._is_new(target, (archive, name)):
            try:
                opened = self._open(archive)
                found = opened.getmember(name)
                if not found.isreg() or found.size > MAX_MEMBER_BYTES:
                    raise AudioError(
                        f"the member {name!r} is no file of at most {MAX_MEMBER_BYTES} bytes",
                        where=str(archive),
                    )
                content = opened.extractfile(found)
                assert content is not None, "a regular member has content"
                with content, replacing(target) as temporary, temporary.open("wb") as file:
                    shutil.copyfileobj(content, file)
            except KeyError:
                raise AudioError(f"the archive has no member {name!r}", where=str(archive)) from None
            except (OSError, EOFError, tarfile.TarError) as error:
                raise AudioError(f"the archive cannot be read ({error})", where=str(archive)) from error
            self._origins[target] = (archive, name)
        return target

    def channel(self, audio: Path, channel: int) -> Path:
        """Write one channel of a recording, at the recording's rate, as FLAC.

        Raises:
            AudioError: when the recording has no such channel or cannot be read, or the file exists.
        """
        target = self.folder / f"{_plain(audio.stem)}-{channel}.flac"
        if self._is_new(target, (audio, str(channel))):
            try:
                samples, rate_hz = soundfile.read(audio, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise AudioError(f"cannot be read ({error.error_string})", where=str(audio)) from error
            if not 0 <= channel < samples.shape[1]:
                raise AudioError(f"has {samples.shape[1]} channels, no number {channel}", where=str(audio))
            write_audio(target, np.ascontiguousarray(samples[:, channel]), rate_hz)
            self._origins[target] = (audio, str(channel))
        return target

    def close(self) -> None:
        """Close the archive that was read last."""
        if self._archive:
            self._archive.close()
        self._archive_path = self._archive = None

    def _is_new(self, target: Path, origin: tuple[Path, str]) -> bool:
        if target in self._origins:
            if self._origins[target] != origin:
                first = " ".join(map(str, self._origins[target]))
                raise AudioError(f"would take the same file name as {first}", where=str(target))
            return False
        if target.exists() and not self.force:
            raise AudioError(
                "the file exists already",
                where=str(target),
                remedy="Choose another output directory, or replace it with --force",
            )
        return True

    def _open(self, archive: Path) -> tarfile.TarFile:
        """Keep the archive open that was read last: a manifest goes through one after the other."""
        if self._archive is None or self._archive_path != archive:
            self.close()
            self._archive, self._archive_path = tarfile.open(archive), archive  # noqa: SIM115 (`close`)
        return self._archive


def _plain(name: str) -> str:
    """Make a file name of any path: its folders are joined to it, and none of it leads upwards."""
    pieces = (piece.lstrip(".") for piece in re.split(r"[/\\:\0]", name))
    return "_".join(piece for piece in pieces if piece) or "_"
