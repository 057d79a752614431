"""The examination of a manifest before training: every check that needs no model, in one call."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from linnet.audio.inspection import SoundStatistics
from linnet.core.errors import LinnetError, ManifestError
from linnet.manifest.checks_audio import (
    Header,
    check_headers,
    check_sounds,
    inspect_sounds,
    is_silent,
    read_headers,
)
from linnet.manifest.checks_splits import Split, check_repeated_sounds, check_splits, is_somebody, sound_key
from linnet.manifest.checks_text import check_texts
from linnet.manifest.findings import Finding, Line, found_in
from linnet.manifest.jsonl import numbered_utterances
from linnet.manifest.utterance import Utterance

# Called with what is being done, how much of it is done, and how much there is.
StageProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a manifest holds and what is wrong with it.

    Attributes:
        manifest: the file.
        lines: the lines that could be read.
        headers: of the recordings, by path.
        sounds: a key for the sound of each line: equal keys, equal sound.
        findings: what is wrong, in the order of the lines.
    """

    manifest: Path
    lines: Sequence[Line]
    headers: dict[str, Header]
    sounds: Sequence[str]
    findings: Sequence[Finding]

    @property
    def durations_s(self) -> list[float]:
        """How long each line lasts."""
        return [line.utterance.duration_s for line in self.lines]

    @property
    def num_speakers(self) -> int:
        """How many speakers the lines name."""
        return len({line.utterance.speaker for line in self.lines if is_somebody(line.utterance.speaker)})


def examine(manifest: Path, *, deep: bool, workers: int, progress: StageProgress) -> Examination:
    """Check a manifest line by line.

    Args:
        manifest: a file of JSON lines.
        deep: decode the audio too, instead of reading headers and texts only.
        workers: processes that read audio; below 2, this one does.
        progress: called as the work goes on.

    Raises:
        MissingDependencyError: when zstandard is needed and not installed.
    """
    lines, findings = _read(manifest)
    headers = read_headers(lines, workers, partial(progress, "headers"))
    findings += check_headers(lines, headers)
    digests = [""] * len(lines)
    if deep:
        places = [index for index, line in enumerate(lines) if headers[line.utterance.audio].info]
        heard = [lines[index] for index in places]
        sounds = inspect_sounds(heard, workers, partial(progress, "sound"))
        findings += _without_known(check_sounds(heard, sounds), findings)
        for index, sound in zip(places, sounds, strict=True):
            digests[index] = _digest(sound)
    keys = [sound_key(line, digest) for line, digest in zip(lines, digests, strict=True)]
    findings += check_repeated_sounds(lines, keys)
    findings += check_texts(lines)
    return Examination(
        manifest=manifest,
        lines=lines,
        headers=headers,
        sounds=keys,
        findings=sorted(findings, key=lambda finding: finding.line),
    )


def compare_splits(splits: Iterable[tuple[str, Sequence[Examination]]]) -> list[Finding]:
    """Find what splits share that should have nothing in common.

    Args:
        splits: the name of each split and its manifests; the training set first.
    """
    return check_splits(
        [
            Split(
                name,
                [line for part in parts for line in part.lines],
                [sound for part in parts for sound in part.sounds],
            )
            for name, parts in splits
        ]
    )


def _read(manifest: Path) -> tuple[list[Line], list[Finding]]:
    lines: list[Line] = []
    findings: list[Finding] = []
    try:
        for number, read in numbered_utterances(manifest):
            if isinstance(read, Utterance):
                lines.append(Line(manifest, number, read))
            else:
                findings.append(found_in("bad-line", manifest, read.what, number, read.remedy))
    except ManifestError as error:
        findings.append(found_in("bad-manifest", manifest, error.what, remedy=error.remedy))
        return lines, findings
    if not lines:
        findings.append(found_in("bad-manifest", manifest, "no line of the manifest can be used"))
    return lines, findings


def _without_known(findings: Iterable[Finding], known: Sequence[Finding]) -> list[Finding]:
    """Drop what the headers told already, such as missing bytes that decoding missed too."""
    told = {(finding.code, finding.line) for finding in known}
    return [finding for finding in findings if (finding.code, finding.line) not in told]


def _digest(sound: SoundStatistics | LinnetError) -> str:
    """Give what tells a sound apart, "" for silence, which is all alike."""
    return "" if isinstance(sound, LinnetError) or is_silent(sound) else sound.digest
