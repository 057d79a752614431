"""What was prepared, in words: the page beside the manifests with hours, speakers, lengths and characters."""

from linnet.corpora.catalog import Corpus
from linnet.corpora.report import Part, PrepareReport

MAX_CHARACTERS_SHOWN = 120
MAX_SKIPPED_LISTED = 1000

_HEADER = """\
| manifest | utterances | hours | speakers | shortest | median | 95 % below | longest | characters |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""


def lengths_and_characters(part: Part) -> str:
    """Say in one line how long the utterances of a part are and what its texts are written with."""
    shortest, median, percentile, longest = part.lengths_s
    return (
        f"{shortest:.1f} to {longest:.1f} s (median {median:.1f}, 95 % below {percentile:.1f}), "
        f"{len(part.characters)} characters: {_shown(part.characters)}"
    )


def summary_page(corpus: Corpus, report: PrepareReport) -> str:
    """Write the page as Markdown: a table, the characters, the license, and what was left out."""
    rows = "".join(_row(part) for part in report.parts)
    characters = "\n".join(f"- {part.manifest.name}: {_shown(part.characters)}" for part in report.parts)
    page = f"# {corpus.title}\n\n{corpus.license_note}\n\n{_HEADER}{rows}\nCharacters:\n\n{characters}\n"
    if report.skipped:
        listed = report.skipped[:MAX_SKIPPED_LISTED]
        lines = "\n".join(f"- {_one_line(skipped.what)}: {_one_line(skipped.reason)}" for skipped in listed)
        more = (
            f"\n- and {len(report.skipped) - len(listed)} more" if len(report.skipped) > len(listed) else ""
        )
        page += f"\nLeft out ({len(report.skipped)}):\n\n{lines}{more}\n"
    return page


def _row(part: Part) -> str:
    shortest, median, percentile, longest = part.lengths_s
    return (
        f"| {part.manifest.name} | {part.num_utterances} | {part.duration_s / 3600:.2f} "
        f"| {part.num_speakers or 'unknown'} | {shortest:.2f} s | {median:.2f} s | {percentile:.2f} s "
        f"| {longest:.2f} s | {len(part.characters)} |\n"
    )


def _shown(characters: str) -> str:
    """Show characters with what cannot be printed escaped, and a space at the end where there is one."""
    if not characters:
        return "none, there are no texts"
    visible = [mark if mark.isprintable() else ascii(mark)[1:-1] for mark in characters if mark != " "]
    more = f" and {len(visible) - MAX_CHARACTERS_SHOWN} more" if len(visible) > MAX_CHARACTERS_SHOWN else ""
    space = ", space" if " " in characters else ""
    return "".join(visible[:MAX_CHARACTERS_SHOWN]) + more + space


def _one_line(text: str) -> str:
    return " ".join(text.split())
