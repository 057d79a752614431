"""Greedy CTC decoding: the best token of each frame, repeats collapsed, blanks dropped."""

from dataclasses import dataclass

import numpy as np

from linnet.core.arrays import LogProbs
from linnet.decoding.confidence import token_confidences


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """One decoded token and the frames in which it was the best.

    Attributes:
        token_id: its id in the vocabulary.
        start_frame: its first frame.
        end_frame: one past its last frame.
        confidence: its share of all tokens written around these frames (`decoding.confidence`), 0 to 1.
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
    starts = np.flatnonzero(np.diff(best, prepend=best[0] - 1))
    ends = np.append(starts[1:], len(best))
    spoken = best[starts] != blank_id
    starts, ends = starts[spoken], ends[spoken]
    confidences = token_confidences(log_probs, best[starts], starts, ends, blank_id)
    return [
        TokenSpan(int(best[start]), int(start), int(end), float(confidence))
        for start, end, confidence in zip(starts, ends, confidences, strict=True)
    ]
