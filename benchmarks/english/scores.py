"""Error rates with their intervals, by set, condition and group of speakers, as a table."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from readers import Read

from linnet.manifest.utterance import Utterance
from linnet.metrics.bootstrap import bootstrap_interval
from linnet.metrics.error_rate import ErrorCounts, character_errors, word_errors
from linnet.text.normalize import normalize

FEW_SPEAKERS = 10  # with fewer, utterances are drawn in place of speakers


@dataclass(slots=True)
class Cell:
    """What one recognizer made of one group of utterances.

    Attributes:
        words: errors of each utterance.
        characters: likewise.
        speakers: of each utterance.
        cpu_s: that it took.
        audio_s: of all.
    """

    words: list[ErrorCounts] = field(default_factory=list)
    characters: list[ErrorCounts] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    audio_s: float = 0.0

    def add(self, utterance: Utterance, read: Read, audio_s: float, normalizer: str) -> None:
        """Count the errors of one more utterance."""
        said, heard = normalize(utterance.text or "", normalizer), normalize(read.text, normalizer)
        self.words.append(word_errors(said, heard))
        self.characters.append(character_errors(said, heard))
        self.speakers.append(utterance.speaker)
        self.cpu_s += read.cpu_s
        self.audio_s += audio_s

    @property
    def draws_speakers(self) -> bool:
        """Whether the interval comes of whole speakers, which are independent of each other."""
        return len(set(self.speakers)) >= FEW_SPEAKERS

    def rate(self, counts: Sequence[ErrorCounts]) -> tuple[float, float, float]:
        """Return the error rate, and between which bounds 95 % of such sets would give it."""
        drawn = self.speakers if self.draws_speakers else None
        return (sum(counts, ErrorCounts()).rate, *bootstrap_interval(counts, drawn))

    def to_dict(self) -> dict[str, Any]:
        """Return what a JSON file keeps."""
        return {
            "wer": [_finite(each) for each in self.rate(self.words)],
            "cer": [_finite(each) for each in self.rate(self.characters)],
            "rtf": round(self.cpu_s / self.audio_s, 5),
            "utterances": len(self.words),
            "words": sum(each.reference_length for each in self.words),
            "speakers": len(set(self.speakers)),
            "interval_over": "speakers" if self.draws_speakers else "utterances",
        }


@dataclass(slots=True)
class Scores:
    """The cells of a comparison, by (set, condition, group) and recognizer; the group "" is everybody."""

    recognizers: Sequence[str]
    cells: dict[tuple[str, str, str], dict[str, Cell]] = field(default_factory=dict)

    def cell(self, row: tuple[str, str, str], recognizer: str) -> Cell:
        """Return a cell, made when it is first asked for."""
        return self.cells.setdefault(row, {}).setdefault(recognizer, Cell())

    def table(self) -> str:
        """Write a line for each row, in Markdown: WER and CER in percent, each with its interval."""
        head = ["set", "condition", "speakers", "utterances"]
        head += [f"{name}: {rate}" for rate in ("WER", "CER") for name in self.recognizers]
        lines = []
        for (name, condition, group), cells in sorted(self.cells.items(), key=lambda item: item[0][::2]):
            any_cell, everybody = (
                next(iter(each.values())) for each in (cells, self.cells[name, condition, ""])
            )
            if group and len(any_cell.words) == len(everybody.words):
                continue
            who = group or "all"
            row = [name, condition, f"{who} ({len(set(any_cell.speakers))})", str(len(any_cell.words))]
            row += [_percent(cells[each].rate(cells[each].words)) for each in self.recognizers]
            row += [_percent(cells[each].rate(cells[each].characters)) for each in self.recognizers]
            lines.append(row)
        return markdown(head, lines)

    def rtf(self, recognizer: str) -> float:
        """Return the processor seconds for a second of audio, over all that was read."""
        everybody = [cells[recognizer] for (_, _, group), cells in self.cells.items() if not group]
        return sum(each.cpu_s for each in everybody) / sum(each.audio_s for each in everybody)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return what a JSON file keeps."""
        return [
            {"set": name, "condition": condition, "group": group or "all"}
            | {recognizer: cell.to_dict() for recognizer, cell in cells.items()}
            for (name, condition, group), cells in self.cells.items()
        ]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _percent(rate: tuple[float, float, float]) -> str:
    found, low, high = (100 * each for each in rate)
    interval = f" [{low:.1f}, {high:.1f}]" if math.isfinite(low) else ""
    return f"{found:.1f}{interval}"


def _finite(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
