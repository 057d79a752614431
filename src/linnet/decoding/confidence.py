"""How sure a model is of a token: from all posteriors around it, not from one path."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs
from linnet.core.results import Word

STRETCH_PAUSE_S = 1.0  # silence between two stretches of speech


def token_confidences(
    log_probs: LogProbs,
    ids: NDArray[np.integer],
    starts: NDArray[np.integer],
    ends: NDArray[np.integer],
    blank_id: int,
) -> NDArray[np.float64]:
    """Give each token its share of all tokens that the model writes around it.

    Around a token are its own frames and half of those to either neighbor. There, the expected number of
    frames that write this token (the sum of its posteriors) is divided by that of the frames that write any
    token (one minus that of the blank). Blanks, of which CTC writes most, thus say nothing for or against it.

    Args:
        log_probs: (S, V) natural log-probs; of V only the columns of `ids` and of the blank are read.
        ids: L columns, in the order of time.
        starts: (L,) first frames.
        ends: (L,) one past the last frames.
        blank_id: the column of the blank.

    Returns:
        (L,) between 0 and 1.
    """
    if not len(ids):
        return np.zeros(0)
    middles = (ends[:-1] + starts[1:] + 1) // 2
    bounds = np.concatenate([[0], middles, [len(log_probs)]])
    spoken = np.concatenate([[0.0], np.cumsum(-np.expm1(log_probs[:, blank_id].astype(np.float64)))])
    anything = np.diff(spoken[bounds])
    written = [
        np.exp(log_probs[low:high, token].astype(np.float64)).sum()
        for token, low, high in zip(ids, bounds[:-1], bounds[1:], strict=True)
    ]
    shares: NDArray[np.float64] = np.minimum(np.array(written) / np.maximum(anything, 1e-9), 1.0)
    return shares


def tempered(confidence: float, temperature: float) -> float:
    """Divide the logit of a confidence by a temperature (Guo et al. 2017, arXiv:1706.04599, §4.2).

    A temperature above 1 moves confidences towards one half, one below 1 away from it; 1 changes nothing.
    """
    if temperature == 1.0 or not 0.0 < confidence < 1.0:
        return confidence
    logit = np.log(confidence) - np.log1p(-confidence)
    return float(1 / (1 + np.exp(-logit / temperature)))


def confident_words(words: Sequence[Word], heard: Sequence[Word], min_confidence: float) -> tuple[Word, ...]:
    """Leave out the stretches of speech that are none: where all that is heard between two pauses is guesses.

    In noise and music a model is unsure of every word, in speech only of some, so the mean confidence of a
    stretch tells both apart better than that of a single word.

    Args:
        words: in the order of time; each belongs to the stretch that is nearest.
        heard: the words of the best tokens of each frame, which make the stretches.
        min_confidence: the mean confidence that a stretch must have.
    """
    stretches = list(_stretches(heard))
    if not stretches:
        return ()
    is_sure = [np.mean([word.confidence for word in each]) >= min_confidence for each in stretches]
    middles_s = [(word.start_s + word.end_s) / 2 for word in words]
    bounds_s = [(before[-1].end_s + after[0].start_s) / 2 for before, after in pairwise(stretches)]
    places = np.searchsorted(bounds_s, middles_s)
    return tuple(word for word, place in zip(words, places, strict=True) if is_sure[place])


def _stretches(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """Divide words where nobody speaks for `STRETCH_PAUSE_S`."""
    first = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or words[index].start_s - words[index - 1].end_s >= STRETCH_PAUSE_S:
            yield words[first:index]
            first = index
