"""An optional package that is missing is asked for by the name of its extra."""

import json
import sys
from pathlib import Path

import pytest

from linnet.core.errors import MissingDependencyError
from linnet.core.optional import is_installed, require


def test_an_installed_module_is_returned() -> None:
    assert require("json", extra="train", purpose="a test") is json


def test_a_package_is_found_without_importing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_package.py").write_text("raise AssertionError", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert is_installed("failing_package")
    assert not is_installed("absent_package")


def test_a_missing_package_names_its_extra() -> None:
    with pytest.raises(MissingDependencyError) as caught:
        require("absent_package.part", extra="media", purpose="reading m4a files")
    assert str(caught.value) == (
        "reading m4a files needs the package 'absent_package', which is not installed. "
        "Install it with: pip install 'linnet[media]'"
    )


def test_a_package_that_lacks_its_own_dependency_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_package.py").write_text("import absent_dependency\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "broken_package", raising=False)
    with pytest.raises(ModuleNotFoundError) as caught:
        require("broken_package", extra="media", purpose="a test")
    assert caught.value.name == "absent_dependency"
