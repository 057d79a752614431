"""An evaluation as lines of text: the facts behind the figures, and alignments as sclite prints them."""

import math
from collections.abc import Iterator

from rich.cells import cell_len

from linnet.evaluation.report import EvaluationReport
from linnet.metrics.alignment import Alignment
from linnet.metrics.calibration import Calibration


def facts(report: EvaluationReport) -> dict[str, str]:
    """Give what a reader needs to compare the rates of a report, label by label."""
    interval = report.interval
    known = math.isfinite(interval.low) and math.isfinite(interval.high)
    ends = f"{interval.low:.2%} to {interval.high:.2%}" if known else "cannot be estimated"
    audio = f"{report.audio_s:.1f} s of audio in {report.recognition_s:.1f} s"
    return {
        f"{interval.level:.0%} interval": f"{ends} (bootstrap over {interval.num_drawn} {interval.over}s)",
        "confidence": _confidence(report.calibration),
        "utterances": f"{len(report.results)} scored, {len(report.failures)} left out",
        "normalizer": f"{report.normalizer}, version {report.normalizer_version}",
        "speed": f"{report.inverse_real_time_factor:.1f} RTFx ({audio})",
        "model": report.model,
    }


def _confidence(found: Calibration) -> str:
    if found.error is None:
        return "no words"
    ranking = "unknown" if found.ranking is None else f"{found.ranking:.3f}"
    return f"calibration error (ECE) {found.error:.2%}, ranking (AUC) {ranking}, over {found.num_words} words"


_MARKS = {"match": "", "substitution": "S", "deletion": "D", "insertion": "I"}


def aligned_lines(alignment: Alignment, width: int) -> Iterator[tuple[str, str, str]]:
    """Give an alignment as reference, hypothesis and marks (S, D, I) in lines that stand below each other.

    Stars fill the place of a missing word. Lines break after at most `width` cells; a longer word is not cut.
    """
    lines: tuple[list[str], list[str], list[str]] = ([], [], [])
    used = 0
    for op, *words in alignment.ops:
        cells = max(cell_len(word or "") for word in words)
        if lines[0] and used + cells > width:
            yield _joined(lines)
            lines, used = ([], [], []), 0
        for line, word in zip(lines, words, strict=False):
            line.append("*" * cells if word is None else word + " " * (cells - cell_len(word)))
        lines[2].append(_MARKS[op].ljust(cells))
        used += cells + 1
    if lines[0]:
        yield _joined(lines)


def _joined(lines: tuple[list[str], list[str], list[str]]) -> tuple[str, str, str]:
    reference, hypothesis, marks = (" ".join(line).rstrip() for line in lines)
    return reference, hypothesis, marks
