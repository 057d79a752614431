"""Forced alignment: when a known text was written, and how likely each of its tokens is there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from linnet.core.arrays import LogProbs
from linnet.core.errors import ConfigError
from linnet.decoding.compiled import announce_compiling
from linnet.decoding.confidence import token_confidences
from linnet.decoding.greedy import TokenSpan

# States around the best one that a long alignment looks at: half a minute of fast speech on either side.
BAND_STATES = 2048


class AlignConfig(BaseModel):
    """What can be chosen about an alignment; the descriptions are the help of the command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    normalizer: str | None = Field(
        default=None, description="Text normalizer; default: the one the model was trained with."
    )
    min_score: float = Field(
        default=-4.0,
        le=0.0,
        allow_inf_nan=False,
        description="Words with a lower mean log-posterior are marked as not spoken; default: -4.",
    )


@dataclass(frozen=True, slots=True)
class Alignment:
    """The best alignment of a text.

    Attributes:
        spans: one for each token, in the order of time.
        scores: of each token, the mean natural log-prob in its frames.
        log_prob: the natural log-probability of the alignment.
    """

    spans: tuple[TokenSpan, ...]
    scores: tuple[float, ...]
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
        MissingDependencyError: when numba is not installed.
    """
    from linnet.decoding.viterbi_kernel import best_path  # only here: the import of numba takes a while

    ids = np.asarray(tokens, np.int32)
    least = len(ids) + int((ids[1:] == ids[:-1]).sum())
    if len(log_probs) < least:
        raise ConfigError(
            f"{len(ids)} tokens need at least {least} frames, and there are {len(log_probs)}",
            remedy="Check that text and recording belong together",
        )
    if not len(ids):
        return Alignment((), (), float(log_probs[:, blank_id].sum(dtype=np.float64)))
    announce_compiling(best_path)
    states, total = best_path(np.ascontiguousarray(log_probs, np.float32), ids, blank_id, band_states)
    spans, scores = _spans(states, ids, log_probs, blank_id)
    return Alignment(spans, scores, float(total))


def _spans(
    states: NDArray[np.int32], ids: NDArray[np.int32], log_probs: LogProbs, blank_id: int
) -> tuple[tuple[TokenSpan, ...], tuple[float, ...]]:
    """Read the tokens from the state of each frame; odd states are tokens, even ones blanks."""
    frames = np.flatnonzero(states % 2)
    tokens = states[frames] // 2
    firsts = np.flatnonzero(np.diff(tokens, prepend=-1))
    counts = np.diff(np.append(firsts, len(frames)))
    scores = np.add.reduceat(log_probs[frames, ids[tokens]].astype(np.float64), firsts) / counts
    starts = frames[firsts]
    confidences = token_confidences(log_probs, ids, starts, starts + counts, blank_id)
    spans = tuple(
        TokenSpan(int(token), int(start), int(start + count), float(confidence))
        for token, start, count, confidence in zip(ids, starts, counts, confidences, strict=True)
    )
    return spans, tuple(map(float, scores))
