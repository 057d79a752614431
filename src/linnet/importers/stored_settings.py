"""Settings that a checkpoint keeps as objects of another toolkit, as plain values: no class is loaded."""

from collections.abc import Mapping
from typing import Any

from torch.serialization import safe_globals

# Whose objects are read as values: fairseq keeps its command line, later its configuration.
PACKAGES = ("argparse.", "omegaconf.", "fairseq.", "typing.", "collections.defaultdict")
BUILTINS = (
    "dict",
    "list",
    "tuple",
    "int",
    "float",
    "str",
    "bool",
)  # which omegaconf keeps as types of values
MAX_CLASSES = 100
MAX_DEPTH, MAX_VALUES = 30, 100_000


class Unread:
    """Takes the place of an object: what was to make it and its state are kept, nothing of its class runs."""

    made_of: tuple[Any, ...]
    state: Any

    def __new__(cls, *made_of: Any) -> "Unread":
        """Keep the arguments that a class would have got."""
        instance = super().__new__(cls)
        instance.made_of, instance.state = made_of, None
        return instance

    def __setstate__(self, state: Any) -> None:
        """Keep the state as it is."""
        self.state = state


def is_readable(name: str) -> bool:
    """Tell the classes whose objects may be kept unread, by the names that PyTorch gives them in messages."""
    return name.startswith(PACKAGES) or name in BUILTINS


def unread(names: list[str]) -> safe_globals:
    """Make `torch.load` put `Unread` in the place of these classes, within a `with` block."""
    return safe_globals([(Unread, f"builtins.{name}" if name in BUILTINS else name) for name in names])


def plain(value: Any) -> Any:
    """Turn what was kept into mappings, lists, numbers and texts; what is none of these becomes None.

    A node of omegaconf has its values in `_content` or `_val`. What is nested deeper than `MAX_DEPTH` or
    stands behind the first `MAX_VALUES` is None too.
    """
    return _Plain().of(value, 0)


class _Plain:
    def __init__(self) -> None:
        self.num_left = MAX_VALUES

    def of(self, value: Any, depth: int) -> Any:
        self.num_left -= 1
        if depth > MAX_DEPTH or self.num_left < 0:
            return None
        if isinstance(value, Unread):
            return self.of(_inside(value), depth + 1)
        if isinstance(value, Mapping):
            return {str(key): self.of(each, depth + 1) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(each, depth + 1) for each in value]
        return value if isinstance(value, str | bool | int | float) else None


def _inside(value: Unread) -> Any:
    if not isinstance(value.state, Mapping):  # such as a member of an enumeration
        return value.made_of[0] if value.made_of else None
    return next((value.state[key] for key in ("_content", "_val") if key in value.state), value.state)
