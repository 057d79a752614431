"""The packed file of an n-gram model: one file that is mapped into memory and used as it lies there.

All numbers are little-endian. The file begins with 4096 bytes:

    8 bytes   magic "LINNETLM"
    4 bytes   length of the header
    4 bytes   CRC-32 of the header
    n bytes   header, JSON (`PackedHeader`), then zeros

The sections follow in this order, each at the next multiple of 64 bytes (`layout` gives types and lengths):

    word_offsets   where each word starts in word_bytes, and their total length
    word_hashes    the first 8 bytes of the words' BLAKE2b, ascending
    word_numbers   the numbers of the words with these hashes
    word_bytes     the words in UTF-8, by their numbers
    keys           see `Tables`
    values         see `Tables`
    centroids      see `Tables`; only when quantized

Version 2 is compact: words take up to 16 bits, values 8, and n-grams stand in suffix order (`NgramModel`) in
place of tables, so that of each only its first word is there. The words behind the three special ones are
sorted. Its sections:

    word_offsets, word_bytes    as above, offsets in 32 bits
    firsts, blocks, children    see `Tables`
    values, centroids           see `Tables`

The header is checked when a file is opened, and that its sections fill the file; of a compact one also that
`children` stay in range. Other content is not read then, so that opening takes no longer for a large model;
`PackedModel.check_content` compares its CRC-32.
"""

import zlib
from bisect import bisect_left
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from linnet.core.arrays import Array
from linnet.core.errors import LanguageModelError
from linnet.lm.config import MAX_ORDER
from linnet.lm.levels import Level, NgramModel, Unit, pack
from linnet.lm.tables import (
    BLOCK_NODES,
    EMPTY,
    Tables,
    are_children_in_range,
    child_ranges,
    log10_backoffs,
    log10_probs,
    unmix,
)
from linnet.lm.vocabulary import SPECIAL_WORDS, UNK

MAGIC = b"LINNETLM"
PREFIX_BYTES = 4096
MAX_NODES = 2**32 - 1
COMPACT_VERSION: Final = 2
MAX_COMPACT_WORDS = 2**16

_ALIGNMENT = 64
_FIXED_BYTES = 16  # magic, length and checksum
_CHUNK_BYTES = 1 << 24


class PackedHeader(BaseModel):
    """What a packed file holds.

    Attributes:
        version: of the format; 2 for a compact file.
        unit: what the words of the model are.
        quantized: whether the values are codes of 8 bits.
        num_grams: for each order.
        num_nodes: for each order the places of its table; for words as many as there are.
        num_homes: see `Tables`; zeros in a compact file.
        max_probes: see `Tables`; likewise.
        num_word_bytes: the length of all words together.
        content_crc32: of everything behind the first 4096 bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1, 2] = 1
    unit: Unit
    quantized: bool
    num_grams: list[int] = Field(min_length=1, max_length=MAX_ORDER)
    num_nodes: list[int]
    num_homes: list[int]
    max_probes: list[int]
    num_word_bytes: int = Field(ge=0, lt=2**40)
    content_crc32: int = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        tables = list(zip(self.num_grams, self.num_nodes, self.num_homes, self.max_probes, strict=True))
        if any(value < 0 for table in tables for value in table) or sum(self.num_nodes) > MAX_NODES:
            raise ValueError("a size is out of range")
        if self.num_nodes[0] != self.num_grams[0] or self.num_grams[0] < len(SPECIAL_WORDS):
            raise ValueError("the number of words is wrong")
        if self.is_compact:
            if (
                not self.quantized
                or self.num_grams != self.num_nodes
                or self.num_grams[0] > MAX_COMPACT_WORDS
            ):
                raise ValueError("it cannot be compact")
            return self
        for num_grams, num_nodes, num_homes, max_probes in tables[1:]:
            if num_homes < 1 or num_nodes < num_homes + max_probes or num_grams > num_nodes:
                raise ValueError("a table is too small")
        return self

    @property
    def is_compact(self) -> bool:
        """Whether the n-grams stand in suffix order."""
        return self.version == COMPACT_VERSION

    @property
    def order(self) -> int:
        """The number of words in the longest n-grams."""
        return len(self.num_grams)

    @property
    def num_values(self) -> int:
        """How many numbers `Tables.values` has."""
        return 2 * sum(self.num_nodes[:-1]) + self.num_nodes[-1]


def layout(header: PackedHeader) -> dict[str, tuple[int, np.dtype, int]]:
    """Return for each section its offset, its type and its length; "end" is where the file ends."""
    num_words = header.num_grams[0]
    sections: dict[str, tuple[str, int]] = {
        "word_offsets": ("<u8", num_words + 1),
        "word_hashes": ("<u8", num_words),
        "word_numbers": ("<u4", num_words),
        "word_bytes": ("u1", header.num_word_bytes),
        "keys": ("<u8", sum(header.num_nodes[1:])),
        "values": ("u1" if header.quantized else "<f4", header.num_values),
        "centroids": ("<f4", header.order * 2 * 256 if header.quantized else 0),
        "end": ("u1", 0),
    }
    if header.is_compact:
        num_starts = sum(header.num_nodes[:-1]) + 1
        sections = {
            "word_offsets": ("<u4", num_words + 1),
            "word_bytes": sections["word_bytes"],
            "firsts": ("<u2", sum(header.num_nodes[1:])),
            "blocks": ("<u4", (num_starts - 1) // BLOCK_NODES + 1),
            "children": ("<u2", num_starts),
            **{name: sections[name] for name in ("values", "centroids", "end")},
        }
    placed, offset = {}, PREFIX_BYTES
    for name, (kind, length) in sections.items():
        placed[name] = (offset, np.dtype(kind), length)
        num_bytes = np.dtype(kind).itemsize * length
        offset += -(-num_bytes // _ALIGNMENT) * _ALIGNMENT
    return placed


def sections_of(content: NDArray[np.uint8], header: PackedHeader) -> dict[str, Array]:
    """Return the sections of a whole file as arrays that share its memory."""
    return {
        name: content[offset : offset + length * dtype.itemsize].view(dtype)
        for name, (offset, dtype, length) in layout(header).items()
    }


def crc32(content: NDArray[np.uint8]) -> int:
    """Return the checksum of what lies behind the first 4096 bytes."""
    value = 0
    for start in range(PREFIX_BYTES, len(content), _CHUNK_BYTES):
        value = zlib.crc32(content[start : start + _CHUNK_BYTES].tobytes(), value)
    return value


def prefix(header: PackedHeader) -> bytes:
    """Return the first 4096 bytes of a file."""
    text = header.model_dump_json().encode("utf-8")
    numbers = np.array([len(text), zlib.crc32(text)], "<u4").tobytes()
    assert len(text) <= PREFIX_BYTES - _FIXED_BYTES
    return (MAGIC + numbers + text).ljust(PREFIX_BYTES, b"\0")


def word_hash(word: bytes) -> int:
    """Return the hash by which a word is found."""
    return int.from_bytes(blake2b(word, digest_size=8).digest(), "little")


def tables_of(header: PackedHeader, sections: dict[str, Array]) -> Tables:
    """Return the arrays that scoring takes."""
    nothing = np.zeros(0, np.uint8)
    return Tables(
        keys=sections.get("keys", nothing.view("<u8")),
        firsts=sections.get("firsts", nothing.view("<u2")),
        blocks=sections.get("blocks", nothing.view("<u4")),
        children=sections.get("children", nothing.view("<u2")),
        values=sections["values"],
        centroids=sections["centroids"].reshape(-1, 2, 256),
        starts=np.cumsum([0, *header.num_nodes], dtype=np.int64),
        num_homes=np.array(header.num_homes, np.int64),
        max_probes=np.array(header.max_probes, np.int64),
    )


class PackedModel:
    """A packed file, opened.

    Attributes:
        path: where it lies.
        header: what it holds.
        tables: its n-grams.
    """

    def __init__(self, path: Path) -> None:
        """Open a file without reading its content.

        Raises:
            LanguageModelError: when it is no packed file, of another version, or damaged at its head.
        """
        self.path = path
        self.header = _read_header(path)
        self._content = np.asarray(np.memmap(path, np.uint8, "r"))
        expected = layout(self.header)["end"][0]
        if len(self._content) != expected:
            raise _damaged(path, f"it has {len(self._content)} bytes, where its header asks for {expected}")
        self._sections = sections_of(self._content, self.header)
        offsets = self._sections["word_offsets"]
        if offsets[0] or offsets[-1] != self.header.num_word_bytes or np.any(offsets[1:] < offsets[:-1]):
            raise _damaged(path, "its words overlap")
        self.tables = tables_of(self.header, self._sections)
        if self.header.is_compact and not are_children_in_range(self.tables):
            raise _damaged(path, "its n-grams hang from none")
        for array in self.tables:  # the file's are so anyhow; all alike, their readers are compiled once
            array.setflags(write=False)

    @property
    def order(self) -> int:
        """The number of words in the longest n-grams."""
        return self.header.order

    @property
    def num_words(self) -> int:
        """The number of words, the three special ones among them."""
        return self.header.num_grams[0]

    def word(self, number: int) -> bytes:
        """Return a word by its number."""
        start, end = self._sections["word_offsets"][number : number + 2].tolist()
        return self._sections["word_bytes"][start:end].tobytes()

    def words(self) -> list[bytes]:
        """List the words by their numbers."""
        offsets, joined = self._sections["word_offsets"].tolist(), self._sections["word_bytes"].tobytes()
        return [joined[start:end] for start, end in pairwise(offsets)]

    def number(self, word: bytes) -> int:
        """Return the number of a word, `UNK` for one that the model does not know."""
        if self.header.is_compact:
            return self._number_in_order(word)
        hashes, numbers = self._sections["word_hashes"], self._sections["word_numbers"]
        sought = np.uint64(word_hash(word))
        for at in range(int(np.searchsorted(hashes, sought)), len(hashes)):
            if hashes[at] != sought:
                break
            if numbers[at] < self.num_words and self.word(int(numbers[at])) == word:
                return int(numbers[at])
        return UNK

    def _number_in_order(self, word: bytes) -> int:
        if word in SPECIAL_WORDS:
            return SPECIAL_WORDS.index(word)
        at = bisect_left(range(self.num_words), word, lo=len(SPECIAL_WORDS), key=self.word)
        return at if at < self.num_words and self.word(at) == word else UNK

    def check_content(self) -> None:
        """Read all of the file and compare its checksum.

        Raises:
            LanguageModelError: when a byte has changed.
        """
        if crc32(self._content) != self.header.content_crc32:
            raise _damaged(self.path, "its content does not have the checksum of its header")

    def unpack(self) -> NgramModel:
        """Return the n-grams in suffix order.

        Raises:
            LanguageModelError: when the file is damaged.
        """
        self.check_content()
        if self.header.is_compact:
            return NgramModel(self.words(), self._levels_in_order(), self.header.unit)
        tables, levels = self.tables, [self._words_level()]
        places: Array = np.arange(self.num_words, dtype=np.uint32)  # of the nodes of the level below
        for order in range(2, self.order + 1):
            first_node, end_node = tables.starts[order - 1 : order + 1].tolist()
            mixed = tables.keys[first_node - self.num_words : end_node - self.num_words]
            slots = np.flatnonzero(mixed != EMPTY)
            keys = unmix(mixed[slots])
            parents = (keys >> np.uint64(32)).astype(np.int64) - int(tables.starts[order - 2])
            if np.any((parents < 0) | (parents >= len(places))):
                raise _damaged(self.path, "an n-gram hangs from none")
            firsts, above = keys & np.uint64(2**32 - 1), places[parents]
            sorting = np.argsort(pack(above, firsts))
            nodes = slots[sorting] + first_node
            levels.append(self._level(order, nodes, firsts[sorting], above[sorting]))
            places = np.zeros(end_node - first_node, np.uint32)
            places[slots[sorting]] = np.arange(len(slots))
        return NgramModel(self.words(), levels, self.header.unit)

    def _levels_in_order(self) -> list[Level]:
        levels, tables = [self._words_level()], self.tables
        for order in range(2, self.order + 1):
            parents = np.arange(tables.starts[order - 2], tables.starts[order - 1])
            begins, ends = child_ranges(tables, parents)
            nodes = np.arange(tables.starts[order - 1], tables.starts[order])
            firsts = tables.firsts[nodes - self.num_words]
            levels.append(
                self._level(order, nodes, firsts, np.repeat(np.arange(len(parents)), ends - begins))
            )
        return levels

    def _words_level(self) -> Level:
        numbers = np.arange(self.num_words)
        return self._level(1, numbers, numbers, np.zeros(self.num_words))

    def _level(self, order: int, nodes: NDArray[np.int64], firsts: Array, parents: Array) -> Level:
        has_backoff = order < self.order
        backoffs = log10_backoffs(self.tables, order, nodes) if has_backoff else np.empty(0, np.float32)
        return Level(
            firsts.astype(np.uint32),
            parents.astype(np.uint32),
            log10_probs(self.tables, order, nodes),
            backoffs,
        )


def is_packed(path: Path) -> bool:
    """Tell whether a file begins as a packed one.

    Raises:
        LanguageModelError: when it cannot be read.
    """
    return _read_prefix(path).startswith(MAGIC)


def _read_prefix(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(PREFIX_BYTES)
    except OSError as error:
        raise LanguageModelError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            remedy="Check the path, and whether you may read it",
        ) from None


def _read_header(path: Path) -> PackedHeader:
    start = _read_prefix(path)
    if not start.startswith(MAGIC):
        raise LanguageModelError(
            "is no packed language model",
            where=str(path),
            remedy="linnet lm import makes one of an ARPA file, linnet lm build of texts",
        )
    length, checksum = np.frombuffer(start[len(MAGIC) : _FIXED_BYTES].ljust(8, b"\0"), "<u4").tolist()
    text = start[_FIXED_BYTES : _FIXED_BYTES + length]
    if len(text) < length or zlib.crc32(text) != checksum:
        raise _damaged(path, "its header does not have its checksum")
    try:
        return PackedHeader.model_validate_json(text)
    except ValidationError as error:
        raise _damaged(path, f"its header cannot be used ({error.errors()[0]['msg']})") from None


def _damaged(path: Path, what: str) -> LanguageModelError:
    return LanguageModelError(
        f"is damaged, or of another version: {what}",
        where=str(path),
        remedy="Build or import the model again",
    )
