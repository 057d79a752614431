"""Word to the user before numba compiles something, which happens once and takes seconds."""

import logging
from pathlib import Path
from typing import Any

_LOG = logging.getLogger(__name__)


def announce_compiling(function: Any) -> None:
    """Log that a function of numba's, cached on disk, is about to be compiled, if it is.

    Args:
        function: what `numba.njit(cache=True)` returned.
    """
    if function.signatures:
        return
    python = function.py_func
    name = f"{python.__module__.rpartition('.')[2]}.{python.__qualname__}-*.nbi"
    if not any(Path(function.stats.cache_path).glob(name)):
        _LOG.info("compiling %s for this machine, once …", python.__qualname__.replace("_", " "))
