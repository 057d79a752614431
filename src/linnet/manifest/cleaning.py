"""Writes a manifest again without the lines that are wrong, and beside it what was left out and why."""

import json
from collections.abc import Sequence
from pathlib import Path

from linnet.core.errors import ManifestError
from linnet.core.files import write_text
from linnet.manifest.findings import Finding, Line
from linnet.manifest.jsonl import write_manifest

LEFT_OUT_SUFFIX = ".left_out.jsonl"


def left_out_path(clean: Path) -> Path:
    """Name the list of what was left out of a clean manifest: clean.jsonl → clean.left_out.jsonl."""
    name = clean.name.removesuffix(".gz").removesuffix(".zst")
    return clean.with_name(name.removesuffix(".json").removesuffix(".jsonl") + LEFT_OUT_SUFFIX)


def write_clean(clean: Path, lines: Sequence[Line], findings: Sequence[Finding]) -> tuple[int, int]:
    """Write the lines of one manifest that no finding leaves out, and the list of the others.

    No audio is touched. The list has an object for each line left out: its number, its audio where that is
    known, and the reasons.

    Args:
        clean: where the manifest goes; the list goes beside it (`left_out_path`).
        lines: the lines of the manifest that could be read.
        findings: all findings about that manifest.

    Returns:
        How many lines were kept and how many left out.

    Raises:
        ManifestError: when no line would be left.
    """
    reasons: dict[int, list[Finding]] = {}
    for finding in findings:
        if finding.leaves_out and finding.line:
            reasons.setdefault(finding.line, []).append(finding)
    kept = [line for line in lines if line.number not in reasons]
    if not kept:
        raise ManifestError("no line is without an error", where=str(clean), remedy="Mend the data first")
    audio = {line.number: line.utterance.audio for line in lines}
    write_text(left_out_path(clean), "".join(_entry(n, audio.get(n), reasons[n]) for n in sorted(reasons)))
    write_manifest(clean, (line.utterance for line in kept))
    return len(kept), len(reasons)


def _entry(number: int, audio: str | None, reasons: Sequence[Finding]) -> str:
    fields = {
        "manifest": reasons[0].manifest,
        "line": number,
        "audio_filepath": audio,
        "reasons": [
            {"code": finding.code, "what": finding.what, "remedy": finding.remedy} for finding in reasons
        ],
    }
    # Names of files that are not UTF-8 hold lone surrogates: JSON writes these with a backslash.
    return json.dumps(fields, ensure_ascii=True) + "\n"
