"""Greedy CTC decoding: the best token of each frame, repeats collapsed, blanks dropped."""

from dataclasses import dataclass

import numpy as np

from linnet.core.arrays import LogProbs


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """One decoded token and the frames in which it was the best.

    Attributes:
        token_id: its id in the vocabulary.
        start_frame: its first frame.
        end_frame: one past its last frame.
        confidence: its mean posterior over these frames, between 0 and 1.
    """

    token_id: int
    start_frame: int
    end_frame: int
    confidence: float


def greedy_decode(log_probs: LogProbs, blank_id: int) -> list[TokenSpan]:
    """Decode one utterance (Graves et al. 2006, "Connectionist Temporal Classification", §3.2, best path).

    Args:
        log_probs: (S, V) natural log posteriors; S may be 0. No padding frames.
        blank_id: the id that stands for "no token".

    Returns:
        The tokens in the order of time; equal neighbours are told apart by a blank between them.
    """
    assert log_probs.ndim == 2, f"log_probs must be (S, V), not {log_probs.shape}"
    if len(log_probs) == 0:
        return []
    best = log_probs.argmax(axis=1)
    posteriors = np.exp(np.take_along_axis(log_probs, best[:, None], axis=1)[:, 0].astype(np.float64))
    starts = np.flatnonzero(np.diff(best, prepend=best[0] - 1))
    ends = np.append(starts[1:], len(best))
    confidences = np.minimum(np.add.reduceat(posteriors, starts) / (ends - starts), 1.0)
    return [
        TokenSpan(int(best[start]), int(start), int(end), float(confidence))
        for start, end, confidence in zip(starts, ends, confidences, strict=True)
        if best[start] != blank_id
    ]
