"""What preparing a corpus writes and tells: one manifest a part, what it holds, what was left out and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnet.core.errors import ManifestError
from linnet.corpora.entry import Skipped
from linnet.manifest.jsonl import write_manifest
from linnet.manifest.utterance import Utterance


@dataclass(frozen=True, slots=True)
class Part:
    """One manifest that was written.

    Attributes:
        manifest: its path.
        num_utterances: how many utterances it holds.
        num_speakers: how many speakers, where they are known.
        duration_s: how long the utterances last together.
        lengths_s: the shortest, median, 95th percentile and longest of them.
        characters: every character of the texts once, in the order of Unicode.
    """

    manifest: Path
    num_utterances: int
    num_speakers: int
    duration_s: float
    lengths_s: tuple[float, float, float, float]
    characters: str


@dataclass(frozen=True, slots=True)
class PrepareReport:
    """The outcome of preparing a corpus: the parts written, what was left out, and a word to the user."""

    parts: tuple[Part, ...]
    skipped: tuple[Skipped, ...] = ()
    note: str = ""


def check_free(output: Path, parts: Sequence[str], *, force: bool) -> None:
    """Refuse an output directory whose manifests would be overwritten, before any work is done.

    Raises:
        ManifestError: when a manifest exists and `force` is not given, or `output` is no directory.
    """
    names = ", ".join(_manifest(output, part).name for part in parts)
    if output.suffix in (".jsonl", ".json", ".gz", ".zst") or output.is_file():
        raise ManifestError(
            "the output is a directory, not a file",
            where=str(output),
            remedy=f"Give a directory: {names or 'one manifest a part'} will be written there",
        )
    for part in parts:
        if _manifest(output, part).exists() and not force:
            raise ManifestError(
                "the manifest exists already",
                where=str(_manifest(output, part)),
                remedy="Choose another output directory, or replace it with --force",
            )


def write_parts(output: Path, parts: Mapping[str, Sequence[Utterance]]) -> tuple[Part, ...]:
    """Write `<part>.jsonl` for each part."""
    for name, utterances in parts.items():
        write_manifest(_manifest(output, name), utterances)
    return tuple(_part(_manifest(output, name), utterances) for name, utterances in parts.items())


def _part(manifest: Path, utterances: Sequence[Utterance]) -> Part:
    durations_s = [utterance.duration_s for utterance in utterances]
    shortest, median, percentile, longest = np.percentile(durations_s, (0, 50, 95, 100)).tolist()
    return Part(
        manifest=manifest,
        num_utterances=len(utterances),
        num_speakers=len({utterance.speaker for utterance in utterances} - {""}),
        duration_s=sum(durations_s),
        lengths_s=(shortest, median, percentile, longest),
        characters="".join(sorted(set().union(*(utterance.text or "" for utterance in utterances)))),
    )


def _manifest(output: Path, part: str) -> Path:
    return output / f"{part}.jsonl"
