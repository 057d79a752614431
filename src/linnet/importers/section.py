"""A section of a foreign configuration, read key by key so that nothing in it is passed over in silence."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from linnet.core.config_error import shorten
from linnet.core.errors import CheckpointError

T = TypeVar("T")

SAVE_AGAIN = "Save the model again with the toolkit it is from"

_MAX_INTEGER = 2**1023  # larger ones overflow a float


class Section:
    """Some keys and values with a name, of which every one must be read, expected or known to be harmless.

    Args:
        values: the section; anything but a mapping is refused.
        where: what to call it in messages, such as "model.nemo, encoder".

    Raises:
        CheckpointError: when `values` is no mapping.
    """

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, Mapping):
            raise CheckpointError(f"{shorten(values)} is not a section", where=where, remedy=SAVE_AGAIN)
        self.where = where
        self._values = dict(values)
        self._read: set[str] = set()

    @property
    def names(self) -> list[str]:
        """The keys, in the order of the file."""
        return list(map(str, self._values))

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Read a value; an integer passes for a float.

        Args:
            key: its name.
            kind: the type it must have.
            default: taken where the key is missing or null; without one that is an error.

        Raises:
            CheckpointError: when the value is missing or of another type.
        """
        self._read.add(key)
        value = self._values.get(key)
        if value is None:
            value = default
        if value is None:
            raise CheckpointError(f"{key} is missing", where=self.where, remedy=SAVE_AGAIN)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) < _MAX_INTEGER else math.inf
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise CheckpointError(
                f"{key}: {shorten(value)} is not {kind.__name__}",
                where=self.where,
                remedy=SAVE_AGAIN,
            )
        return value

    def get(self, key: str) -> Any:
        """Read a value of any type; None where the key is missing."""
        self._read.add(key)
        return self._values.get(key)

    def expect(self, key: str, allowed: Iterable[Any]) -> None:
        """Refuse a value that linnet does not implement; a missing key is fine.

        Raises:
            CheckpointError: when the value is not among `allowed`.
        """
        self._read.add(key)
        allowed = tuple(allowed)
        if key in self._values and self._values[key] not in allowed:
            raise CheckpointError(
                f"{key}: {shorten(self._values[key])} is not supported; known: "
                + ", ".join(map(repr, allowed)),
                where=self.where,
            )

    def ignore(self, *keys: str) -> None:
        """Pass over keys that do not change what the model computes outside of training."""
        self._read.update(keys)

    def finish(self) -> None:
        """Refuse what nobody has read, since it may change what the model computes.

        Raises:
            CheckpointError: listing every key that is left.
        """
        if left := [key for key in self._values if key not in self._read]:
            raise CheckpointError(
                f"unknown keys: {', '.join(map(str, left))}",
                where=self.where,
                remedy="A newer version of linnet may know them",
            )
