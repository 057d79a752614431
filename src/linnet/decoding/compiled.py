"""Functions that numba compiles when they are first called; the result is kept on disk."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from linnet.core.errors import MissingDependencyError
from linnet.core.optional import require

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; it runs without the interpreter's lock.

    Without numba the function can be imported but not called: MissingDependencyError then names the extra.
    """
    try:
        numba = require("numba", extra="beam", purpose="beam search and alignment")
    except MissingDependencyError as error:
        return cast(F, _refusing(error))
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def _refusing(error: MissingDependencyError) -> Callable[..., object]:
    def refuse(*_arguments: Any) -> object:
        raise error

    return refuse
