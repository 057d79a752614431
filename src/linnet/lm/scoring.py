"""Back-off scores: of one word after a state, for compiled search, and of many n-grams at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.lm.tables import (
    BLOCK_NODES,
    HALF,
    MIX_1,
    MIX_2,
    SHIFT,
    Tables,
    find_nodes,
    log10_backoffs,
    log10_probs,
)
from linnet.lm.vocabulary import BOS

LN_10 = float(np.log(10))


class State(NamedTuple):
    """What of a sentence so far matters to the words to come. N is the order.

    Attributes:
        words: (N - 1,) uint32, the last words, the latest first; the rest is meaningless.
        log10_backoffs: (N - 1,) float32, of the n-grams that the first word, the first two … make.
        length: (1,) int64, how many words there are. States with the same words score alike.
    """

    words: NDArray[np.uint32]
    log10_backoffs: NDArray[np.float32]
    length: NDArray[np.int64]


def empty_state(tables: Tables) -> State:
    """Return the state where nothing is known of what came before."""
    num_words = max(1, tables.order - 1)
    return State(np.zeros(num_words, np.uint32), np.zeros(num_words, np.float32), np.zeros(1, np.int64))


def sentence_start(tables: Tables) -> State:
    """Return the state at the start of a sentence."""
    state = empty_state(tables)
    if tables.order > 1:
        state.words[0] = BOS
        state.log10_backoffs[0] = log10_backoffs(tables, 1, np.array([BOS]))[0]
        state.length[0] = 1
    return state


def score_word(tables: Tables, state: State, word: int, after: State) -> float:
    """Return the log10 probability of a word after a state, and write the state after it.

    This is plain Python that numba compiles as it stands (`numba.njit(score_word)`). Called from Python, it
    needs `np.errstate(over="ignore")`. Words that nothing longer begins with do not stay in the state, so
    that sentences which score alike from there on have the same state.

    Args:
        tables: the model.
        state: the state; it may not be `after`.
        word: a number below V.
        after: is overwritten.
    """
    order, num_words = len(tables.num_homes), tables.starts[1]
    last_start = tables.starts[order - 1]  # of the highest order, whose n-grams have no back-off
    node, length, prob = np.int64(word), 0, 0.0
    after.length[0] = 0
    while True:
        length += 1
        is_longest = length == order
        value = node + last_start if is_longest else 2 * node
        if len(tables.centroids):
            prob = np.float64(tables.centroids[length - 1, 0, np.int64(tables.values[value])])
        else:
            prob = np.float64(tables.values[value])
        if is_longest:
            break
        if len(tables.centroids):
            backoff = tables.centroids[length - 1, 1, np.int64(tables.values[value + 1])]
        else:
            backoff = np.float32(tables.values[value + 1])
        after.words[length - 1] = word if length == 1 else state.words[length - 2]
        after.log10_backoffs[length - 1] = backoff
        if backoff != 0 or not np.signbit(backoff):  # not NO_EXTENSION
            after.length[0] = length
        if length > state.length[0]:
            break
        if len(tables.firsts):
            place = np.int64(tables.blocks[node // BLOCK_NODES]) + np.int64(tables.children[node])
            high = np.int64(tables.blocks[(node + 1) // BLOCK_NODES]) + np.int64(tables.children[node + 1])
            end, sought = high, state.words[length - 1]
            while place < high:
                middle = (place + high) >> 1
                if tables.firsts[middle] < sought:
                    place = middle + 1
                else:
                    high = middle
            if place == end or tables.firsts[place] != sought:
                break
            node = place + num_words
            continue
        key = (np.uint64(node) << HALF) | np.uint64(state.words[length - 1])
        key = (key ^ (key >> SHIFT)) * MIX_1
        key = (key ^ (key >> SHIFT)) * MIX_2
        key = key ^ (key >> SHIFT)
        place = np.int64(((key >> HALF) * np.uint64(tables.num_homes[length])) >> HALF)
        place += tables.starts[length] - num_words
        end = place + tables.max_probes[length]
        while place < end and tables.keys[place] < key:
            place += 1
        if place == end or tables.keys[place] != key:
            break
        node = place + num_words
    for missing in range(length - 1, state.length[0]):
        prob += np.float64(state.log10_backoffs[missing])
    return float(prob)


def score_ngrams(tables: Tables, words: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log10 probabilities of the last words after all words before them.

    Args:
        tables: the model.
        words: (n, m) numbers with m up to the order; negative ones on the left where there is no word.
    """
    endings, contexts = _endings(tables, words), _endings(tables, words[:, :-1])
    scores = np.zeros(len(words))
    for length, nodes in enumerate(endings, start=1):
        found = nodes >= 0
        scores[found] = log10_probs(tables, length, nodes[found])
    for length, nodes in enumerate(contexts, start=1):
        # The back-off counts where the word was not found behind so long a context.
        counts = (nodes >= 0) & (endings[length] < 0)
        scores[counts] += log10_backoffs(tables, length, nodes[counts])
    return scores


def _endings(tables: Tables, words: Array) -> list[NDArray[np.int64]]:
    """Return the nodes of the last word, the last two …, of which -1 tells that the model lacks them."""
    nodes: list[NDArray[np.int64]] = []
    for length in range(1, words.shape[1] + 1):
        firsts = words[:, -length]
        nodes.append(firsts if length == 1 else find_nodes(tables, length, nodes[-1], firsts))
    return nodes
