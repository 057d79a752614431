"""The compiled inner loop of forced alignment: Viterbi over CTC's states within a moving band."""

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs
from linnet.decoding.compiled import compiled

Int32 = NDArray[np.int32]
Float64 = NDArray[np.float64]


@compiled
def best_path(log_probs: LogProbs, ids: Int32, blank: int, band: int) -> tuple[Int32, float]:
    """Return the state of every frame on the best path, and its log-prob.

    State 2 i is the blank before token i, state 2 i + 1 the token itself. A step stays, goes to the next
    state, or skips the blank between two different tokens. Frame t looks at the `band` states from starts[t].
    """
    num_frames, num_states = len(log_probs), 2 * len(ids) + 1
    band = min(band, num_states)
    steps = np.zeros((num_frames, (band + 3) // 4), np.uint8)  # two bits a state: from how far it was reached
    starts = np.zeros(num_frames, np.int32)
    scores, before = np.full(band, -np.inf), np.full(band, -np.inf)
    scores[0], start = log_probs[0, blank], 0
    if band > 1:
        scores[1] = log_probs[0, ids[0]]
    for t in range(1, num_frames):
        scores, before = before, scores
        earlier = start
        start = _band_start(before, start, t, num_frames, num_states)
        starts[t] = start
        _advance(log_probs[t], ids, blank, before, scores, start, start - earlier, steps[t])
    last = num_states - 1 - start
    if scores[last - 1] > scores[last]:
        last -= 1
    return _backtrack(steps, starts, start + last), scores[last]


@compiled
def _band_start(before: Float64, start: int, frame: int, num_frames: int, num_states: int) -> int:
    """Move the band so that the best state lies in its middle, and that the end can still be reached."""
    band = len(before)
    if band == num_states:
        return 0
    best = start + int(np.argmax(before))
    wanted = min(max(best - band // 2, start), num_states - band)
    # A path gains at most two states a frame: the last frame's band must hold the last states.
    return max(wanted, num_states - band - 2 * (num_frames - 1 - frame))


@compiled
def _advance(
    row: LogProbs,
    ids: Int32,
    blank: int,
    before: Float64,
    scores: Float64,
    start: int,
    shift: int,
    steps: NDArray[np.uint8],
) -> None:
    """Fill the scores of a frame from those of the frame before, whose band began `shift` states earlier."""
    band = len(scores)
    for i in range(band):
        state = start + i
        source = i + shift
        best = before[source] if source < band else -np.inf
        step = 0
        if 0 <= source - 1 < band and before[source - 1] > best:
            best, step = before[source - 1], 1
        token = blank
        if state % 2:
            token = ids[state // 2]
            skips = state > 1 and token != ids[state // 2 - 1]
            if skips and 0 <= source - 2 < band and before[source - 2] > best:
                best, step = before[source - 2], 2
        scores[i] = best + row[token]
        steps[i // 4] |= step << (2 * (i % 4))


@compiled
def _backtrack(steps: NDArray[np.uint8], starts: Int32, state: int) -> Int32:
    states = np.empty(len(starts), np.int32)
    for t in range(len(starts) - 1, -1, -1):
        states[t] = state
        i = state - starts[t]
        state -= (steps[t, i // 4] >> (2 * (i % 4))) & 3
    return states
