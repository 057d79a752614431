"""The compiled inner loop of the beam search: prefixes, their masses, and what their texts are worth.

A prefix is a token sequence; it keeps the probability of all alignments seen so far that collapse to it,
split by whether the last frame was a blank (Graves et al. 2006; Hannun et al. 2014, arXiv:1408.2873,
algorithm 1). Everything is linear, not logarithmic: each frame's masses are divided by the largest, whose
logarithm is kept. What a text is worth (language model, word bonus, hotwords) depends on the prefix alone. It
is worked out once, when the prefix is first reached, as the factor by which its masses exceed those of its
parent's alignments.

All functions work on plain arrays, so that numba compiles them without objects and they run without the lock
of the interpreter.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import LogProbs
from linnet.decoding.beam_arena import (
    FRAME,
    LN_10,
    NO_LM,
    NUM_BEAM,
    NUM_COMMITTED,
    NUM_NODES,
    SIZE,
    SPACE,
    TOKEN_LM,
    WAS_BLANK,
    WORD_LM,
    Arena,
    Float64,
    Int32,
    Int64,
    Records,
    Tables,
    TokenTables,
    Weights,
)
from linnet.decoding.compiled import compiled
from linnet.decoding.hotwords import HotwordTables
from linnet.decoding.lexicon import child_of, mixed
from linnet.lm import scoring
from linnet.lm.tables import Tables as NgramTables
from linnet.lm.vocabulary import EOS, UNK

_score_word = compiled(scoring.score_word)


@compiled
def search(arena: Arena, tables: Tables, log_probs: LogProbs) -> int:
    """Take up frames (S, V) of natural log-probs, the blank last.

    Returns:
        How many frames were taken up; fewer than S when the arena is full and its owner must enlarge it.
    """
    weights = tables.weights
    num_frames, size = log_probs.shape
    top_ids, top_probs = np.empty(weights.top_tokens, np.int32), np.empty(weights.top_tokens)
    for frame in range(num_frames):
        blank = log_probs[frame, size - 1]
        if blank > weights.blank_only:
            if not arena.counters[WAS_BLANK]:
                _silence(arena)
            arena.log_scale[0] += blank
            continue
        if not _has_room(arena, weights):
            compact(arena)
            if not _has_room(arena, weights):
                return frame
        num_top = _top_tokens(log_probs[frame], weights, top_ids, top_probs)
        _step(arena, tables, log_probs[frame], top_ids[:num_top], top_probs[:num_top])
        _select(arena, weights)
        if len(arena.phrases):
            for i in range(arena.counters[NUM_BEAM]):
                _mark_phrase(arena, tables.hotwords, arena.beam[i].node)
    return int(num_frames)


@compiled
def _silence(arena: Arena) -> None:
    """Let every prefix end in a blank."""
    for i in range(arena.counters[NUM_BEAM]):
        arena.beam[i].blank += arena.beam[i].full
        arena.beam[i].full = 0.0
    arena.counters[WAS_BLANK] = 1


@compiled
def _has_room(arena: Arena, weights: Weights) -> bool:
    """Tell whether every prefix may grow by every token without filling tree or table."""
    growth = arena.counters[NUM_BEAM] * weights.top_tokens
    free_nodes = len(arena.nodes) - arena.counters[NUM_NODES] - 1
    return bool(growth < free_nodes)


@compiled
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


@compiled
def _step(arena: Arena, tables: Tables, row: LogProbs, ids: Int32, probs: Float64) -> None:
    """Make the candidates of one frame: every prefix as it is, and longer by each of the top tokens."""
    nodes, beam, candidates, counters = arena.nodes, arena.beam, arena.candidates, arena.counters
    counters[FRAME] += 1
    counters[WAS_BLANK] = 0
    bound = _keep(nodes, beam, candidates, counters, row, tables.weights)
    frame, num_beam, size = counters[FRAME], counters[NUM_BEAM], counters[SIZE]
    count = num_beam
    begins = tables.tokens.begins
    for i in range(num_beam):
        node = beam[i].node
        within, across = _limits(nodes[node], tables)
        last, bears = nodes[node].token, nodes[node].bearing == frame
        mass = beam[i].blank + beam[i].full
        for k in range(len(ids)):
            token = ids[k]
            gained = (beam[i].blank if token == last else mass) * probs[k]
            most = gained * (across if begins[token] else within)
            if (most < bound and not bears) or gained == 0.0:
                continue
            child = _child(arena.table, node * size + token + 1)
            if child < 0:
                if most < bound:
                    continue
                child = _extend(arena, tables, node, token)
            gained *= nodes[child].ratio
            if nodes[child].seen == frame:
                candidates[nodes[child].slot].full += gained
            elif gained >= bound:
                nodes[child].seen, nodes[child].slot = frame, count
                candidates[count].node, candidates[count].blank, candidates[count].full = child, 0.0, gained
                count += 1
    counters[NUM_BEAM] = count


@compiled
def _keep(
    nodes: Records, beam: Records, candidates: Records, counters: Int64, row: LogProbs, weights: Weights
) -> float:
    """Make candidates of the prefixes as they are.

    Returns:
        A mass below which no candidate can be among the best of the frame, since masses only grow from here.
    """
    frame, num_beam = counters[FRAME], counters[NUM_BEAM]
    blank = math.exp(row[len(row) - 1])
    best, least = 0.0, math.inf
    for i in range(num_beam):
        node = beam[i].node
        last = nodes[node].token
        again = beam[i].full * math.exp(row[last]) if last >= 0 else 0.0
        candidates[i].node, candidates[i].full = node, again
        candidates[i].blank = (beam[i].blank + beam[i].full) * blank
        nodes[node].seen, nodes[node].slot = frame, i
        nodes[nodes[node].parent].bearing = frame
        mass = candidates[i].blank + again
        best, least = max(best, mass), min(least, mass)
    bound = best * weights.margin
    return max(bound, least) if num_beam == weights.beam else bound


@compiled
def _select(arena: Arena, weights: Weights) -> None:
    """Keep the best candidates as the beam, in descending order; equal ones by their age."""
    beam, candidates = arena.beam, arena.candidates
    count = arena.counters[NUM_BEAM]
    masses = np.empty(count)
    best = 0.0
    for i in range(count):
        masses[i] = candidates[i].blank + candidates[i].full
        best = max(best, masses[i])
    bound = best * weights.margin
    if count > weights.beam:
        bound = max(bound, np.partition(masses, count - weights.beam)[count - weights.beam])
    chosen = 0
    for i in range(count):  # those above the bound come first, so that ties cannot push them out
        if masses[i] > bound:
            chosen = _insert(beam, candidates, masses, i, chosen)
    for i in range(count):
        if masses[i] == bound and chosen < weights.beam:
            chosen = _insert(beam, candidates, masses, i, chosen)
    for i in range(chosen):
        beam[i].blank /= best
        beam[i].full /= best
    arena.log_scale[0] += math.log(best)
    arena.counters[NUM_BEAM] = chosen


@compiled
def _insert(beam: Records, candidates: Records, masses: Float64, index: int, count: int) -> int:
    """Put a candidate behind those of the beam that are not worse; gives how many there are then."""
    place = count
    while place > 0 and masses[index] > beam[place - 1].blank + beam[place - 1].full:
        beam[place] = beam[place - 1]
        place -= 1
    beam[place] = candidates[index]
    return count + 1


@compiled
def _child(table: Records, key: np.int64) -> int:
    """Return the node that is entered for a prefix and a token, or -1."""
    mask = len(table) - 1
    place = mixed(key) & mask
    while table[place].key != 0:
        if table[place].key == key:
            return int(table[place].node)
        place = (place + 1) & mask
    return -1


@compiled
def _enter(table: Records, key: np.int64, child: int) -> None:
    mask = len(table) - 1
    place = mixed(key) & mask
    while table[place].key != 0:
        place = (place + 1) & mask
    table[place].key, table[place].node = key, child


@compiled
def _limits(node: Any, tables: Tables) -> tuple[float, float]:
    """Return upper bounds of the ratios of a node's children, by tokens within a word and by those across."""
    weights = tables.weights
    within = tables.hopes[node.hot]
    if weights.mode == TOKEN_LM:
        within *= math.exp(weights.beta)
    across = within
    if weights.mode == WORD_LM and node.lexicon != 0:
        # No word is likelier than certain, whatever its look-ahead took off.
        across *= math.exp(weights.beta - node.ahead)
    return within, across


@compiled
def hopes_of(hotwords: HotwordTables, tokens: TokenTables) -> Float64:
    """Return, for each state of the automaton, the largest factor that a token can bring."""
    hopes = np.ones(len(hotwords.partial))
    if len(hopes) == 1:
        return hopes
    for origin in range(len(hopes)):
        most = -np.inf
        for token in range(len(tokens.offsets) - 1):
            state, worth = origin, -hotwords.partial[origin]
            for i in range(tokens.offsets[token], tokens.offsets[token + 1]):
                state = hotwords.following[state, tokens.text[i]]
                worth += hotwords.finished[state]
            most = max(most, worth + hotwords.partial[state])
        hopes[origin] = math.exp(most)
    return hopes


@compiled
def _extend(arena: Arena, tables: Tables, node: int, token: int) -> int:
    """Add the prefix one token longer than that of `node`, and work out what its text is worth."""
    nodes, tokens, weights = arena.nodes, tables.tokens, tables.weights
    child = int(arena.counters[NUM_NODES])
    arena.counters[NUM_NODES] += 1
    _copy(arena, node, child)
    nodes[child].parent, nodes[child].token = node, token
    nodes[child].seen, nodes[child].bearing = -1, -1
    worth = nodes[node].worth - nodes[node].ahead
    if weights.mode == WORD_LM or len(tables.hotwords.partial) > 1:
        for i in range(tokens.offsets[token], tokens.offsets[token + 1]):
            byte = tokens.text[i]
            worth += _hear(nodes, tables.hotwords, child, byte)
            if weights.mode == WORD_LM:
                worth += _spell(arena, tables, child, byte)
    if weights.mode == TOKEN_LM:
        worth += weights.beta + weights.alpha * _say(arena, tables.ngrams, child, tokens.words[token])
    nodes[child].worth = worth + nodes[child].ahead
    nodes[child].ratio = math.exp(nodes[child].worth - nodes[node].worth)
    _enter(arena.table, node * arena.counters[SIZE] + token + 1, child)
    return child


@compiled
def _hear(nodes: Records, hotwords: HotwordTables, node: int, byte: int) -> float:
    """Move the hotword automaton of a node; gives what that is worth."""
    state = nodes[node].hot
    after = hotwords.following[state, byte]
    nodes[node].hot = after
    return float(hotwords.finished[after] + hotwords.partial[after] - hotwords.partial[state])


@compiled
def _spell(arena: Arena, tables: Tables, node: int, byte: int) -> float:
    """Move a node on in the lexicon, or finish its word at a space; gives what that is worth for good."""
    weights, lexicon = tables.weights, tables.lexicon
    place = arena.nodes[node].lexicon
    if byte != SPACE:
        if place >= 0:
            place = child_of(lexicon, place, byte)
            arena.nodes[node].lexicon = place
        if place >= 0:
            arena.nodes[node].ahead = weights.alpha * lexicon.ahead[place]
        else:  # a word outside of the lexicon: it will cost at least this
            arena.nodes[node].ahead = weights.unknown
        return 0.0
    if place == 0:
        return 0.0
    word = lexicon.words[place] if place > 0 else -1
    arena.nodes[node].lexicon, arena.nodes[node].ahead = 0, 0.0
    known = word >= 0
    logarithm = _say(arena, tables.ngrams, node, word if known else UNK)
    return weights.beta + weights.alpha * logarithm + (0.0 if known else weights.unknown)


@compiled
def _say(arena: Arena, ngrams: NgramTables, node: int, word: int) -> float:
    """Put an LM word behind the state of a node; gives its natural log-prob."""
    words, backoffs = arena.words[node].copy(), arena.backoffs[node].copy()
    before = scoring.State(words, backoffs, np.full(1, arena.nodes[node].num_words))
    after = scoring.State(arena.words[node], arena.backoffs[node], np.zeros(1, np.int64))
    logarithm = LN_10 * _score_word(ngrams, before, word, after)
    arena.nodes[node].num_words = after.length[0]
    arena.nodes[node].lm += logarithm
    return logarithm


@compiled
def compact(arena: Arena) -> None:
    """Drop the nodes that no prefix of the beam needs, and move what all share out of the tree."""
    counters = arena.counters
    num_nodes, num_beam = counters[NUM_NODES], counters[NUM_BEAM]
    num_children, heir = np.zeros(num_nodes, np.int32), np.zeros(num_nodes, np.int32)
    stays, in_beam = np.zeros(num_nodes, np.bool_), np.zeros(num_nodes, np.bool_)
    for i in range(num_beam):
        node = arena.beam[i].node
        in_beam[node] = True
        while not stays[node]:
            stays[node] = True
            if node != 0:
                num_children[arena.nodes[node].parent] += 1
                heir[arena.nodes[node].parent] = node
                node = arena.nodes[node].parent
    root = 0
    while num_children[root] == 1 and not in_beam[root] and counters[NUM_COMMITTED] < len(arena.committed):
        root = heir[root]
        arena.committed[counters[NUM_COMMITTED]] = arena.nodes[root].token
        counters[NUM_COMMITTED] += 1
    _renumber(arena, stays, root)


@compiled
def _renumber(arena: Arena, stays: NDArray[np.bool_], root: int) -> None:
    """Move the nodes that stay, from `root` on, to the front; parents always lie before their children."""
    counters = arena.counters
    places = np.full(counters[NUM_NODES], -1, np.int32)
    nodes, table = arena.nodes, arena.table
    for i in range(len(table)):
        table[i].key = 0
    count = 0
    for node in range(root, counters[NUM_NODES]):
        if stays[node]:
            places[node] = count
            _copy(arena, node, count)
            arena.nodes[count].parent = 0 if count == 0 else places[arena.nodes[node].parent]
            if count > 0:
                _enter(arena.table, nodes[count].parent * counters[SIZE] + nodes[count].token + 1, count)
            count += 1
    for i in range(counters[NUM_BEAM]):
        arena.beam[i].node = places[arena.beam[i].node]
    counters[NUM_NODES] = count


@compiled
def _copy(arena: Arena, source: int, target: int) -> None:
    arena.nodes[target] = arena.nodes[source]
    for i in range(arena.nodes[source].num_words):
        arena.words[target, i] = arena.words[source, i]
        arena.backoffs[target, i] = arena.backoffs[source, i]


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
    weights, hotwords = tables.weights, tables.hotwords
    last = arena.counters[NUM_NODES]  # a free row, since there is always room for one more
    for i in range(arena.counters[NUM_BEAM]):
        node = arena.beam[i].node
        _copy(arena, node, last)
        worth = arena.nodes[node].worth - arena.nodes[node].ahead + _hear(arena.nodes, hotwords, last, SPACE)
        _mark_phrase(arena, hotwords, last)
        worth -= hotwords.partial[arena.nodes[last].hot]
        if weights.mode == WORD_LM:
            worth += _spell(arena, tables, last, SPACE)
        if weights.mode != NO_LM and ends:
            worth += weights.alpha * _say(arena, tables.ngrams, last, EOS)
        mass = math.log(arena.beam[i].blank + arena.beam[i].full) + arena.log_scale[0]
        totals[i] = mass + worth - arena.nodes[node].worth
        language[i], worths[i] = arena.nodes[last].lm, worth
    return worths


@compiled
def _mark_phrase(arena: Arena, hotwords: HotwordTables, node: int) -> None:
    """Note that a hotword phrase ends in a prefix of the beam."""
    phrase = hotwords.phrase[arena.nodes[node].hot]
    if phrase >= 0:
        arena.phrases[phrase] = True


@compiled
def path_of(arena: Arena, node: int) -> Int32:
    """Return the tokens of a prefix behind those that were committed."""
    count, place = 0, node
    while place != 0:
        count += 1
        place = arena.nodes[place].parent
    tokens = np.empty(count, np.int32)
    while node != 0:
        count -= 1
        tokens[count] = arena.nodes[node].token
        node = arena.nodes[node].parent
    return tokens
