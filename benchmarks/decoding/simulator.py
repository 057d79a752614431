"""Log-probabilities as a CTC model might give them for a text, made without any sound.

What trained CTC models have in common is imitated:

- Spikes: a token has most of its mass in one frame, sometimes in two or three; in the others the blank is
  nearly certain.
- Tempo: a letter takes 68 ms on average, with a spread of 30 %; there are pauses between words.
- Stretches that are hard to hear: the difficulty of tokens wanders (an autoregressive process with a time
  constant of 0.5 s, around a level of the utterance).
- Confusions by sound: mass goes to pieces that sound alike, by an edit distance in which voiced and unvoiced
  consonants, nasals, liquids and vowels are close to each other. The harder, the flatter and the noisier.
- Deletions: the harder, the more the blank takes from the spike. Insertions: now and then a frame between
  spikes has some mass of a token near by.
- A floor: every token has a little mass everywhere, so that thousands of them are far below the spikes.

What it lacks: the errors of one utterance know nothing of words, whereas models learn some language.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs
from linnet.text.vocabulary import BOUNDARY

Float32 = NDArray[np.float32]

ALIKE = ("aeiouy", "bp", "dt", "gk", "ckq", "csxz", "fv", "mn", "lr", "jg", "wu", "hw", "iy", "ea")
SILENT = "eh"
LETTER_S = 0.068
WANDER_S = 0.5
FLOOR = 3e-4


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """How hard the speech is.

    Attributes:
        frame_s: seconds from one frame to the next.
        difficulty: mean of the difficulty; 0 is clear, 2 hardly to be understood.
        spread: its standard deviation.
        sharpness: how fast, at difficulty 0, the log-prob of a piece falls with its distance in sound.
        seed: of everything.
    """

    frame_s: float = 0.02
    difficulty: float = 0.6
    spread: float = 0.7
    sharpness: float = 14.0
    seed: int = 0


class Simulator:
    """Makes log-probabilities for token sequences of one vocabulary.

    Args:
        pieces: the vocabulary in SentencePiece notation, without the blank.
        config: how hard the speech is.
    """

    def __init__(self, pieces: Sequence[str], config: SimulatorConfig) -> None:
        self._config = config
        self._distances = sound_distances(pieces)
        self._letters = np.array([max(len(piece.strip(BOUNDARY)), 0.5) for piece in pieces])
        self._begins = np.array([piece.startswith(BOUNDARY) for piece in pieces])

    def log_probs(self, tokens: Sequence[int], index: int) -> LogProbs:
        """Return (S, V) log-probs of utterance number `index`, the blank last; the same for the same seed."""
        config = self._config
        rng = np.random.default_rng([config.seed, index])
        ids = np.array(tokens)
        times_s = self._times_s(ids, rng)
        frames = _spike_frames(ids, times_s, config.frame_s)
        num_frames = int(frames[-1] + 1 + rng.uniform(0.1, 0.5) / config.frame_s)
        owners = np.abs(np.arange(num_frames)[:, None] - frames).argmin(axis=1)
        hard = self._difficulties(times_s, rng)[owners]
        offsets = np.arange(num_frames) - frames[owners]
        spoken = _spoken(offsets, hard, rng)[:, None]
        mass = spoken * self._heard(ids, owners, hard, rng)
        mass += FLOOR / mass.shape[1] * np.exp(rng.normal(0, 1, mass.shape))
        probs = np.concatenate([mass, np.clip(1 - spoken, 1e-6, None)], axis=1)
        return np.log(probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)

    def _times_s(self, ids: NDArray[np.int64], rng: Generator) -> NDArray[np.float64]:
        takes_s = self._letters[ids] * LETTER_S * np.exp(rng.normal(0, 0.3, len(ids)))
        pauses_s = self._begins[ids] * (rng.random(len(ids)) < 0.08) * rng.uniform(0.1, 0.6, len(ids))
        return np.asarray(rng.uniform(0.1, 0.5) + np.cumsum(takes_s + pauses_s), np.float64)

    def _difficulties(self, times_s: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
        config = self._config
        level = rng.normal(config.difficulty, config.spread / 2)
        states = rng.normal(0, config.spread, len(times_s))
        for i in range(1, len(times_s)):
            keeps = np.exp((times_s[i - 1] - times_s[i]) / WANDER_S)
            states[i] = keeps * states[i - 1] + np.sqrt(1 - keeps**2) * states[i]
        return np.maximum(level + states, 0.0)

    def _heard(
        self,
        ids: NDArray[np.int64],
        owners: NDArray[np.int64],
        hard: NDArray[np.float64],
        rng: Generator,
    ) -> NDArray[np.float64]:
        """Return (S, V - 1): what each frame's nearest token sounds like, as probabilities."""
        distances = self._distances[ids]
        by_token = rng.normal(0, 1, distances.shape)[owners]
        by_frame = rng.normal(0, 0.4, by_token.shape)
        sharp = (self._config.sharpness * np.exp(-0.8 * hard))[:, None]
        scores = -sharp * distances[owners] + (0.7 + 0.5 * hard)[:, None] * (by_token + by_frame)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True), np.float64)


def _spike_frames(ids: NDArray[np.int64], times_s: NDArray[np.float64], frame_s: float) -> NDArray[np.int64]:
    """Place tokens in frames of their own, with room for the blank that equal neighbors need."""
    frames = (times_s / frame_s).astype(np.int64)
    for i in range(1, len(frames)):
        frames[i] = max(frames[i], frames[i - 1] + (2 if ids[i] == ids[i - 1] else 1))
    return frames


def _spoken(offsets: NDArray[np.int64], hard: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Return (S,) how much of each frame is no blank, by its distance from the spike."""
    between = rng.normal(-8 + hard, 1.5)
    inserted = rng.random(len(offsets)) < 0.01 * hard
    levels = np.select(
        [offsets == 0, offsets == 1, offsets == -1, inserted],
        [
            rng.normal(5 - 2 * hard, 1),
            rng.normal(-3.5, 2.5),
            rng.normal(-5.5, 2),
            rng.normal(-1, 1.5, len(hard)),
        ],
        between,
    )
    return np.asarray(1 / (1 + np.exp(-levels)), np.float64)


def sound_distances(pieces: Sequence[str]) -> Float32:
    """Return (V - 1, V - 1) how different the pieces sound: weighted edit distances, 0 for the same."""
    letters = sorted({letter for piece in pieces for letter in piece.strip(BOUNDARY)})
    changes, drops = _letter_costs(letters)
    lengths = np.array([len(piece.strip(BOUNDARY)) for piece in pieces])
    codes = np.full((len(pieces), lengths.max()), len(letters))
    for row, piece in zip(codes, pieces, strict=True):
        row[: len(piece.strip(BOUNDARY))] = [letters.index(letter) for letter in piece.strip(BOUNDARY)]
    distances = _edit_distances(codes, lengths, changes, drops)
    begins = np.array([piece.startswith(BOUNDARY) for piece in pieces])
    return distances + np.float32(0.5) * (begins[:, None] != begins)


def _letter_costs(letters: Sequence[str]) -> tuple[Float32, Float32]:
    count = len(letters)
    changes, drops = np.ones((count + 1, count + 1), np.float32), np.full(count + 1, 0.8, np.float32)
    for i, letter in enumerate(letters):
        changes[i, i] = 0.0
        drops[i] = 0.5 if letter in SILENT else 0.8
        for j, other in enumerate(letters):
            if i != j and any(letter in group and other in group for group in ALIKE):
                changes[i, j] = 0.4
    return changes, drops


def _edit_distances(
    codes: NDArray[np.int64], lengths: NDArray[np.int64], changes: Float32, drops: Float32
) -> Float32:
    """Return all pairs' distances at once: each cell of the usual table is a matrix over the pairs."""
    count, longest = codes.shape
    costs = drops[codes]
    sums = np.concatenate([np.zeros((count, 1), np.float32), np.cumsum(costs, axis=1)], axis=1)
    above = [np.broadcast_to(sums[:, j], (count, count)) for j in range(longest + 1)]
    distances = np.zeros((count, count), np.float32)
    for i in range(longest + 1):
        if i > 0:
            left = np.broadcast_to(sums[:, i, None], (count, count))
            row = [left]
            for j in range(1, longest + 1):
                change = above[j - 1] + changes[codes[:, i - 1, None], codes[None, :, j - 1]]
                left = np.minimum(
                    change, np.minimum(above[j] + costs[:, i - 1, None], left + costs[None, :, j - 1])
                )
                row.append(left)
            above = row
        for j in range(longest + 1):
            ends = (lengths == i)[:, None] & (lengths == j)
            distances[ends] = above[j][ends]
    return distances
