"""Utterances, the log-probabilities that a model or the simulator gave for them, and their file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from linnet.core.arrays import LogProbs
from linnet.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class LogProbSet:
    """What all decoders of a comparison read.

    Attributes:
        pieces: what the tokens write; the blank comes after the last.
        frame_s: seconds from one frame to the next.
        texts: what was said, one per utterance.
        log_probs: (S, V) natural logarithms per utterance.
    """

    pieces: tuple[str, ...]
    frame_s: float
    texts: tuple[str, ...]
    log_probs: tuple[LogProbs, ...]

    @property
    def vocabulary(self) -> Vocabulary:
        """The pieces as decoders of linnet take them."""
        return Vocabulary(self.pieces)

    @property
    def hours(self) -> float:
        """How long the recordings last together."""
        return sum(map(len, self.log_probs)) * self.frame_s / 3600

    def part(self, indices: Sequence[int]) -> Self:
        """Return the utterances of these numbers."""
        return type(self)(
            self.pieces,
            self.frame_s,
            tuple(self.texts[index] for index in indices),
            tuple(self.log_probs[index] for index in indices),
        )

    def halves(self) -> tuple[Self, Self]:
        """Divide the utterances, every other one, into those to tune on and those to measure on."""
        count = len(self.texts)
        return self.part(range(0, count, 2)), self.part(range(1, count, 2))

    def save(self, path: Path) -> None:
        """Write everything into a .npz."""
        np.savez_compressed(
            path,
            pieces=np.array(self.pieces),
            frame_s=self.frame_s,
            texts=np.array(self.texts),
            ends=np.cumsum([len(each) for each in self.log_probs]),
            rows=np.concatenate(self.log_probs).astype(np.float32),
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                tuple(map(str, arrays["pieces"])),
                float(arrays["frame_s"]),
                tuple(map(str, arrays["texts"])),
                tuple(np.split(arrays["rows"], arrays["ends"][:-1])),
            )
