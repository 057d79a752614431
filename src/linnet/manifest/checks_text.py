"""Checks of the texts of a manifest: missing, empty, damaged, repeated, and too much or too little speech."""

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from linnet.manifest.findings import Finding, Line, found, found_in
from linnet.text.normalize import normalize

COMPARED_AS = "basic"  # the normalizer under which two texts count as the same

MAX_CHARACTERS_PER_S = 50.0  # the fastest speakers reach about 30 letters a second
MIN_RATES = 30  # fewer lines say nothing about what is usual
ODD_FROM = 6.0  # robust standard deviations of the logarithm of the rate
MIN_SPREAD = 0.15  # ... of which one is at least this, lest much the same texts make a trifle odd

_SHOWN_CHARACTERS = 60
_NORMAL_MAD = 0.6745  # median absolute deviation of a normal distribution with standard deviation 1
_DAMAGED = ("Cc", "Cs", "Co", "Cn")  # control, surrogate, private and unassigned code points


def check_texts(lines: Sequence[Line]) -> list[Finding]:
    """Check the texts of the lines of one manifest."""
    texts = [comparable(line) for line in lines]
    if lines and all(line.utterance.text is None for line in lines):
        return [found_in("unlabelled", lines[0].manifest, f"none of the {len(lines)} lines has a text")]
    return [
        *(finding for line, text in zip(lines, texts, strict=True) for finding in _check_one(line, text)),
        *_repeated(lines, texts),
        *_speech_rates(lines, texts),
    ]


def comparable(line: Line) -> str:
    """Give the text in the form in which texts are compared, "" where there is none."""
    return normalize(line.utterance.text or "", COMPARED_AS)


def shown(text: str) -> str:
    """Quote a text in a message, its start where it is long."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…")


def _check_one(line: Line, text: str) -> Iterator[Finding]:
    written = line.utterance.text
    if written is None:
        yield found("missing-text", line, "the line has no text")
        return
    if not text:
        yield found("empty-text", line, f"the text is {shown(written)}")
    damaged = sorted({character for character in written if _is_damaged(character)})
    if damaged:
        names = ", ".join(f"U+{ord(character):04X}" for character in damaged)
        yield found("damaged-text", line, f"{names} in {shown(written)}")


def _is_damaged(character: str) -> bool:
    return character == "\ufffd" or (character not in "\t\n" and unicodedata.category(character) in _DAMAGED)


def _repeated(lines: Sequence[Line], texts: Sequence[str]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for line, text in zip(lines, texts, strict=True):
        number = first.setdefault(text, line.number)
        if text and number != line.number:
            yield found("duplicate-text", line, f"{shown(text)} is the text of line {number} too")


def _speech_rates(lines: Sequence[Line], texts: Sequence[str]) -> Iterator[Finding]:
    """Find impossible rates, and those far from the median as measured by the median absolute deviation."""
    counts = np.array([len(text.replace(" ", "")) for text in texts])
    seconds = np.array([line.utterance.duration_s for line in lines])
    spoken = np.flatnonzero(counts)
    rates = counts[spoken] / seconds[spoken]
    logs = np.log(rates)
    median = float(np.median(logs)) if len(logs) else 0.0
    deviations = np.abs(logs - median)
    spread = max(MIN_SPREAD, float(np.median(deviations)) / _NORMAL_MAD) if len(logs) else MIN_SPREAD
    odd = (deviations > ODD_FROM * spread) & (len(rates) >= MIN_RATES)
    for index, rate, is_odd in zip(spoken.tolist(), rates, odd, strict=True):
        line = lines[index]
        what = f"{rate:.3g} letters a second: {shown(texts[index])} in {line.utterance.duration_s:.2f} s"
        if rate > MAX_CHARACTERS_PER_S:
            yield found("impossible-rate", line, what)
        elif is_odd:
            yield found("odd-rate", line, f"{what}, where {np.exp(median):.3g} is usual")
