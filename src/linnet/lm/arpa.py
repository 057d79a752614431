"""ARPA files: read without trusting them, with the line of whatever is wrong, and written."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from linnet.core.compression import open_decompressed
from linnet.core.errors import LanguageModelError
from linnet.core.files import bounded_lines
from linnet.lm.assembly import Ngrams, assemble
from linnet.lm.config import MAX_ORDER
from linnet.lm.levels import Level, NgramModel, Progress, Unit, no_progress, parts, spell_out
from linnet.lm.vocabulary import BOS, EOS, SPECIAL_WORDS, UNK, UNKNOWN_WORDS

MAX_LINE_BYTES = 1 << 20
LOG10_MISSING_UNKNOWN = -100.0  # as in KenLM, of a model without <unk>

_LINES_A_BATCH = 1 << 14
_MAX_LINES_BEFORE_DATA = 10_000
_COUNT = re.compile(rb"ngram\s+(\d{1,3})\s*=\s*(\d{1,18})")


def read_arpa(path: Path, unit: Unit = "word", progress: Progress = no_progress) -> NgramModel:
    """Read an ARPA file, which gzip or zstd may have compressed.

    Args:
        path: the file.
        unit: what the words of the model are.
        progress: is told of the work now and then.

    Raises:
        LanguageModelError: naming the line of the first fault.
    """
    try:
        with open_decompressed(path, "language model", LanguageModelError) as file:
            return _Reader(file, progress).read(unit)
    except LanguageModelError as error:
        if str(path) in error.where:
            raise
        where = f"{path}, {error.where}" if error.where else str(path)
        raise LanguageModelError(error.what, where=where, remedy=error.remedy) from None


class _Reader:
    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._progress = progress
        self._lines = bounded_lines(file, MAX_LINE_BYTES)
        self._number = 0  # of the line that was read last
        self._numbers = dict.fromkeys(SPECIAL_WORDS, 0) | {SPECIAL_WORDS[n]: n for n in (BOS, EOS)}
        self._special: set[bytes] = set()  # those of the special words that were read

    def read(self, unit: Unit) -> NgramModel:
        counts = self._read_counts()
        orders = []
        for n, count in enumerate(counts, start=1):
            self._expect(b"\\%d-grams:" % n)
            ngrams = self._read_section(n, count, is_longest=n == len(counts))
            if len(ngrams.words) != count:
                self._fail(
                    f"{len(ngrams.words)} {n}-grams end here, where the head of the file says {count}",
                    "The file is damaged or was cut; get it again",
                    self._number + 1,
                )
            orders.append(ngrams)
        self._expect(b"\\end\\")
        orders[0] = self._with_special_words(orders[0])
        return assemble(list(self._numbers), orders, unit)

    def _fail(self, what: str, remedy: str = "", number: int | None = None) -> NoReturn:
        raise LanguageModelError(what, where=f"line {number or self._number}", remedy=remedy)

    def _next(self) -> bytes:
        """Return the next line that is not blank; b"" at the end."""
        for line in self._lines:
            self._number += 1
            if line.strip():
                return line.strip()
        return b""

    def _expect(self, marker: bytes) -> None:
        if (line := self._next()) != marker:
            end = "" if line else ": the file is cut off"
            self._fail(f"{_shown(line)} stands where {_shown(marker)} belongs{end}")

    def _read_counts(self) -> list[int]:
        for _ in range(_MAX_LINES_BEFORE_DATA):
            line = self._next()
            if not line or line == b"\\data\\":
                break
        if line != b"\\data\\":
            raise LanguageModelError("is no ARPA file: it has no line \\data\\", remedy="Give an ARPA file")
        counts: list[int] = []
        while match := _COUNT.fullmatch(line := self._next()):
            if int(match[1]) != len(counts) + 1 or len(counts) == MAX_ORDER:
                self._fail(f"{_shown(line)}: orders count from 1 to {MAX_ORDER} at most")
            counts.append(int(match[2]))
        if not counts:
            self._fail(f"{_shown(line)} stands where 'ngram 1=' and a number belong")
        self._put_back(line)
        return counts

    def _put_back(self, *lines: bytes) -> None:
        self._lines = chain(lines, self._lines)
        self._number -= len(lines)

    def _read_section(self, n: int, count: int, *, is_longest: bool) -> Ngrams:
        found, num_read = [], 0
        for batch in self._batches(n, is_longest):
            found.append(batch)
            num_read += len(batch.words)
            self._progress(f"read {n}-grams", num_read, count)
        if not found:
            empty = np.empty(0, np.float32)
            return Ngrams(np.empty((0, n), np.uint32), empty, empty, np.empty(0, np.int64))
        return Ngrams(*(np.concatenate([getattr(part, name) for part in found]) for name in Ngrams.__slots__))

    def _batches(self, n: int, is_longest: bool) -> Iterator[Ngrams]:
        while batch := list(islice(self._lines, _LINES_A_BATCH)):
            first = self._number + 1
            self._number += len(batch)
            marks = [at for at, line in enumerate(batch) if line[:1] == b"\\"]
            if marks:
                self._put_back(*batch[marks[0] :])
                del batch[marks[0] :]
            numbered = [(number, line) for number, line in enumerate(batch, start=first) if line.strip()]
            if numbered:
                yield self._parse(n, numbered, is_longest)
            if marks:
                return

    def _parse(self, n: int, numbered: list[tuple[int, bytes]], is_longest: bool) -> Ngrams:
        fields = [line.split() for _, line in numbered]
        for (number, line), parts_of_line in zip(numbered, fields, strict=True):
            if len(line) > MAX_LINE_BYTES:
                self._fail(f"the line is longer than {MAX_LINE_BYTES} bytes", number=number)
            if len(parts_of_line) == n + 1:
                parts_of_line.append(b"0")
            elif len(parts_of_line) != n + 2:
                self._fail(f"{_shown(line)} is no {n}-gram with a probability and a back-off", number=number)
        columns = list(zip(*fields, strict=True))
        lines = np.array([number for number, _ in numbered])
        probs, backoffs = (self._floats(columns[at], lines) for at in (0, n + 1))
        if np.any(probs > 0):
            at = int(np.argmax(probs > 0))
            self._fail(f"the log10 probability {probs[at]:g} is above 0", number=int(lines[at]))
        if is_longest and np.any(backoffs):
            number = int(lines[np.argmax(backoffs != 0)])
            self._fail("an n-gram of the highest order has a back-off", number=number)
        give_number = self._new_words if n == 1 else self._known_words
        words = [give_number(column, lines) for column in columns[1 : n + 1]]
        return Ngrams(np.stack(words, axis=1), probs, backoffs, lines)

    def _floats(self, column: Sequence[bytes], lines: NDArray[np.int64]) -> NDArray[np.float32]:
        try:
            values = np.array(list(map(float, column)), np.float32)
        except ValueError:
            values = np.array([_float_or_nan(text) for text in column], np.float32)
        if not np.isfinite(values).all():
            at = int(np.argmin(np.isfinite(values)))
            self._fail(f"{_shown(column[at])} is not a number", number=int(lines[at]))
        return values

    def _known_words(self, column: Sequence[bytes], lines: NDArray[np.int64]) -> NDArray[np.uint32]:
        numbers = np.array([self._numbers.get(word, -1) for word in column], np.int64)
        for at in np.flatnonzero(numbers < 0)[:1].tolist():
            if column[at] not in UNKNOWN_WORDS:
                self._fail(f"the word {_shown(column[at])} is none of the 1-grams", number=int(lines[at]))
        return np.maximum(numbers, UNK).astype(np.uint32)

    def _new_words(self, column: Sequence[bytes], lines: NDArray[np.int64]) -> NDArray[np.uint32]:
        numbers = []
        for word, line in zip(column, lines.tolist(), strict=True):
            special = SPECIAL_WORDS[UNK] if word in UNKNOWN_WORDS else word
            if special in (self._special if special in SPECIAL_WORDS else self._numbers):
                self._fail(f"the word {_shown(word)} appears twice", number=line)
            try:
                word.decode("utf-8")
            except UnicodeDecodeError as error:
                self._fail(f"the word {_shown(word)} is not UTF-8: {error.reason}", number=line)
            numbers.append(self._numbers.setdefault(special, len(self._numbers)))
            if special in SPECIAL_WORDS:
                self._special.add(special)
        return np.array(numbers, np.uint32)

    def _with_special_words(self, unigrams: Ngrams) -> Ngrams:
        """See that sentences can begin and end, and that unknown words have a probability."""
        for mark in (SPECIAL_WORDS[BOS], SPECIAL_WORDS[EOS]):
            if mark not in self._special:
                self._fail(f"the model has no {mark.decode()} among its 1-grams, so it knows no sentences")
        if SPECIAL_WORDS[UNK] in self._special:
            return unigrams
        return Ngrams(
            np.concatenate((unigrams.words, np.full((1, 1), UNK, np.uint32))),
            np.append(unigrams.log10_probs, np.float32(LOG10_MISSING_UNKNOWN)),
            np.append(unigrams.log10_backoffs, np.float32(0)),
            np.append(unigrams.lines, -1),
        )


def _float_or_nan(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _shown(text: bytes) -> str:
    return repr(text[:80].decode("utf-8", errors="replace"))


def write_arpa(file: BinaryIO, model: NgramModel, progress: Progress = no_progress) -> None:
    """Write a model as ARPA, its n-grams in suffix order as lmplz does."""
    file.write(b"\\data\\\n")
    for n, level in enumerate(model.levels, start=1):
        file.write(b"ngram %d=%d\n" % (n, len(level)))
    words = [word.decode("utf-8", errors="replace") for word in model.words]
    for n, (level, spelled) in enumerate(zip(model.levels, spell_out(model.levels), strict=True), start=1):
        file.write(b"\n\\%d-grams:\n" % n)
        for part in parts(len(level)):
            text = "".join(_lines(level, spelled[part], part, words))
            file.write(text.encode("utf-8"))
            progress(f"write {n}-grams", part.stop, len(level))
    file.write(b"\n\\end\\\n")


def _lines(level: Level, spelled: NDArray[np.uint32], part: slice, words: Sequence[str]) -> Iterator[str]:
    probs = map(str, level.log10_probs[part])
    columns = [map(words.__getitem__, column.tolist()) for column in spelled.T]
    grams = map(" ".join, zip(*columns, strict=True))
    if not len(level.log10_backoffs):
        return map("{}\t{}\n".format, probs, grams)
    # Adding zero makes 0 of -0, which other programs take for a back-off of its own.
    return map("{}\t{}\t{}\n".format, probs, grams, map(str, level.log10_backoffs[part] + np.float32(0)))
