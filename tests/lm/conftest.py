"""The reference text, and models of it."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.lm.arpa import read_arpa
from linnet.lm.levels import NgramModel
from linnet.lm.packed import PackedModel
from linnet.lm.packed_writer import write_packed

REFERENCE = Path(__file__).parent / "reference"

Packer = Callable[..., PackedModel]


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files "text", which the reference models were made of, and "unseen", with unknown words."""
    sentences = runpy.run_path(str(REFERENCE / "text.py"))["sentences"]
    folder = tmp_path_factory.mktemp("texts")
    for name in ("text", "unseen"):
        (folder / name).write_text("".join(f"{line}\n" for line in sentences(name)), encoding="utf-8")
    return {name: folder / name for name in ("text", "unseen")}


@pytest.fixture(scope="session")
def pruned() -> NgramModel:
    """The reference model of order 3 without its single 3-grams."""
    return read_arpa(REFERENCE / "pruned.arpa")


@pytest.fixture(scope="session")
def limited() -> NgramModel:
    """The reference model of order 4 with the words of vocab.txt only."""
    return read_arpa(REFERENCE / "limited.arpa")


@pytest.fixture(scope="session")
def packer(tmp_path_factory: pytest.TempPathFactory) -> Packer:
    """`packer(model, quantized=False)` → the model, packed and opened."""

    def pack(model: NgramModel, *, quantized: bool = False) -> PackedModel:
        folder = tmp_path_factory.mktemp("packed")
        write_packed(folder / "model.lm", model, folder, 1 << 20, quantized=quantized)
        return PackedModel(folder / "model.lm")

    return pack
