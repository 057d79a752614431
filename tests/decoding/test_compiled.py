"""What needs numba can be imported without it, and says so when it is called."""

import sys

import pytest

from linnet.core.errors import MissingDependencyError
from linnet.decoding.compiled import compiled


def double(value: int) -> int:
    return 2 * value


def test_a_function_needs_numba_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    refused = compiled(double)
    with pytest.raises(MissingDependencyError, match=r"pip install 'linnet\[beam\]'"):
        refused(2)
