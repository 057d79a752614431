"""What a tool keeps of a manifest, what it leaves out and why, and the list of the latter on disk."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from linnet.core.errors import ManifestError
from linnet.manifest.jsonl import utterance_fields, write_lines
from linnet.manifest.utterance import Utterance


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An utterance that was left out.

    Attributes:
        utterance: what was left out.
        reason: why, in words that other utterances share ("shorter than 0.5 s").
        detail: what is particular to this one ("0.31 s").
    """

    utterance: Utterance
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Utterances divided into those kept, in their order, and those left out, in theirs."""

    kept: list[Utterance]
    left_out: list[LeftOut]

    def reasons(self) -> list[tuple[str, int, float]]:
        """Return each reason with its number of utterances and of seconds, the most frequent first."""
        counts, seconds = Counter(each.reason for each in self.left_out), defaultdict[str, float](float)
        for each in self.left_out:
            seconds[each.reason] += each.utterance.duration_s
        return [(reason, count, seconds[reason]) for reason, count in counts.most_common()]


def write_left_out(path: Path, left_out: Sequence[LeftOut], problems: Sequence[ManifestError] = ()) -> None:
    """Write what was left out as JSON lines that a manifest can be made of again.

    The line of an utterance has its fields and `left_out`, the reason; then comes for each line that could
    not be read an object with `left_out` alone, which says where and why.
    """
    directory = path.parent.resolve()
    lines = [
        utterance_fields(each.utterance, directory)
        | {"left_out": f"{each.reason}: {each.detail}" if each.detail else each.reason}
        for each in left_out
    ]
    write_lines(path, lines + [{"left_out": str(problem)} for problem in problems])
