"""The compiled inner loop of the beam search: prefixes and their masses.

A prefix is a token sequence; it keeps the probability of all alignments seen so far that collapse to it,
split by whether the last frame was a blank (Graves et al. 2006; Hannun et al. 2014, arXiv:1408.2873,
algorithm 1). Everything is linear, not logarithmic: each frame's masses are divided by the largest, whose
logarithm is kept. What a text is worth (language model, word bonus, hotwords) depends on the prefix alone. It
is worked out once, when the prefix is first reached, as the factor by which its masses exceed those of its
parent's alignments.

Most of the time goes into prefixes that are longer by a token and are not kept. So nothing is worked out for
one that cannot be among the best: masses are bounded from above before, and from below by the best found so
far. And a prefix joins the tree only when it is kept.

All functions work on plain arrays, so that numba compiles them without objects and they run without the lock
of the interpreter.
"""

import math

import numpy as np

from linnet.core.arrays import LogProbs
from linnet.decoding.beam_arena import (
    FRAME,
    NUM_BEAM,
    NUM_NODES,
    WAS_BLANK,
    Arena,
    Float64,
    Int32,
    Tables,
    Weights,
)
from linnet.decoding.beam_tree import adopt, longer_by, mark_phrase
from linnet.decoding.beam_worth import end, extend, listen
from linnet.decoding.compiled import compiled, compiled_lean


@compiled_lean
def search(arena: Arena, tables: Tables, log_probs: LogProbs) -> int:
    """Take up frames (S, V) of natural log-probs, the blank last.

    Returns:
        How many frames were taken up; fewer than S when the arena is full and its owner must make room.
    """
    weights = tables.weights
    num_frames, size = log_probs.shape
    for frame in range(num_frames):
        blank = log_probs[frame, size - 1]
        if blank > weights.blank_only:
            if not arena.counters[WAS_BLANK]:
                _silence(arena)
            arena.log_scale[0] += blank
            continue
        if not has_room(arena, weights):
            return frame
        _step(arena, tables, log_probs[frame])
    return int(num_frames)


@compiled_lean
def _silence(arena: Arena) -> None:
    """Let every prefix end in a blank."""
    for i in range(arena.counters[NUM_BEAM]):
        arena.beam[i].blank += arena.beam[i].full
        arena.beam[i].full = 0.0
    arena.counters[WAS_BLANK] = 1


@compiled_lean
def has_room(arena: Arena, weights: Weights) -> bool:
    """Tell whether every prefix may grow by every token, with a row to spare."""
    growth = arena.counters[NUM_BEAM] * weights.top_tokens
    free_nodes = len(arena.nodes) - arena.counters[NUM_NODES] - 1
    return bool(growth < free_nodes)


@compiled_lean
def _step(arena: Arena, tables: Tables, row: LogProbs) -> None:
    """Take up one frame: every prefix as it is, and longer by each of the top tokens; the best stay."""
    arena.counters[FRAME] += 1
    arena.counters[WAS_BLANK] = 0
    num_top = _top_tokens(row, tables.weights, arena.top_ids, arena.top_probs)
    _keep(arena, row)
    count = int(arena.counters[NUM_BEAM])
    bound, bounded = _bound(arena, tables.weights, count, 0.0), count
    for k in range(num_top):
        count = _lengthen(arena, tables, arena.top_ids[k], arena.top_probs[k], bound, count)
        if count > bounded:
            bound, bounded = _bound(arena, tables.weights, count, bound), count
    _select(arena, tables, bound, count)


@compiled_lean
def _top_tokens(row: LogProbs, weights: Weights, ids: Int32, probs: Float64) -> int:
    """Put the likeliest tokens, the blank not among them, in descending order; gives how many there are."""
    count, limit = 0, len(ids)
    least = math.log(weights.min_token)
    for token in range(len(row) - 1):
        value = row[token]
        if value <= least:
            continue
        if count < limit:
            place = count
            count += 1
        else:
            place = count - 1
        while place > 0 and probs[place - 1] < value:
            probs[place], ids[place] = probs[place - 1], ids[place - 1]
            place -= 1
        probs[place], ids[place] = value, token
        if count == limit:
            least = probs[count - 1]
    for i in range(count):
        probs[i] = math.exp(probs[i])
    return count


@compiled_lean
def _keep(arena: Arena, row: LogProbs) -> None:
    """Make candidates of the prefixes as they are, with what their parents in the beam pass on to them."""
    nodes, beam, candidates = arena.nodes, arena.beam, arena.candidates
    frame, num_beam = arena.counters[FRAME], arena.counters[NUM_BEAM]
    blank = math.exp(row[len(row) - 1])
    for i in range(num_beam):
        nodes[beam[i].node].seen, nodes[beam[i].node].slot = frame, i
    for i in range(num_beam):
        node, full = beam[i].node, beam[i].full
        token, parent = nodes[node].token, nodes[node].parent
        if node != 0 and nodes[parent].seen == frame:
            passed = beam[nodes[parent].slot].blank
            if nodes[parent].token != token:
                passed += beam[nodes[parent].slot].full
            full += passed * nodes[node].ratio
        candidates[i].node = node
        candidates[i].blank = (beam[i].blank + beam[i].full) * blank
        candidates[i].full = full * math.exp(row[token]) if full > 0.0 else 0.0


@compiled_lean
def _lengthen(arena: Arena, tables: Tables, token: int, prob: float, bound: float, count: int) -> int:
    """Make candidates of the prefixes longer by one token that can reach the bound; gives how many there are.

    Those of the beam are candidates already. Those that are not in the tree go behind it.
    """
    nodes, beam, favored = arena.nodes, arena.beam, len(tables.hopes) > 1
    begins, promise = tables.tokens.begins[token], tables.tokens.promises[token] * prob
    hopes = tables.hopes[:, int(begins)]
    fresh = int(arena.counters[NUM_NODES]) + count - int(arena.counters[NUM_BEAM])
    for i in range(arena.counters[NUM_BEAM]):
        node = beam[i].node
        mass = beam[i].blank if nodes[node].token == token else beam[i].blank + beam[i].full
        most = mass * promise * hopes[nodes[node].hot]
        if begins:
            most *= nodes[node].closing
        if most < bound or mass == 0.0:
            continue
        child = longer_by(nodes, node, token)
        if child == 0:
            hot, favor = nodes[node].hot, 0.0
            if favored:
                hot, favor = listen(tables.hotwords, tables.tokens, hot, token)
                if most * math.exp(favor) < bound * hopes[nodes[node].hot]:
                    continue
            child = fresh
            extend(arena, tables, node, token, child, hot, favor)
        elif nodes[child].seen == arena.counters[FRAME]:
            continue
        gained = mass * prob * nodes[child].ratio
        if gained >= bound and gained > 0.0:
            arena.candidates[count].node = child
            arena.candidates[count].blank, arena.candidates[count].full = 0.0, gained
            count += 1
            if child == fresh:
                fresh += 1
    return count


@compiled_lean
def _bound(arena: Arena, weights: Weights, count: int, least: float) -> float:
    """Return the mass that a candidate needs to be among the best, as far as is known: `least` or more."""
    candidates, masses = arena.candidates, arena.spare
    best, num_masses = 0.0, 0
    for i in range(count):
        mass = candidates[i].blank + candidates[i].full
        best = max(best, mass)
        if mass >= least:
            masses[num_masses] = mass
            num_masses += 1
    bound = max(least, best * weights.margin)
    return max(bound, _largest(masses, num_masses, weights.beam)) if num_masses >= weights.beam else bound


@compiled_lean
def _largest(values: Float64, count: int, place: int) -> float:
    """Return the `place`-th largest of the first values, and leave them in another order (Hoare 1961)."""
    low, high, sought = 0, count - 1, place - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if sought <= right:
            high = right
        elif sought >= left:
            low = left
        else:
            break
    return float(values[sought])


@compiled_lean
def _select(arena: Arena, tables: Tables, bound: float, count: int) -> None:
    """Keep the candidates that reach the bound as the beam, of equal ones the older."""
    beam, candidates = arena.beam, arena.candidates
    first_fresh, num_ties, best = arena.counters[NUM_NODES], tables.weights.beam, 0.0
    for i in range(count):
        mass = candidates[i].blank + candidates[i].full
        num_ties -= mass > bound
        best = max(best, mass)
    scale, chosen = 1.0 / best, 0
    for i in range(count):
        mass, node = candidates[i].blank + candidates[i].full, candidates[i].node
        if mass < bound:
            continue
        if mass == bound:
            num_ties -= 1
            if num_ties < 0:
                continue
        beam[chosen].node = adopt(arena, tables, node) if node >= first_fresh else node
        beam[chosen].blank, beam[chosen].full = candidates[i].blank * scale, candidates[i].full * scale
        chosen += 1
    arena.log_scale[0] += math.log(best)
    arena.counters[NUM_BEAM] = chosen


@compiled
def finish(arena: Arena, tables: Tables, ends: bool, totals: Float64, language: Float64) -> Float64:
    """Work out what the prefixes of the beam are worth if the utterance ends here; the search can go on.

    Args:
        arena: of the search.
        tables: of the search.
        ends: whether the language model's end of a sentence counts.
        totals: (beam,) to be filled with logarithms of the masses, everything included.
        language: (beam,) to be filled with LM log-probs.

    Returns:
        (beam,) the part of `totals` that is not acoustic.
    """
    worths = np.empty(len(totals))
    last = int(arena.counters[NUM_NODES])  # a free row, since there is always room for one more
    for i in range(arena.counters[NUM_BEAM]):
        node = arena.beam[i].node
        arena.nodes[last] = arena.nodes[node]
        worths[i] = end(arena, tables, last, ends)
        mark_phrase(arena, tables.hotwords, last)
        mass = math.log(arena.beam[i].blank + arena.beam[i].full) + arena.log_scale[0]
        totals[i] = mass + worths[i] - arena.nodes[node].worth
        language[i] = arena.nodes[last].lm
    return worths
