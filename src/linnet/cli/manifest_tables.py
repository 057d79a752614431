"""What `linnet manifest` shows: tables of parts, of what was left out, and of figures."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from linnet.cli.console import print_result, printable, results

if TYPE_CHECKING:
    from linnet.manifest.selection import Selection
    from linnet.manifest.stats import ManifestStats
    from linnet.manifest.utterance import Utterance

MAX_SHOWN_CHARACTERS = 100  # a report has them all
PERCENTILE_NAMES = {0: "least", 5: "5 %", 50: "median", 95: "95 %", 100: "most"}


def print_selection(selection: "Selection") -> None:
    """Show what was kept, and what was left out for each reason."""
    kept = ("kept", str(len(selection.kept)), _hours(_total_s(selection.kept)))
    left_out = [
        (f"left out: {reason}", str(count), _hours(total_s)) for reason, count, total_s in selection.reasons()
    ]
    _print_table(("", "utterances", "hours"), [kept, *left_out])


def print_parts(parts: "Mapping[str, Sequence[Utterance]]") -> None:
    """Show what the manifests hold that were written."""
    total_s = sum(map(_total_s, parts.values()))
    rows = [
        (
            name,
            str(len(utterances)),
            _hours(_total_s(utterances)),
            f"{_total_s(utterances) / total_s:.1%}",
            str(len({utterance.speaker for utterance in utterances} - {""})),
        )
        for name, utterances in parts.items()
    ]
    _print_table(("manifest", "utterances", "hours", "of all", "speakers"), rows)


def print_stats(measured: "Mapping[str, ManifestStats]") -> None:
    """Show the figures of manifests, a column for each."""
    facts: dict[str, Callable[[ManifestStats], str]] = {
        "hours": lambda stats: _hours(stats.total_s),
        "utterances": lambda stats: str(stats.num_utterances),
        "recordings": lambda stats: str(stats.num_recordings),
        "speakers": lambda stats: str(stats.num_speakers),
        "without a speaker": lambda stats: str(stats.num_without_speaker),
        "without a text": lambda stats: str(stats.num_without_text),
        "with an empty text": lambda stats: str(stats.num_empty_texts),
        "words": lambda stats: str(stats.num_words),
        "different words": lambda stats: str(stats.num_distinct_words),
        "characters": lambda stats: str(sum(stats.characters.values())),
        "different characters": lambda stats: str(len(stats.characters)),
    }
    rows = [(label, *(fact(stats) for stats in measured.values())) for label, fact in facts.items()]
    for label, attribute in (("duration, s", "duration_s"), ("characters/s", "chars_per_s")):
        percentiles = [getattr(stats, attribute) for stats in measured.values()]
        rows += [
            (f"{label}: {name}", *(f"{values[percent]:.2f}" if values else "-" for values in percentiles))
            for percent, name in PERCENTILE_NAMES.items()
        ]
    _print_table(("", *measured), rows)


def print_characters(stats: "ManifestStats") -> None:
    """Show how often each character comes."""
    shown = list(stats.characters.items())[:MAX_SHOWN_CHARACTERS]
    rest = len(stats.characters) - len(shown)
    print_result("\ncharacters: " + "  ".join(f"{_visible(character)} {count}" for character, count in shown))
    if rest:
        print_result(f"and {rest} more; --json FILE writes each")


def _visible(character: str) -> str:
    """Show a character that would not be seen alone (a space, a mark, a control character) by its number."""
    seen = unicodedata.category(character)[0] not in "CMZ"
    return character if seen else f"U+{ord(character):04X}"


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, title in enumerate(header):
        table.add_column(Text(printable(title)), justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    results.print(table)


def _hours(duration_s: float) -> str:
    return f"{duration_s / 3600:.2f}"


def _total_s(utterances: "Sequence[Utterance]") -> float:
    return sum(utterance.duration_s for utterance in utterances)
