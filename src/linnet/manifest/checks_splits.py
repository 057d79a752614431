"""Checks across lines: the same sound twice, and sound, speakers or texts that two splits share."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from linnet.manifest.checks_text import comparable, shown
from linnet.manifest.findings import Finding, Line, found

# Names that stand for nobody in particular.
_NOBODY = frozenset({"", "unknown", "none", "several", "n/a", "-"})


@dataclass(frozen=True, slots=True)
class Split:
    """The lines of one or more manifests that serve the same end.

    Attributes:
        name: "train", "dev", or the path of a manifest.
        lines: all their lines.
        sounds: a key for the sound of each line (`sound_key`).
    """

    name: str
    lines: Sequence[Line]
    sounds: Sequence[str]


def is_somebody(speaker: str) -> bool:
    """Tell whether the name of a speaker stands for one person."""
    return speaker.casefold() not in _NOBODY


def sound_key(line: Line, digest: str) -> str:
    """Name the sound of a line: by its digest, or by place where it was not decoded."""
    utterance = line.utterance
    place = Path(utterance.audio).absolute()
    return digest or f"{place}@{utterance.offset_s:.3f}+{utterance.duration_s:.3f}"


def check_repeated_sounds(lines: Sequence[Line], sounds: Sequence[str]) -> list[Finding]:
    """Find the sound that several lines of a manifest have, with the same text or with another."""
    findings: list[Finding] = []
    first: dict[str, Line] = {}
    for line, sound in zip(lines, sounds, strict=True):
        other = first.setdefault(sound, line)
        if other is line:
            continue
        if comparable(other) == comparable(line):
            findings.append(found("duplicate-audio", line, f"has the sound of line {other.number}"))
            continue
        for one, two in ((other, line), (line, other)):
            texts = [shown(each.utterance.text or "") for each in (one, two)]
            what = f"{texts[0]} here, {texts[1]} in line {two.number}, with the same sound"
            findings.append(found("contradicting-texts", one, what))
    return findings


def check_splits(splits: Sequence[Split]) -> list[Finding]:
    """Compare each split with each that comes before it."""
    return [
        finding
        for index, later in enumerate(splits)
        for earlier in splits[:index]
        for finding in (
            *_shared_sounds(earlier, later),
            *_shared_speakers(earlier, later),
            *_shared_texts(earlier, later),
        )
    ]


def _shared_sounds(earlier: Split, later: Split) -> Iterator[Finding]:
    theirs = dict(zip(reversed(later.sounds), reversed(later.lines), strict=True))
    for line, sound in zip(earlier.lines, earlier.sounds, strict=True):
        if sound in theirs:
            yield found("shared-audio", line, f"is the sound of {_place(theirs[sound])}")


def _shared_speakers(earlier: Split, later: Split) -> Iterator[Finding]:
    theirs = Counter(line.utterance.speaker for line in earlier.lines)
    mine = Counter(line.utterance.speaker for line in later.lines)
    first = {line.utterance.speaker: line for line in reversed(later.lines)}
    for speaker, count in mine.items():
        if is_somebody(speaker) and speaker in theirs:
            what = (
                f"{speaker!r:.60} speaks {count} lines of {later.name}, {theirs[speaker]} of {earlier.name}"
            )
            yield found("shared-speaker", first[speaker], what)


def _shared_texts(earlier: Split, later: Split) -> Iterator[Finding]:
    theirs = {comparable(line): line for line in reversed(earlier.lines)}
    for line in later.lines:
        text = comparable(line)
        if text and text in theirs:
            yield found("shared-text", line, f"{shown(text)} is the text of {_place(theirs[text])} too")


def _place(line: Line) -> str:
    return f"{line.manifest}, line {line.number}"
