"""A manifest and its recordings as tar archives of similar size, in the layout of NeMo's tarred data sets.

Layout: https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html. Beside
audio_0.tar, audio_1.tar, … lies tarred_audio_manifest.jsonl; a line names archive (`shard_id`) and member.
"""

import io
import random
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from linnet.audio.archive import MAX_MEMBER_BYTES, as_member
from linnet.audio.read import audio_info
from linnet.core.errors import AudioError, ManifestError
from linnet.core.remote import as_url, open_url
from linnet.manifest.jsonl import utterance_fields, write_lines
from linnet.manifest.selection import LeftOut, Selection
from linnet.manifest.utterance import Utterance

MANIFEST_NAME = "tarred_audio_manifest.jsonl"
MAX_STEM_CHARS = 60  # with the number before it, well below the 100 that every reader of tar takes


@dataclass(frozen=True, slots=True)
class Shards:
    """What was written: how many archives, and what of the manifest is in them."""

    num_archives: int
    selection: Selection


def write_shards(
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    shard_mb: float = 256.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda num_done: None,
) -> Shards:
    """Write recordings as they are into tar archives, and the manifest that names them; all or nothing.

    The recordings are shuffled, so that each archive is a fair sample, and each is stored once with all its
    utterances. The same files and seed give the same bytes. Recordings that cannot be read are left out.

    Args:
        utterances: of recordings here or at URLs.
        folder: a new or empty one.
        shard_mb: an archive is closed when it holds this many megabytes (10⁶ bytes) of recordings.
        seed: of the shuffling.
        progress: told the number of utterances done.

    Raises:
        ManifestError: when the folder is not empty, or no recording can be read.
        OSError: when the archives cannot be written.
    """
    by_recording: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        by_recording.setdefault(utterance.audio, []).append(utterance)
    recordings = list(by_recording)
    random.Random(seed).shuffle(recordings)
    selection, num_done = Selection([], []), 0
    with _new_folder(folder) as staging, _Writer(staging, round(shard_mb * 1e6)) as writer:
        for audio in recordings:
            its = by_recording[audio]
            try:
                writer.add(its, _content(audio))
                selection.kept.extend(its)
            except AudioError as error:
                reason = "its recording cannot be read"
                selection.left_out.extend(LeftOut(each, reason, error.what) for each in its)
            num_done += len(its)
            progress(num_done)
        if not selection.kept:
            what = f"none of {len(recordings)} recordings can be read, so nothing is written"
            raise ManifestError(f"{what}; the first: {selection.left_out[0].detail}", where=str(folder))
        write_lines(staging / MANIFEST_NAME, writer.lines)
    return Shards(writer.shard + 1, selection)


@dataclass
class _Writer:
    """Fills one archive after the other, and collects the lines of the manifest."""

    folder: Path
    shard_bytes: int
    shard: int = -1
    num_recordings: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)
    _archive: tarfile.TarFile | None = None
    _num_bytes: int = 0

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive:
            self._archive.close()

    def add(self, utterances: Sequence[Utterance], content: bytes) -> None:
        """Store the recording that the utterances share."""
        if self._archive is None or self._num_bytes >= self.shard_bytes:
            self._archive = self._next_archive()
        stem, suffix = _plain_name(utterances[0].audio)
        stem = f"{self.num_recordings:08d}_{stem}"
        info = tarfile.TarInfo(stem + suffix)  # without time and owner, so that the bytes are the same
        info.size = len(content)
        self._archive.addfile(info, io.BytesIO(content))
        self._num_bytes += len(content)
        self.num_recordings += 1
        for number, utterance in enumerate(utterances):
            name = f"{stem}-sub{number}{suffix}" if number else stem + suffix  # as NeMo's script does
            fields = utterance_fields(utterance, self.folder)
            self.lines.append(fields | {"audio_filepath": name, "shard_id": self.shard})

    def _next_archive(self) -> tarfile.TarFile:
        if self._archive:
            self._archive.close()
        self.shard, self._num_bytes = self.shard + 1, 0
        path = self.folder / f"audio_{self.shard}.tar"
        return tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)


def _plain_name(audio: str) -> tuple[str, str]:
    """Return stem and suffix in letters that no reader of such data sets takes for anything else."""
    path = Path(audio)
    stem = re.sub(r"[^A-Za-z0-9_]", "_", path.stem)[:MAX_STEM_CHARS]
    return stem, re.sub(r"[^A-Za-z0-9.]", "", path.suffix)[:8]


def _content(audio: str) -> bytes:
    """Read a recording as it is.

    Raises:
        AudioError: when it cannot be read, is no recording, or is too large for a member.
    """
    if as_member(audio):
        raise AudioError("it lies in a tar archive already", where=audio)
    url = as_url(audio)
    try:
        with open_url(url, AudioError) if url else Path(audio).open("rb") as file:
            content = file.read(MAX_MEMBER_BYTES + 1)
    except OSError as error:
        raise AudioError(str(error), where=audio) from error
    if len(content) > MAX_MEMBER_BYTES:
        raise AudioError(f"it is larger than {MAX_MEMBER_BYTES} bytes", where=audio)
    audio_info(content)
    return content


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that takes the place of `folder` when the block ends without an error."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ManifestError(
            "it exists and is no empty folder", where=str(folder), remedy="Choose another folder"
        )
    folder = folder.resolve()  # "." has no name
    staging = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}")
    staging.mkdir(parents=True)
    try:
        yield staging
        if folder.exists():
            folder.rmdir()
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
