"""The wheel and the sdist build offline and carry what a user needs."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

MAX_WHEEL_MB = 12


@pytest.fixture(scope="module")
def built(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_wheel_carries_the_whole_package(repo_root: Path, built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = repo_root / "src" / "linnet"
    files = {
        f"linnet/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"linnet/py.typed", "linnet/__init__.py"} <= files
    assert files <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert all(name.startswith(("linnet/", "linnet-")) for name in names)
    assert wheel.stat().st_size <= MAX_WHEEL_MB * 1e6


def test_the_sdist_carries_sources_tests_and_recipes(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "LICENSE", "README.md", "src/linnet/py.typed", "tests/conftest.py"} <= names
