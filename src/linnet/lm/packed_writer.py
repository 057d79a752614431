"""Writing of packed files: words, tables in the order of their mixed keys, values and their codes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.core.files import replacing
from linnet.lm.external_sort import ExternalSorter
from linnet.lm.levels import NO_EXTENSION, Level, NgramModel, Unit, file_array, pack, parts
from linnet.lm.packed import (
    MAX_NODES,
    PREFIX_BYTES,
    PackedHeader,
    crc32,
    layout,
    prefix,
    sections_of,
    tables_of,
    word_hash,
)
from linnet.lm.tables import EMPTY, Tables, homes, mix

_MAX_OVERFLOW = 4096
_MAX_SAMPLE = 1 << 22
_NUM_CODES = 256


def write_packed(
    path: Path, model: NgramModel, folder: Path, memory_bytes: int, *, quantized: bool = False
) -> None:
    """Write a model, whole or not at all.

    Args:
        path: the file; what is there is replaced.
        model: the model.
        folder: for temporary files.
        memory_bytes: about what sorting may use.
        quantized: write codes of 8 bits, each for the mean of as many values, in place of the values.

    Raises:
        LanguageModelError: when the model has more n-grams than a packed file can hold.
    """
    num_grams = [len(level) for level in model.levels]
    header = _header(num_grams, sum(map(len, model.words)), model.unit, quantized=quantized)
    with replacing(path) as temporary:
        content = np.memmap(temporary, np.uint8, "w+", shape=(layout(header)["end"][0],))
        sections = sections_of(content, header)
        _write_words(sections, model)
        tables = tables_of(header, sections)
        centroids = [choose_centroids(level) for level in model.levels] if quantized else []
        if quantized:
            sections["centroids"][:] = np.ravel(centroids)
        tables.keys[:] = EMPTY
        nodes: Array = np.arange(len(model.words), dtype=np.uint32)
        write_values(tables, 1, model.levels[0], slice(None), nodes)
        max_probes = [0]
        for order, level in enumerate(model.levels[1:], start=2):
            placing = _Placing(tables, order, level, folder)
            nodes = placing.place(nodes, memory_bytes)
            max_probes.append(placing.max_probes)
        header = header.model_copy(update={"max_probes": max_probes, "content_crc32": crc32(content)})
        content[:PREFIX_BYTES] = np.frombuffer(prefix(header), np.uint8)
        content.flush()


def packed_size(num_grams: list[int], num_word_bytes: int, *, quantized: bool = False) -> int:
    """Return how many bytes a packed file takes.

    Args:
        num_grams: how many n-grams each order has.
        num_word_bytes: the length of all words together.
        quantized: whether it has codes of 8 bits.
    """
    return layout(_header(num_grams, num_word_bytes, "word", quantized=quantized))["end"][0]


def _header(num_grams: list[int], num_word_bytes: int, unit: Unit, *, quantized: bool) -> PackedHeader:
    num_homes = [0] + [count * 4 // 3 + 1 for count in num_grams[1:]]
    overflow = [min(count, _MAX_OVERFLOW) for count in num_grams]
    num_nodes = [num_grams[0], *(a + b for a, b in zip(num_homes[1:], overflow[1:], strict=True))]
    if sum(num_nodes) > MAX_NODES:
        raise LanguageModelError(
            f"the model has {sum(num_grams)} n-grams, more than a packed file can hold",
            remedy="Prune it: --prune 0 0 1",
        )
    return PackedHeader(
        unit=unit,
        quantized=quantized,
        num_grams=num_grams,
        num_nodes=num_nodes,
        num_homes=num_homes,
        max_probes=[0, *overflow[1:]],
        num_word_bytes=num_word_bytes,
    )


def _write_words(sections: dict[str, Array], model: NgramModel) -> None:
    hashes = np.array([word_hash(word) for word in model.words], np.uint64)
    order = np.argsort(hashes)
    sections["word_offsets"][1:] = np.cumsum([len(word) for word in model.words])
    sections["word_hashes"][:] = hashes[order]
    sections["word_numbers"][:] = order
    sections["word_bytes"][:] = np.frombuffer(b"".join(model.words), np.uint8)


def write_values(tables: Tables, order: int, level: Level, pick: Array | slice, nodes: Array) -> None:
    """Write the values of n-grams `pick` to their nodes, as codes where the model has them."""
    nodes = np.asarray(nodes, np.int64)
    if order == tables.order:
        nodes = nodes + int(tables.starts[order - 1])
        tables.values[nodes] = _encoded(tables, order, 0, level.log10_probs[pick])
    else:
        tables.values[2 * nodes] = _encoded(tables, order, 0, level.log10_probs[pick])
        tables.values[2 * nodes + 1] = _encoded(tables, order, 1, level.log10_backoffs[pick])


class _Placing:
    """Places the n-grams of one order in its table."""

    def __init__(self, tables: Tables, order: int, level: Level, folder: Path) -> None:
        self._tables, self._order, self._level, self._folder = tables, order, level, folder
        self.max_probes = 0

    def place(self, parent_nodes: Array, memory_bytes: int) -> Array:
        """Fill the table; return the nodes of the n-grams, (n,) uint32."""
        dtype = np.dtype([("key", "<u4", (2,)), ("place", "<u4")])
        sorter = ExternalSorter(dtype, self._folder, memory_bytes)
        for part in parts(len(self._level)):
            mixed = mix(pack(parent_nodes[self._level.parent[part]], self._level.first[part]))
            rows = np.empty(len(mixed), dtype)
            rows["key"][:, 0] = mixed >> np.uint64(32)
            rows["key"][:, 1] = mixed & np.uint64(2**32 - 1)
            rows["place"] = np.arange(part.start, part.stop)
            sorter.add(rows)
        nodes = file_array(self._folder / f"nodes-{self._order}", np.uint32, len(self._level))
        num_placed, last = 0, -1
        first_node = int(self._tables.starts[self._order - 1])
        for rows in sorter.blocks():
            mixed = pack(rows["key"][:, 0], rows["key"][:, 1])
            slots = self._slots(mixed, num_placed, last)
            self._tables.keys[slots + first_node - int(self._tables.starts[1])] = mixed
            nodes[rows["place"]] = slots + first_node
            write_values(self._tables, self._order, self._level, rows["place"], slots + first_node)
            num_placed, last = num_placed + len(rows), int(slots[-1])
        return nodes

    def _slots(self, mixed: NDArray[np.uint64], num_placed: int, last: int) -> NDArray[np.int64]:
        """Give each key the first free place at its home or behind, in ascending order."""
        at_home = homes(mixed, int(self._tables.num_homes[self._order - 1]))
        counting = np.arange(num_placed, num_placed + len(mixed))
        gaps = np.maximum(at_home - counting, last + 1 - num_placed)
        slots = np.maximum.accumulate(gaps) + counting
        self.max_probes = max(self.max_probes, int((slots - at_home).max()) + 1)
        assert self.max_probes <= self._tables.max_probes[self._order - 1], "the keys are not spread evenly"
        return slots


def choose_centroids(level: Level) -> NDArray[np.float32]:
    """Choose what 256 codes stand for: (2, 256), for probabilities and back-offs.

    Each stands for the mean of equally many values (Federico & Bertoldi 2006, How many bits are needed to
    store probabilities for phrase-based translation?). Code 0 of the back-offs is `NO_EXTENSION`.
    """
    probs = _means(np.asarray(level.log10_probs[:: _step(level)]), _NUM_CODES)
    backoffs = np.asarray(level.log10_backoffs[:: _step(level)])
    backoffs = backoffs[~_is_no_extension(backoffs)]
    return np.stack((probs, np.concatenate(([NO_EXTENSION], _means(backoffs, _NUM_CODES - 1)))))


def _step(level: Level) -> int:
    return -(-len(level) // _MAX_SAMPLE) or 1


def _means(values: NDArray[np.float32], num_codes: int) -> NDArray[np.float32]:
    """Return ascending means; where there are fewer values than codes, the values themselves."""
    different = np.unique(values)
    if len(different) > num_codes:
        different = np.array(
            [part.mean(dtype=np.float64) for part in np.array_split(np.sort(values), num_codes)]
        )
    filling = different[-1] if len(different) else 0
    return np.concatenate((different, np.full(num_codes - len(different), filling))).astype(np.float32)


def _encoded(tables: Tables, order: int, kind: int, values: Array) -> Array:
    """Return the codes of values; the values, where the model has no codes."""
    if not len(tables.centroids):
        return values
    num_special = kind  # code 0 of the back-offs
    centroids = tables.centroids[order - 1, kind][num_special:].astype(np.float64)
    codes = np.searchsorted((centroids[1:] + centroids[:-1]) / 2, values) + num_special
    return np.where(_is_no_extension(values), 0, codes) if kind else codes


def _is_no_extension(backoffs: Array) -> NDArray[np.bool_]:
    return np.asarray((backoffs == 0) & np.signbit(backoffs))
