"""TextGrids of Praat: named tiers of intervals."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol


class Timed(Protocol):
    """A text on the clock of the recording, in seconds: a word or a token."""

    @property
    def text(self) -> str: ...  # noqa: D102

    @property
    def start_s(self) -> float: ...  # noqa: D102

    @property
    def end_s(self) -> float: ...  # noqa: D102


def textgrid(tiers: Mapping[str, Sequence[Timed]], duration_s: float) -> str:
    """Write tiers in Praat's long text format, https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html.

    Args:
        tiers: texts in the order of time by the name of their tier.
        duration_s: the length of the recording.
    """
    end_s = max(duration_s, 0.001)  # Praat refuses a time domain without length
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {end_s:.3f}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, parts) in enumerate(tiers.items(), start=1):
        lines += _tier(number, name, parts, end_s)
    return "".join(f"{line}\n" for line in lines)


def _tier(number: int, name: str, parts: Sequence[Timed], end_s: float) -> Iterator[str]:
    intervals = list(_intervals(parts, end_s))
    yield f"    item [{number}]:"
    yield from ('        class = "IntervalTier"', f'        name = "{name}"')
    yield from (
        "        xmin = 0",
        f"        xmax = {end_s:.3f}",
        f"        intervals: size = {len(intervals)}",
    )
    for index, (first_s, last_s, text) in enumerate(intervals, start=1):
        yield f"        intervals [{index}]:"
        yield from (f"            xmin = {first_s:.3f}", f"            xmax = {last_s:.3f}")
        quoted = text.replace('"', '""')
        yield f'            text = "{quoted}"'


def _intervals(parts: Sequence[Timed], end_s: float) -> Iterator[tuple[float, float, str]]:
    """Cover the whole time without gaps; what would last no time at all is left out, as Praat refuses it."""
    at_s = 0.0
    for part in parts:
        if part.start_s > at_s:
            yield at_s, part.start_s, ""
        if part.end_s > part.start_s:
            yield part.start_s, part.end_s, part.text
        at_s = max(at_s, part.end_s)
    if f"{at_s:.3f}" < f"{end_s:.3f}" or at_s < end_s - 0.0005:
        yield at_s, end_s, ""
