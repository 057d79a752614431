"""Texts as numbered words: read in batches of lines, with what is no text left out and named."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.core.compression import open_decompressed
from linnet.core.errors import LanguageModelError, TextError
from linnet.core.files import bounded_lines
from linnet.lm.levels import Unit
from linnet.lm.vocabulary import BOS, EOS, SENTENCE_END, FixedVocabulary, GrowingVocabulary

MAX_LINE_BYTES = 1 << 20
MAX_PROBLEMS_KEPT = 10
ABSENT = -1  # stands where a sentence has not begun yet

_LINES_A_BATCH = 4096
_BOM = b"\xef\xbb\xbf"
_END = b" " + SENTENCE_END + b" "
_SPECIAL = re.compile(rb"</?s>|<unk>|<UNK>")

Cutter = Callable[[str], Sequence[str]]
Numbers = NDArray[np.int64]
AnyVocabulary = GrowingVocabulary | FixedVocabulary


@dataclass(frozen=True, slots=True)
class Sentences:
    """A batch of sentences.

    Attributes:
        words: (n,) numbers of the words, each sentence closed by `EOS`.
        places: (n,) the place of each in its sentence, from 0.
    """

    words: Numbers
    places: Numbers

    def before(self, distance: int, beyond: int = ABSENT) -> Numbers:
        """Give the word `distance` words before each: `BOS` before the first of a sentence, then `beyond`."""
        if not distance:
            return self.words
        shifted = np.full_like(self.words, beyond)
        shifted[distance:] = self.words[:-distance]
        shifted[self.places < distance] = beyond
        shifted[self.places == distance - 1] = BOS
        return shifted


class SentenceReader:
    """Reads text files, a sentence a line, in any number of passes.

    Args:
        paths: files in UTF-8, which may be compressed.
        cut: makes the tokens of a line for models of letters or pieces; None takes its words.
        unit: what the tokens are.

    Attributes:
        problems: what was left out, the first `MAX_PROBLEMS_KEPT` of them, each with its place.
        num_problems: how many lines were left out in the last pass.
        num_words: how many words it read.
        num_sentences: how many lines.
    """

    def __init__(self, paths: Sequence[Path], cut: Cutter | None = None, unit: Unit = "word") -> None:
        self._paths, self._cut, self.unit = paths, cut, unit
        self._forget()

    def _forget(self) -> None:
        self.problems: list[str] = []
        self.num_problems = self.num_words = self.num_sentences = 0

    def batches(self, vocabulary: AnyVocabulary) -> Iterator[Sentences]:
        """Yield the sentences of all files as numbers; an empty line is an empty sentence, as for lmplz.

        Raises:
            LanguageModelError: when a file cannot be read.
        """
        self._forget()
        for path in self._paths:
            with open_decompressed(path, "text", LanguageModelError) as file:
                lines, number = bounded_lines(file, MAX_LINE_BYTES), 1
                while batch := list(islice(lines, _LINES_A_BATCH)):
                    if number == 1:
                        batch[0] = batch[0].removeprefix(_BOM)
                    if self._cut or not _is_clean(batch):
                        batch = self._usable(batch, vocabulary.reserved, path, number)
                    if batch:
                        yield self._count(_number(batch, vocabulary))
                    number += _LINES_A_BATCH

    def _usable(self, lines: list[bytes], reserved: frozenset[bytes], path: Path, first: int) -> list[bytes]:
        """Give the lines that are texts, cut if asked; note the others."""
        usable = []
        for number, line in enumerate(lines, start=first):
            try:
                text = _decode(line)
                cut = " ".join(self._cut(text.strip())).encode("utf-8") if self._cut else line
                if found := reserved.intersection(cut.split()):
                    mark = min(found).decode()
                    raise LanguageModelError(f"{mark!r} is no word of a text, but a mark of the model")
                usable.append(cut)
            except (LanguageModelError, TextError) as error:
                self.num_problems += 1
                if len(self.problems) < MAX_PROBLEMS_KEPT:
                    self.problems.append(f"{path}, line {number}: {error}")
        return usable

    def _count(self, words: Numbers) -> Sentences:
        ends = np.flatnonzero(words == EOS)
        self.num_sentences += len(ends)
        self.num_words += len(words) - len(ends)
        lengths = np.diff(ends, prepend=-1)
        return Sentences(words, np.arange(len(words)) - np.repeat(ends + 1 - lengths, lengths))


def letters(text: str) -> list[str]:
    """Cut a text into its letters, with "▁" for the space between words."""
    return list("▁".join(text.split()))


def _is_clean(lines: list[bytes]) -> bool:
    """Tell whether lines are all texts without marks of the model."""
    joined = b"".join(lines)
    if len(joined) > MAX_LINE_BYTES and max(map(len, lines)) > MAX_LINE_BYTES:
        return False
    try:
        joined.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not _SPECIAL.search(joined)


def _number(lines: list[bytes], vocabulary: AnyVocabulary) -> Numbers:
    words = (_END.join(lines) + _END).replace(b"\0", b" ").split()
    return np.fromiter(map(vocabulary.__getitem__, words), np.int64, len(words))


def _decode(line: bytes) -> str:
    if len(line) > MAX_LINE_BYTES:
        raise LanguageModelError(f"the line is longer than {MAX_LINE_BYTES} bytes")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LanguageModelError(f"is not UTF-8: {error.reason} at byte {error.start + 1}") from None
