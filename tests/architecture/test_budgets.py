"""linnet keeps the house budgets that tools/style_metrics.py measures."""

from pathlib import Path

import style_metrics


def test_the_package_keeps_every_budget(repo_root: Path) -> None:
    metrics = style_metrics.measure(repo_root / "src" / "linnet")
    assert style_metrics.violations(metrics) == []
    assert len(metrics.functions) > 100, "the checker measured next to nothing"


def test_no_forbidden_names_outside_the_package(repo_root: Path) -> None:
    files = [path for room in ("tests", "tools", "benchmarks") for path in (repo_root / room).rglob("*.py")]
    nameless = [path for path in files if style_metrics.FORBIDDEN_NAMES & set(path.stem.split("_"))]
    assert files
    assert nameless == []


def test_every_file_opens_with_its_one_job(repo_root: Path) -> None:
    files = [path for room in ("tests", "tools", "benchmarks") for path in (repo_root / room).rglob("*.py")]
    silent = [path for path in files if not path.read_text(encoding="utf-8").startswith('"""')]
    assert silent == []
