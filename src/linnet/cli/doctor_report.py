"""What `linnet doctor` prints: the sets, how long their utterances are, what batches fit, what was found."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from linnet.cli.console import print_result, printable, results
from linnet.manifest.checks import Examination
from linnet.manifest.findings import KINDS, Finding, Severity
from linnet.manifest.histogram import duration_histogram

if TYPE_CHECKING:
    from linnet.training.batch_limit import BatchLimit
    from linnet.training.config import TrainConfig

MAX_SHOWN = 3  # findings of a kind, and remedies
MAX_BAR_COLUMNS = 50

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold"}
_GIB = 2**30


def print_report(
    examined: dict[Path, Examination],
    findings: Sequence[Finding],
    limit: "BatchLimit | None",
    settings: "TrainConfig | None",
) -> None:
    """Print the sets, their lengths, what batches fit, and the findings, the first of each kind."""
    _print_sets(examined, findings)
    _print_histogram([duration_s for one in examined.values() for duration_s in one.durations_s])
    if limit and settings:
        _print_limit(limit, settings)
    _print_findings(findings)
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in Severity}
    tally = [f"{count} {severity}{'s' * (count != 1)}" for severity, count in counts.items()]
    print_result("\n" + ", ".join(tally))


def _print_sets(examined: dict[Path, Examination], findings: Sequence[Finding]) -> None:
    table = Table("manifest", "lines", "hours", "speakers", "errors", "warnings", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for path, one in examined.items():
        mine = [finding.severity for finding in findings if finding.manifest == str(path)]
        hours = sum(one.durations_s) / 3600
        cells = (
            len(one.lines),
            f"{hours:.2f}",
            one.num_speakers,
            mine.count(Severity.ERROR),
            mine.count(Severity.WARNING),
        )
        table.add_row(Text(printable(str(path)), overflow="fold"), *map(str, cells))
    results.print(table)


def _print_histogram(durations_s: Sequence[float]) -> None:
    histogram = duration_histogram(durations_s)
    most = max(histogram.counts, default=0)
    print_result("")
    for index, count in enumerate(histogram.counts):
        start_s, end_s = index * histogram.width_s, (index + 1) * histogram.width_s
        if index == len(histogram.counts) - 1:
            end_s = max(end_s, histogram.longest_s)
        bar = "█" * -(-count * MAX_BAR_COLUMNS // most)
        print_result(f"{start_s:7.1f} to {end_s:7.1f} s {count:7}  {bar}".rstrip())


def _print_limit(limit: "BatchLimit", settings: "TrainConfig") -> None:
    why = {
        "memory": "more does not fit the memory",
        "time": "the time for trials ended there",
        "size": "the largest that is tried",
    }
    print_result(
        f"\nbatches on {limit.device}: {limit.batch_s:.0f} s ran ({why[limit.stopped_by]}; "
        f"data.batch_s is {settings.data.batch_s:g})"
    )
    for trial in limit.trials:
        print_result(
            f"  {trial.batch_s:7.1f} s  {trial.num_utterances:5} utterances  {trial.step_s:6.2f} s a step  "
            f"{trial.peak_bytes / _GIB:6.2f} of {trial.capacity_bytes / _GIB:.2f} GiB"
        )
    if limit.is_estimate:
        print_result(f"  by this growth about {limit.estimated_batch_s:.0f} s would fit")


def _print_findings(findings: Sequence[Finding]) -> None:
    """Show each kind with its first findings, errors first."""
    for severity in Severity:
        for code, kind in KINDS.items():
            group = [finding for finding in findings if finding.code == code]
            if not group or kind.severity != severity:
                continue
            print_result("")
            results.print(
                f"[{_STYLES[severity]}]{severity}[/] {code} ({len(group)}): {kind.title}", soft_wrap=True
            )
            for finding in group[:MAX_SHOWN]:
                place = f"{finding.manifest}:{finding.line}: " if finding.manifest else ""
                print_result(printable(f"  {place}{finding.what}"))
            if len(group) > MAX_SHOWN:
                print_result(f"  and {len(group) - MAX_SHOWN} more")
            for remedy in list(dict.fromkeys(finding.remedy for finding in group))[:MAX_SHOWN]:
                print_result(printable(f"  → {remedy}"))
