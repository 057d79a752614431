"""Golos: Russian commands, recorded by volunteers (crowd) and from a distance (farfield).

Source: https://github.com/salute-developers/golos (Karpov et al., "Golos", Interspeech 2021). The archives
unpack to `train` and `test`, each with manifests like NeMo's whose paths start at the manifest. The release
in Opus keeps the names of the wave files in its manifests. Speakers are unknown. The lists of 10 minutes to
100 hours in `train` are subsets of its manifest and are not read again.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from linnet.core.errors import ManifestError
from linnet.corpora.entry import Entry, Skipped
from linnet.manifest.jsonl import find_audio, parse_utterance, scan_objects

MANIFEST = "manifest.jsonl"


def read_golos(source: Path) -> Iterator[Entry | Skipped]:
    """Read all manifests below a directory; parts are train, test-crowd and test-farfield."""
    for manifest in sorted(source.rglob(MANIFEST)):
        folders = [name.removesuffix("_opus") for name in manifest.parent.relative_to(source).parts]
        part = "-".join(name for name in folders if name != "golos") or manifest.parent.resolve().name
        try:
            yield from _read_manifest(manifest, part)
        except ManifestError as error:
            yield Skipped(str(manifest), error.what)


def _read_manifest(manifest: Path, part: str) -> Iterator[Entry | Skipped]:
    for number, fields in scan_objects(manifest):
        where = f"{manifest}, line {number}"
        try:
            if isinstance(fields, ManifestError):
                raise fields
            utterance = parse_utterance(fields, partial(_find, manifest=manifest))
        except ManifestError as error:
            yield Skipped(where, error.what)
        else:
            # The duration is measured again: Opus pads the end.
            yield Entry(where, Path(utterance.audio), utterance.text or "", part)


def _find(name: str | None, manifest: Path) -> str:
    if name:
        opus = (manifest.parent / name).with_suffix(".opus")
        if opus.is_file():
            return str(opus)
    return find_audio(name, manifest)
