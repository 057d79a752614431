"""Functions that numba compiles when they are first called; the result is kept on disk."""

from collections.abc import Callable
from typing import TypeVar, cast

from linnet.core.optional import require

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; it runs without the interpreter's lock.

    Raises:
        MissingDependencyError: when numba is not installed.
    """
    numba = require("numba", extra="beam", purpose="beam search and alignment")
    return cast(F, numba.njit(cache=True, nogil=True)(function))
