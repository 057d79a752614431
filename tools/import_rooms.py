"""Import every module above the torch line while all that only the extras bring is out of reach.

Usage: python tools/import_rooms.py

The base install alone must carry these rooms, and a machine that has the extras must not hide a breach.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

BELOW_THE_LINE = frozenset({"data", "export", "importers", "models", "optim", "training"})
ONLY_IN_EXTRAS = frozenset(
    {
        "torch",
        "lightning",
        "pytorch_lightning",
        "lhotse",
        "onnx",
        "tensorboard",
        "num2words",
        "sentencepiece",
        "pyroomacoustics",
        "PIL",
        "av",
        "zstandard",
        "huggingface_hub",
        "numba",
        "fsspec",
        "s3fs",
        "matplotlib",
    }
)


class ExtrasBlocked(MetaPathFinder):
    """A finder that refuses the packages of the extras, as if they were not installed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse `fullname` when it belongs to an extra; leave all else to the other finders."""
        if fullname.partition(".")[0] in ONLY_IN_EXTRAS:
            raise ModuleNotFoundError(f"{fullname} is out of reach above the torch line", name=fullname)
        return None


def modules_above_the_line() -> Iterator[str]:
    """Name each module of linnet in a room above the torch line, without importing any but the packages."""
    package = importlib.import_module("linnet")
    for room in pkgutil.iter_modules(package.__path__, "linnet."):
        if room.name.partition(".")[2] not in BELOW_THE_LINE:
            yield room.name
            if room.ispkg:
                inner = importlib.import_module(room.name)
                yield from (found.name for found in pkgutil.walk_packages(inner.__path__, f"{room.name}."))


def main() -> None:
    """Import them all and print how many there are."""
    sys.meta_path.insert(0, ExtrasBlocked())
    names = list(modules_above_the_line())
    for name in names:
        importlib.import_module(name)
    print(f"{len(names)} modules above the torch line import from the base install alone")


if __name__ == "__main__":
    main()
