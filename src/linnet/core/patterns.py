"""Names with dots, and the patterns that choose among them."""

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase

from linnet.core.errors import ConfigError

MAX_SHOWN_NAMES = 8


def fits(name: str, pattern: str) -> bool:
    """Tell whether a pattern chooses a name.

    A pattern is a name, which chooses all below it too: `encoder.blocks.1` chooses
    `encoder.blocks.1.norm.weight`, not `encoder.blocks.10`. It may hold `*`, `?` and `[…]` as file names do.
    """
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


def chosen(names: Iterable[str], patterns: Iterable[str], key: str) -> frozenset[str]:
    """Give the names that any pattern chooses.

    Args:
        names: all there are.
        patterns: as `fits` reads them.
        key: of the configuration, where the patterns stand.

    Raises:
        ConfigError: when a pattern chooses nothing: it would be misspelled in silence.
    """
    everything = list(names)
    found: set[str] = set()
    for pattern in patterns:
        here = [name for name in everything if fits(name, pattern)]
        if not here:
            raise ConfigError(f"{key}: {pattern!r} is the name of nothing", remedy=_hint(everything, pattern))
        found.update(here)
    return frozenset(found)


def _hint(names: list[str], pattern: str) -> str:
    depth = pattern.count(".") + 1
    heads = list(dict.fromkeys(".".join(name.split(".")[:depth]) for name in names))
    near = get_close_matches(pattern, heads, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    shown = ", ".join(heads[:MAX_SHOWN_NAMES])
    return f"There are {shown}" + (" …" if len(heads) > MAX_SHOWN_NAMES else "")
