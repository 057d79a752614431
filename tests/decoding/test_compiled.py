"""What needs numba can be imported without it, and says so when it is called."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from linnet.core.errors import MissingDependencyError
from linnet.decoding.compiled import announce_compiling, compiled


def double(value: int) -> int:
    return 2 * value


def test_a_function_needs_numba_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    refused = compiled(double)
    with pytest.raises(MissingDependencyError, match=r"pip install 'linnet\[beam\]'"):
        refused(2)


def test_compiling_is_announced_unless_it_was_done(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="linnet")

    def best_path() -> None: ...

    def announced(*signatures: str) -> bool:
        caplog.clear()
        stats = SimpleNamespace(cache_path=str(tmp_path))
        announce_compiling(SimpleNamespace(signatures=signatures, py_func=best_path, stats=stats))
        return "compiling" in caplog.text

    assert announced()
    assert not announced("compiled in this process")
    name = f"{best_path.__module__.rpartition('.')[2]}.{best_path.__qualname__}-7.py311.nbi"
    (tmp_path / name.replace("/", "_")).touch()  # as numba names what it keeps
    assert not announced()
