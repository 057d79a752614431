"""Cuts of lhotse (MonoCut in JSON lines) whose recordings are files on this disk.

Format: https://lhotse.readthedocs.io/en/latest/cuts.html. lhotse reads the cuts; nothing of what they point
to is loaded by it, so a recording made by a command is not run. Mixed, padded and changed cuts have no
recording that a manifest could point to, and are left out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linnet.core.errors import ManifestError
from linnet.core.optional import require
from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.nemo import manifests_in, part_name
from linnet.manifest.jsonl import scan_objects


def read_lhotse_cuts(source: Path) -> Iterator[Entry | Skipped]:
    """Read a file of cuts, or all in a directory; each is a part of its name."""
    require("lhotse", extra="train", purpose="reading cuts of lhotse")
    for path in [source] if source.is_file() else manifests_in(source, (".jsonl",)):
        try:
            for number, fields in scan_objects(path):
                yield from _entries(fields, path, number)
        except ManifestError as error:
            yield Skipped(str(path), error.what)


def _entries(fields: dict[str, Any] | ManifestError, path: Path, number: int) -> Iterator[Entry | Skipped]:
    """Make an entry of each supervision of a cut."""
    where = f"{path}, line {number}"
    try:
        if isinstance(fields, ManifestError):
            raise fields
        cut = _cut(fields)
        audio = _recording(cut.recording, path.parent)
        entries = [
            _entry(cut, supervision, audio, where, part_name(path)) for supervision in cut.supervisions
        ]
    except ManifestError as error:
        yield Skipped(where, error.what)
    except (TypeError, ValueError) as error:
        yield Skipped(where, f"a start, duration or channel is no number ({error})")
    else:
        yield from entries
        if not entries:
            yield Skipped(where, f"the cut {cut.id} has no supervision, so no text")


def _entry(cut: Any, supervision: Any, audio: Path, where: str, part: str) -> Entry:
    return Entry(
        where=where,
        audio=audio,
        text=None if supervision.text is None else str(supervision.text),
        part=part,
        speaker=str(supervision.speaker or ""),
        language=str(supervision.language or ""),
        offset_s=float(cut.start) + float(supervision.start),
        duration_s=float(supervision.duration),
        channel=int(cut.channel),
    )


def _cut(fields: dict[str, Any]) -> Any:
    """Let lhotse read a MonoCut of a plain recording.

    Raises:
        ManifestError: when it is something else.
    """
    kind = fields.get("type")
    if kind != "MonoCut":
        raise ManifestError(f"a {kind or 'line without a type'}, and only a MonoCut is one stretch of a file")
    lhotse = require("lhotse.serialization", extra="train", purpose="reading cuts of lhotse")
    try:
        cut = lhotse.deserialize_item(fields)
    except Exception as error:  # whatever a damaged line makes lhotse raise
        raise ManifestError(f"lhotse cannot read the cut ({type(error).__name__}: {error})") from error
    if cut.recording is None:
        raise ManifestError(f"the cut {cut.id} has no recording")
    if cut.recording.transforms:
        raise ManifestError(f"the recording of the cut {cut.id} is transformed; save it as a file first")
    return cut


def _recording(recording: Any, directory: Path) -> Path:
    """Find the file of a recording: relative paths start at the cuts, or where the command was started."""
    (source, *more) = recording.sources or [None]
    if source is None or more or source.type != "file":
        kinds = ", ".join(str(each.type) for each in recording.sources) or "nothing"
        raise ManifestError(f"the recording {recording.id} comes from: {kinds}; it must be one file")
    beside = directory / source.source
    return beside if beside.is_file() else Path(source.source)
