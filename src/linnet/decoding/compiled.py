"""Functions that numba compiles when they are first called; the result is kept on disk."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from linnet.core.errors import MissingDependencyError
from linnet.core.optional import require

_LOG = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function of arrays and numbers; it runs without the interpreter's lock.

    Without numba the function can be imported but not called: MissingDependencyError then names the extra.
    """
    return _compiled(function)


def compiled_lean(function: F) -> F:
    """Compile a function as `compiled` does, without counting references to the arrays that it is given.

    The counting takes more than half of the time of a search, whose small functions are given many arrays at
    once. A function that creates no array needs none; only such a one, and one that calls only such, or
    others of which it gets no array, may be compiled so.
    """
    return _compiled(function, _nrt=False)


def announce_compiling(function: Any) -> None:
    """Log that what `compiled` gave is about to be compiled, if it is: once on a machine, for seconds."""
    if getattr(function, "signatures", True):
        return
    python = function.py_func
    name = f"{python.__module__.rpartition('.')[2]}.{python.__qualname__}-*.nbi"
    if not any(Path(function.stats.cache_path).glob(name)):
        _LOG.info("compiling %s for this machine, once …", python.__qualname__.replace("_", " "))


def _compiled(function: F, **options: bool) -> F:
    try:
        numba = require("numba", extra="beam", purpose="beam search and alignment")
    except MissingDependencyError as error:
        return cast(F, _refusing(error))
    return cast(F, numba.njit(cache=True, nogil=True, **options)(function))


def _refusing(error: MissingDependencyError) -> Callable[..., object]:
    def refuse(*_arguments: Any) -> object:
        raise error

    return refuse
