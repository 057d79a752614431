"""Writing of compact packed files: n-grams in suffix order, each with its first word and codes of 8 bits."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.core.files import replacing
from linnet.lm.levels import Level, NgramModel, Unit, pack
from linnet.lm.packed import (
    COMPACT_VERSION,
    MAX_COMPACT_WORDS,
    PREFIX_BYTES,
    PackedHeader,
    crc32,
    layout,
    prefix,
    sections_of,
    tables_of,
)
from linnet.lm.packed_writer import choose_centroids, write_values
from linnet.lm.tables import BLOCK_NODES
from linnet.lm.vocabulary import SPECIAL_WORDS

_MAX_OFFSET = 2**16 - 1


def write_compact(path: Path, model: NgramModel) -> None:
    """Write a model, whole or not at all, with its words sorted and numbered anew.

    Args:
        path: the file; what is there is replaced.
        model: the model.

    Raises:
        LanguageModelError: when the model has more words or n-grams than a compact file can hold.
    """
    model = _sorted(model)
    num_grams = [len(level) for level in model.levels]
    header = _header(num_grams, sum(map(len, model.words)), model.unit)
    blocks, children = _children(model.levels)
    with replacing(path) as temporary:
        content = np.memmap(temporary, np.uint8, "w+", shape=(layout(header)["end"][0],))
        sections = sections_of(content, header)
        sections["word_offsets"][1:] = np.cumsum([len(word) for word in model.words])
        sections["word_bytes"][:] = np.frombuffer(b"".join(model.words), np.uint8)
        sections["firsts"][:] = np.concatenate([level.first for level in model.levels])[num_grams[0] :]
        sections["blocks"][:], sections["children"][:] = blocks, children
        sections["centroids"][:] = np.ravel([choose_centroids(level) for level in model.levels])
        tables = tables_of(header, sections)
        for order, level in enumerate(model.levels, start=1):
            nodes = np.arange(tables.starts[order - 1], tables.starts[order])
            write_values(tables, order, level, slice(None), nodes)
        header = header.model_copy(update={"content_crc32": crc32(content)})
        content[:PREFIX_BYTES] = np.frombuffer(prefix(header), np.uint8)
        content.flush()


def compact_size(num_grams: list[int], num_word_bytes: int) -> int:
    """Return how many bytes a compact file takes.

    Args:
        num_grams: how many n-grams each order has.
        num_word_bytes: the length of all words together.

    Raises:
        LanguageModelError: when there are too many words for one.
    """
    return layout(_header(num_grams, num_word_bytes, "word"))["end"][0]


def _header(num_grams: list[int], num_word_bytes: int, unit: Unit) -> PackedHeader:
    if num_grams[0] > MAX_COMPACT_WORDS:
        raise LanguageModelError(
            f"the model has {num_grams[0]} words, where a compact file holds {MAX_COMPACT_WORDS} at most",
            remedy="Build it of fewer words with --vocab, or write it without --compact",
        )
    return PackedHeader(
        version=COMPACT_VERSION,
        unit=unit,
        quantized=True,
        num_grams=num_grams,
        num_nodes=num_grams,
        num_homes=[0] * len(num_grams),
        max_probes=[0] * len(num_grams),
        num_word_bytes=num_word_bytes,
    )


def _sorted(model: NgramModel) -> NgramModel:
    """Number the words behind the special ones in their order, and bring the n-grams into suffix order."""
    num_special = len(SPECIAL_WORDS)
    by_word = sorted(range(num_special, len(model.words)), key=model.words.__getitem__)
    picked: Array = np.array([*range(num_special), *by_word])
    numbers = np.argsort(picked).astype(np.uint32)
    levels: list[Level] = []
    places: Array = numbers  # of the n-grams of the level below, after sorting
    for n, level in enumerate(model.levels, start=1):
        first, parent = numbers[level.first], level.parent if n == 1 else places[level.parent]
        picked = np.argsort(pack(parent, first))
        backoffs = level.log10_backoffs[picked] if n < model.order else level.log10_backoffs
        levels.append(Level(first[picked], parent[picked], level.log10_probs[picked], backoffs))
        places = np.argsort(picked).astype(np.uint32)
    return NgramModel([model.words[number] for number in np.argsort(numbers)], levels, model.unit)


def _children(levels: Sequence[Level]) -> tuple[Array, Array]:
    """Return `Tables.blocks` and `Tables.children`."""
    counts = [np.bincount(longer.parent, minlength=len(level)) for level, longer in pairwise(levels)]
    begins = np.cumsum(np.concatenate(([0], *counts)), dtype=np.int64)
    blocks = begins[::BLOCK_NODES]
    children = begins - np.repeat(blocks, BLOCK_NODES)[: len(begins)]
    if children.max() > _MAX_OFFSET:
        raise LanguageModelError(
            "the model has too many n-grams with the same endings for a compact file",
            remedy="Prune it further, or write it without --compact",
        )
    return blocks, children
