"""What a prefix of the beam search is worth beside its sound: language model, word bonus and hotwords."""

import math

import numpy as np

from linnet.decoding.beam_arena import (
    LN_10,
    NO_LM,
    SPACE,
    TOKEN_LM,
    WORD_LM,
    Arena,
    Float64,
    Records,
    Tables,
    TokenTables,
    Weights,
)
from linnet.decoding.compiled import compiled, compiled_lean
from linnet.decoding.hotwords import HotwordTables
from linnet.decoding.lexicon import child_of
from linnet.lm import scoring
from linnet.lm.tables import Tables as NgramTables
from linnet.lm.vocabulary import EOS, UNK

_score_word = compiled_lean(scoring.score_word)


@compiled_lean
def extend(arena: Arena, tables: Tables, node: int, token: int, child: int, hot: int, favor: float) -> None:
    """Make `child` the prefix one token longer than that of `node`, and work out what its text is worth.

    What the token is worth to the hotwords, and where it leads them, is known (`favor`, `hot`).
    """
    nodes, tokens, weights = arena.nodes, tables.tokens, tables.weights
    nodes[child] = nodes[node]
    nodes[child].parent, nodes[child].token, nodes[child].seen, nodes[child].child = node, token, -1, 0
    nodes[child].hot = hot
    worth = nodes[node].worth - nodes[node].ahead + favor
    if weights.mode == TOKEN_LM:
        worth += weights.beta + weights.alpha * _say(
            arena, tables.ngrams, child, np.int64(tokens.words[token])
        )
    if weights.mode == WORD_LM:
        for i in range(tokens.offsets[token], tokens.offsets[token + 1]):
            spelled = _spell(arena, tables, child, np.int64(tokens.text[i]))
            worth += spelled
            if tokens.text[i] == SPACE and i == tokens.offsets[token]:  # now it is known
                nodes[node].closing = math.exp(spelled - nodes[node].ahead)
    nodes[child].worth = worth + nodes[child].ahead
    nodes[child].ratio = math.exp(nodes[child].worth - nodes[node].worth)


@compiled_lean
def listen(hotwords: HotwordTables, tokens: TokenTables, state: int, token: int) -> tuple[int, float]:
    """Return where the hotword automaton is after a token, and what that is worth."""
    after, worth = state, 0.0
    for i in range(tokens.offsets[token], tokens.offsets[token + 1]):
        after = int(hotwords.following[after, hotwords.classes[tokens.text[i]]])
        worth += hotwords.finished[after]
    return after, worth + hotwords.partial[after] - hotwords.partial[state]


@compiled_lean
def _spell(arena: Arena, tables: Tables, node: int, byte: np.int64) -> float:
    """Move a node on in the lexicon, or finish its word at a space; gives what that is worth for good."""
    weights, lexicon = tables.weights, tables.lexicon
    place = arena.nodes[node].lexicon
    if byte != SPACE:
        if place >= 0:
            place = child_of(lexicon, place, int(byte))
            arena.nodes[node].lexicon = place
        if place >= 0:
            arena.nodes[node].ahead = weights.alpha * lexicon[place].ahead
        else:
            arena.nodes[node].ahead = min(arena.nodes[node].ahead, weights.outside)
        return 0.0
    if place == 0:
        return 0.0
    word = lexicon[place].word if place > 0 else -1
    arena.nodes[node].lexicon, arena.nodes[node].ahead = 0, 0.0
    known = word >= 0
    logarithm = _say(arena, tables.ngrams, node, np.int64(word if known else UNK))
    return weights.beta + weights.alpha * logarithm + (0.0 if known else weights.unknown)


@compiled_lean
def _say(arena: Arena, ngrams: NgramTables, node: int, word: np.int64) -> float:
    """Put an LM word behind the state of a node; gives its natural log-prob."""
    source = int(arena.nodes[node].state)
    if source == node:  # the second word that a token finishes
        source = len(arena.nodes) - 1
        copy_state(arena, node, source)
    before = scoring.State(arena.words[source], arena.backoffs[source], arena.lengths[source : source + 1])
    after = scoring.State(arena.words[node], arena.backoffs[node], arena.lengths[node : node + 1])
    logarithm = LN_10 * _score_word(ngrams, before, int(word), after)
    arena.nodes[node].state = node
    arena.nodes[node].lm += logarithm
    return logarithm


@compiled_lean
def copy_state(arena: Arena, source: int, target: int) -> None:
    """Copy a state of the language model from one row to another."""
    arena.lengths[target] = arena.lengths[source]
    for i in range(arena.lengths[source]):
        arena.words[target, i] = arena.words[source, i]
        arena.backoffs[target, i] = arena.backoffs[source, i]


@compiled_lean
def end(arena: Arena, tables: Tables, node: int, ends: bool) -> float:
    """Make of `node` its text as if it ended here; gives what that is worth in all."""
    weights = tables.weights
    worth = arena.nodes[node].worth - arena.nodes[node].ahead
    hotwords, hot = tables.hotwords, arena.nodes[node].hot
    after = hotwords.following[hot, hotwords.classes[SPACE]]
    worth += hotwords.finished[after] - hotwords.partial[hot]
    arena.nodes[node].hot = after
    if weights.mode == WORD_LM:
        worth += _spell(arena, tables, node, np.int64(SPACE))
    if weights.mode != NO_LM and ends:
        worth += weights.alpha * _say(arena, tables.ngrams, node, np.int64(EOS))
    return float(worth)


@compiled_lean
def closing_of(lexicon: Records, weights: Weights, place: int, ahead: float) -> float:
    """Return an upper bound of what ending the word under way brings, its look-ahead taken off."""
    if weights.mode != WORD_LM or place == 0:
        return 1.0
    # No word is likelier than certain.
    known = place > 0 and lexicon[place].word >= 0
    return math.exp(weights.beta - ahead + (0.0 if known else weights.unknown))


@compiled
def promises_of(tokens: TokenTables, lexicon: Records, weights: Weights, hotwords: HotwordTables) -> Float64:
    """Return `TokenTables.promises`."""
    promises = np.ones(len(tokens.offsets) - 1)
    for token in range(len(promises)):
        start, stop = tokens.offsets[token], tokens.offsets[token + 1]
        if weights.mode == TOKEN_LM:
            promises[token] = math.exp(weights.beta)
        elif weights.mode == WORD_LM:
            place, ahead = 0, 0.0
            for i in range(start + 1 if tokens.begins[token] else start, stop):
                if tokens.text[i] == SPACE:  # a word ends somewhere within
                    ahead = np.inf
                elif tokens.begins[token] and ahead < np.inf:
                    place = child_of(lexicon, place, tokens.text[i]) if place >= 0 else place
                    known = place >= 0
                    ahead = weights.alpha * lexicon[place].ahead if known else min(ahead, weights.outside)
            promises[token] = math.exp(ahead)
        if tokens.begins[token]:
            promises[token] *= math.exp(listen(hotwords, tokens, 0, token)[1])
    return promises


@compiled
def hopes_of(hotwords: HotwordTables, tokens: TokenTables) -> Float64:
    """Return `Tables.hopes`."""
    hopes = np.ones((len(hotwords.partial), 2))
    if len(hopes) == 1:
        return hopes
    for state in range(len(hopes)):
        most = -np.inf
        for token in range(len(tokens.begins)):
            if not tokens.begins[token]:
                most = max(most, listen(hotwords, tokens, state, token)[1])
        hopes[state, 0] = math.exp(most)
        plain = hotwords.following[state, hotwords.classes[SPACE]] == hotwords.start
        hopes[state, 1] = math.exp(-hotwords.partial[state]) if plain else np.inf
    return hopes
