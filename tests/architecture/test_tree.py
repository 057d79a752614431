"""What the files of the checkout may say: links that lead somewhere, no place of one machine, no registry."""

import re
import subprocess
from pathlib import Path

import pytest

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)[^)]*\)")
ONE_MACHINE = re.compile(r"(?<![\w.~/-])(?:/(?:work|home|root|Users|mnt|scratch)/\w|[A-Z]:\\\\Users)")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.|registry\.npmjs|deb\.debian|download\.pytorch|anaconda\.org|crates\.io"
)


@pytest.fixture(scope="module")
def tracked(repo_root: Path) -> list[Path]:
    """The files that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so nothing says which files belong to the tree")
    return [path for name in listed.split("\0") if name and (path := repo_root / name).is_file()]


def breaches(files: list[Path], pattern: re.Pattern[str]) -> list[str]:
    """Name each line of a text file that matches."""
    found = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # a picture, a recording, a model
            continue
        found += [f"{path}:{number}: {line}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_no_file_names_a_place_of_one_machine(tracked: list[Path]) -> None:
    assert breaches(tracked, ONE_MACHINE) == []


def test_no_file_names_a_package_registry(tracked: list[Path]) -> None:
    assert breaches(tracked, REGISTRY) == []


def test_the_patterns_catch_what_they_should(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    home, host = "/ho" + "me/anna/a.wav", "https://py" + "pi.org/simple"
    page.write_text(f"fine: docs/work/a.md\n{home}\n{host}\n", encoding="utf-8")
    assert breaches([page], ONE_MACHINE) == [f"{page}:2: {home}"]
    assert breaches([page], REGISTRY) == [f"{page}:3: {host}"]


def test_every_relative_link_leads_to_a_file(tracked: list[Path]) -> None:
    pages = [path for path in tracked if path.suffix == ".md"]
    broken = [
        f"{page}: {target}"
        for page in pages
        for target in (match["target"] for match in LINK.finditer(page.read_text(encoding="utf-8")))
        if "://" not in target and not target.startswith(("#", "mailto:"))
        if not (page.parent / target.partition("#")[0]).exists()
    ]
    assert pages
    assert broken == []
