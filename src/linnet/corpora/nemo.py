"""NeMo manifests, plain or beside tar archives of audio, checked and rewritten with what they point to.

Formats: https://docs.nvidia.com/nemo-framework/user-guide/latest/nemotoolkit/asr/datasets.html. In a tarred
data set a line has a `shard_id`, and its recording is a member of `audio_<shard_id>.tar`. Where several lines
share a recording, NeMo's script names them a.wav, a-sub1.wav, a-sub2.wav: all are the member a.wav at their
offsets, unless the member was cut and has the name itself.
"""

import re
import tarfile
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from linnet.audio.archive import shared_name
from linnet.core.errors import ManifestError
from linnet.corpora.entry import Entry, Skipped
from linnet.manifest.jsonl import find_audio, parse_utterance, scan_objects
from linnet.manifest.utterance import Utterance

SUFFIXES = (".json", ".jsonl")
COMPRESSIONS = (".gz", ".zst")

_SHARD = re.compile(r"(?:^|_)(\d+)\.tar$")


def read_nemo(source: Path) -> Iterator[Entry | Skipped]:
    """Read a manifest, or all in a directory; each is a part of its name."""
    if source.is_file():
        yield from _read_manifest(source)
        return
    for path in manifests_in(source, SUFFIXES):
        yield from _read_manifest(path)


def manifests_in(directory: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """List the files of a directory that have one of the suffixes, compressed ones too, by name."""
    names = tuple(suffix + packed for suffix in suffixes for packed in ("", *COMPRESSIONS))
    return sorted(path for path in directory.iterdir() if path.name.endswith(names) and path.is_file())


def part_name(path: Path) -> str:
    """Name the part that a manifest makes: its file name without suffixes."""
    name = path.name
    for suffix in (*COMPRESSIONS, *SUFFIXES):
        name = name.removesuffix(suffix)
    return name


def _read_manifest(path: Path) -> Iterator[Entry | Skipped]:
    part, archives = part_name(path), _Archives(path.parent)
    try:
        for number, fields in scan_objects(path):
            where = f"{path}, line {number}"
            try:
                if isinstance(fields, ManifestError):
                    raise fields
                if "shard_id" in fields:
                    yield archives.entry(fields, where, part)
                else:
                    utterance = parse_utterance(fields, partial(find_audio, manifest=path))
                    yield _entry(utterance, Path(utterance.audio), where, part)
            except ManifestError as error:
                yield Skipped(where, error.what)
    except ManifestError as error:
        yield Skipped(str(path), error.what)


def _entry(utterance: Utterance, audio: Path, where: str, part: str, member: str = "") -> Entry:
    return Entry(
        where=where,
        audio=audio,
        text=utterance.text,
        part=part,
        speaker=utterance.speaker,
        language=utterance.language,
        offset_s=utterance.offset_s,
        duration_s=utterance.duration_s,
        member=member,
        extra=utterance.extra,
    )


class _Archives:
    """The tar archives beside a manifest, by their number."""

    def __init__(self, directory: Path) -> None:
        found = ((_SHARD.search(path.name), path) for path in sorted(directory.glob("*.tar")))
        self._paths = {int(match[1]): path for match, path in found if match}
        self._members = lru_cache(maxsize=2)(_members)  # a manifest goes through one archive after the other

    def entry(self, fields: Mapping[str, Any], where: str, part: str) -> Entry:
        """Make the entry of a line that has a `shard_id`.

        Raises:
            ManifestError: when the line is wrong or the archive is missing.
        """
        shard = fields["shard_id"]
        archive = self._paths.get(shard) if isinstance(shard, int) else None
        if archive is None:
            raise ManifestError(f"the archive audio_{shard}.tar is not beside the manifest")
        rest = {name: value for name, value in fields.items() if name != "shard_id"}
        utterance = parse_utterance(rest, lambda name: str(Path(name or "")))
        return _entry(utterance, archive, where, part, self._member(archive, utterance.audio))

    def _member(self, archive: Path, name: str) -> str:
        members = self._members(archive)
        return members.get(name) or members.get(shared_name(name)) or name


def _members(archive: Path) -> dict[str, str]:
    """Map the names in an archive, freed of a leading ./, to the names as they stand there."""
    try:
        with tarfile.open(archive) as opened:
            return {name.removeprefix("./"): name for name in opened.getnames()}
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ManifestError(f"the archive {archive} cannot be read ({error})") from error
