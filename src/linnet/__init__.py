"""linnet trains, proves and ships CTC speech recognizers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linnet.core.results import Transcript, Word
    from linnet.runtime.recognizer import Recognizer

__version__ = "0.1.0"
__all__ = ["Recognizer", "Transcript", "Word", "__version__"]

_HOMES = {
    "Recognizer": "linnet.runtime.recognizer",
    "Transcript": "linnet.core.results",
    "Word": "linnet.core.results",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import linnet` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'linnet' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
