"""Forced alignment: when a known text was written, and how likely each of its tokens is there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs
from linnet.core.errors import ConfigError
from linnet.decoding.greedy import TokenSpan
from linnet.decoding.viterbi_kernel import best_path

# States on either side of the best one that a long alignment looks at: half a minute of fast speech.
BAND_STATES = 2048


@dataclass(frozen=True, slots=True)
class Alignment:
    """The best alignment of a text.

    Attributes:
        spans: one for each token, in the order of time.
        log_prob: the natural log-probability of the alignment.
    """

    spans: tuple[TokenSpan, ...]
    log_prob: float


def align(
    log_probs: LogProbs, tokens: Sequence[int], blank_id: int, *, band_states: int = BAND_STATES
) -> Alignment:
    """Find the best alignment of `tokens` to an utterance (Kürzinger et al. 2020, arXiv:2007.09127, §2.1).

    Exact as long as the best alignment never leaves a band of states that follows the best state so far;
    texts of up to half of `band_states` tokens always are. Memory grows with frames × band, at two bits each.

    Args:
        log_probs: (S, V) natural log-probs without padding.
        tokens: L ids without blanks.
        blank_id: the id of CTC's blank.
        band_states: how many of the 2 L + 1 states one frame looks at.

    Raises:
        ConfigError: when the text needs more frames than there are.
    """
    ids = np.asarray(tokens, np.int32)
    least = len(ids) + int((ids[1:] == ids[:-1]).sum())
    if len(log_probs) < least:
        raise ConfigError(
            f"{len(ids)} tokens need at least {least} frames, and there are {len(log_probs)}",
            remedy="Check that text and recording belong together",
        )
    if not len(ids):
        return Alignment((), float(log_probs[:, blank_id].sum(dtype=np.float64)))
    states, total = best_path(np.ascontiguousarray(log_probs, np.float32), ids, blank_id, band_states)
    return Alignment(tuple(_spans(states, ids, log_probs)), float(total))


def _spans(states: NDArray[np.int32], ids: NDArray[np.int32], log_probs: LogProbs) -> list[TokenSpan]:
    """Read the spans of the tokens from the state of each frame; odd states are tokens, even ones blanks."""
    frames = np.flatnonzero(states % 2)
    tokens = states[frames] // 2
    starts = np.flatnonzero(np.diff(tokens, prepend=-1))
    ends = np.append(starts[1:], len(frames))
    posteriors = np.exp(log_probs[frames, ids[tokens]].astype(np.float64))
    means = np.minimum(np.add.reduceat(posteriors, starts) / (ends - starts), 1.0)
    return [
        TokenSpan(int(ids[tokens[start]]), int(frames[start]), int(frames[end - 1]) + 1, float(mean))
        for start, end, mean in zip(starts, ends, means, strict=True)
    ]
