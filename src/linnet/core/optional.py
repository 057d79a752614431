"""Import of optional packages, with an error that names the extra to install."""

import importlib
import importlib.util
from types import ModuleType

from linnet.core.errors import MissingDependencyError


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module` or say which extra brings it.

    Args:
        module: dotted name of the module.
        extra: the extra of linnet that installs it.
        purpose: what needs it, as the subject of the message ("reading m4a files").

    Raises:
        MissingDependencyError: when the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and not module.startswith(error.name.split(".")[0]):
            raise
        raise MissingDependencyError(
            f"{purpose} needs the package {module.split('.')[0]!r}, which is not installed",
            remedy=f"Install it with: pip install 'linnet[{extra}]'",
        ) from None


def is_installed(module: str) -> bool:
    """Tell whether a package is there, without importing it."""
    return importlib.util.find_spec(module) is not None
