"""Keeping the utterances that meet conditions on length, speech rate, characters, speaker and text."""

import re
from collections.abc import Iterator, Sequence

from linnet.manifest.filter_config import FilterConfig
from linnet.manifest.selection import LeftOut, Selection
from linnet.manifest.utterance import Utterance

MAX_SHOWN_CHARACTERS = 20


def chars_per_s(utterance: Utterance) -> float | None:
    """Return the characters of the text, spaces included, in a second; None where there is no text."""
    return None if utterance.text is None else len(utterance.text) / utterance.duration_s


def filter_utterances(utterances: Sequence[Utterance], config: FilterConfig) -> Selection:
    """Keep the utterances that meet every condition; the first that one fails is its reason."""
    selection = Selection([], [])
    for utterance in utterances:
        failed = next(_failures(utterance, config), None)
        if failed is None:
            selection.kept.append(utterance)
        else:
            selection.left_out.append(LeftOut(utterance, *failed))
    return selection


def _failures(utterance: Utterance, config: FilterConfig) -> Iterator[tuple[str, str]]:
    """Yield the reason and the detail of each condition that an utterance fails."""
    yield from _outside(utterance.duration_s, config.min_duration_s, config.max_duration_s, "s")
    if config.speaker and utterance.speaker not in config.speaker:
        yield "another speaker", repr(utterance.speaker) if utterance.speaker else "unknown"
    text, rate = utterance.text, chars_per_s(utterance)
    if text is None or rate is None:
        if config.asks_for_text:
            yield "no text", ""
        return
    yield from _outside(rate, config.min_chars_per_s, config.max_chars_per_s, "characters per second")
    if config.chars is not None and (others := sorted(set(text) - config.allowed)):
        shown = " ".join(map(repr, others[:MAX_SHOWN_CHARACTERS]))
        yield "characters that are not allowed", shown + (" …" if others[MAX_SHOWN_CHARACTERS:] else "")
    for expression in config.match:
        if not re.search(expression, text):
            yield f"no match of {expression!r}", ""


def _outside(value: float, low: float | None, high: float | None, unit: str) -> Iterator[tuple[str, str]]:
    if low is not None and value < low:
        yield f"below {low:g} {unit}", f"{value:.2f}"
    if high is not None and value > high:
        yield f"above {high:g} {unit}", f"{value:.2f}"
