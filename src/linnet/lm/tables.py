"""The arrays of a packed n-gram model, and how an n-gram is found in them.

Every n-gram has a node, a number below 2^32. Nodes below V are the words. The n-gram w1 … wn is found from
the node of w2 … wn, its parent, and from w1: both make a key of 64 bits, which a bijection mixes. The tables
of the orders from 2 on hold mixed keys in ascending order, each at its home (where the upper half of a mixed
key falls when it is scaled to the number of homes) or behind it. Empty places hold 2^64 - 1. So a search
begins at the home, and ends at the first value that is not below the one that is sought. Nothing collides,
and the words of an n-gram can be read off its keys.

A compact model has no keys: the nodes of each order stand in suffix order, so that those with the same parent
are neighbors, ascending by their first words, and are searched by bisection.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Array
from linnet.lm.levels import pack

EMPTY = np.uint64(2**64 - 1)
MIX_1, MIX_2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)  # the finalizer of MurmurHash3
SHIFT, HALF = np.uint64(33), np.uint64(32)
BLOCK_NODES = 16

_UNMIX_1, _UNMIX_2 = (np.uint64(pow(int(factor), -1, 1 << 64)) for factor in (MIX_1, MIX_2))


class Tables(NamedTuple):
    """A model in arrays, as compiled code takes it. N is the order, V the number of words.

    Attributes:
        keys: (nodes - V,) uint64, the mixed keys of the nodes from V on, `EMPTY` where there is none.
        values: float32 log10, or uint8 codes. Nodes below starts[N - 1] have two: the probability at 2 · node
            and the back-off behind it; those of the highest order have one, at node + starts[N - 1].
        centroids: (N, 2, 256) float32, what the codes of an order stand for as a probability and as a
            back-off; (0, 2, 256) where the values are no codes.
        starts: (N + 1,) int64, the first node of each order, and the number of nodes.
        num_homes: (N,) int64, for each order; 0 for words.
        max_probes: (N,) int64, how many places from a home on a key can stand; 0 for words.
        firsts: (nodes - V,) uint16, the first words of the nodes from V on in a compact model; else empty.
        blocks: uint32, where in `firsts` the children of every `BLOCK_NODES`-th node begin.
        children: (starts[N - 1] + 1,) uint16, how far behind that those of each node begin; they end where
            those of the next node begin.
    """

    keys: NDArray[np.uint64]
    values: Array
    centroids: NDArray[np.float32]
    starts: NDArray[np.int64]
    num_homes: NDArray[np.int64]
    max_probes: NDArray[np.int64]
    firsts: NDArray[np.uint16]
    blocks: NDArray[np.uint32]
    children: NDArray[np.uint16]

    @property
    def order(self) -> int:
        """The number of words in the longest n-grams."""
        return len(self.num_homes)


def mix(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread keys evenly over all values of 64 bits, a different value for each."""
    keys = (keys ^ (keys >> SHIFT)) * MIX_1
    keys = (keys ^ (keys >> SHIFT)) * MIX_2
    return keys ^ (keys >> SHIFT)


def unmix(mixed: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Undo `mix`."""
    keys = (mixed ^ (mixed >> SHIFT)) * _UNMIX_2
    keys = (keys ^ (keys >> SHIFT)) * _UNMIX_1
    return keys ^ (keys >> SHIFT)


def homes(mixed: NDArray[np.uint64], num_homes: int) -> NDArray[np.int64]:
    """Return the homes of mixed keys."""
    return (((mixed >> HALF) * np.uint64(num_homes)) >> HALF).astype(np.int64)


def find_nodes(tables: Tables, order: int, parents: Array, firsts: Array) -> NDArray[np.int64]:
    """Return the nodes of n-grams, -1 for those that the model does not have.

    Args:
        tables: the model.
        order: of the n-grams, from 2 on.
        parents: (n,) nodes of the n-grams without their first words; negative ones find nothing.
        firsts: (n,) their first words; likewise.
    """
    parents, firsts = np.asarray(parents), np.asarray(firsts)
    nodes = np.full(len(parents), -1, np.int64)
    searching = np.flatnonzero((parents >= 0) & (firsts >= 0))
    if len(tables.firsts):
        nodes[searching] = _find_children(tables, parents[searching], firsts[searching])
        return nodes
    start, num_homes = int(tables.starts[order - 1]), int(tables.num_homes[order - 1])
    sought = mix(pack(parents[searching], firsts[searching]))
    at = homes(sought, num_homes) + (start - int(tables.starts[1]))
    for _ in range(int(tables.max_probes[order - 1])):
        stored = tables.keys[at]
        found = stored == sought
        nodes[searching[found]] = at[found] + int(tables.starts[1])
        on = stored < sought
        searching, sought, at = searching[on], sought[on], at[on] + 1
        if not len(searching):
            break
    return nodes


def child_ranges(tables: Tables, parents: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where in `Tables.firsts` the children of nodes of a compact model begin and end."""
    nodes = np.stack((parents, np.asarray(parents) + 1)).astype(np.int64)
    begins, ends = tables.blocks[nodes // BLOCK_NODES].astype(np.int64) + tables.children[nodes]
    return begins, ends


def are_children_in_range(tables: Tables) -> bool:
    """Tell whether the children of each order of a compact model are the nodes of the next."""
    begins, ends = child_ranges(tables, np.arange(tables.starts[-2]))
    num_words = tables.starts[1]
    is_joined = np.array_equal(begins[tables.starts[:-2]], tables.starts[1:-1] - num_words)
    last = tables.starts[-1] - num_words
    return bool(np.all(begins <= ends)) and is_joined and (not len(ends) or bool(ends[-1] == last))


def _find_children(tables: Tables, parents: Array, firsts: Array) -> NDArray[np.int64]:
    low, end = child_ranges(tables, parents)
    high = end
    while (low < high).any():
        middle = (low + high) // 2
        is_below = (low < high) & (tables.firsts[np.minimum(middle, len(tables.firsts) - 1)] < firsts)
        low, high = np.where(is_below, middle + 1, low), np.where(is_below, high, middle)
    found = (low < end) & (tables.firsts[np.minimum(low, len(tables.firsts) - 1)] == firsts)
    return np.where(found, low + tables.starts[1], -1)


def log10_probs(tables: Tables, order: int, nodes: Array) -> NDArray[np.float32]:
    """Return the probabilities of n-grams of one order."""
    last = int(tables.starts[tables.order - 1])
    places = nodes + last if order == tables.order else 2 * nodes
    return _decoded(tables, order, 0, tables.values[places])


def log10_backoffs(tables: Tables, order: int, nodes: Array) -> NDArray[np.float32]:
    """Return the back-offs of n-grams of one order below the highest."""
    return _decoded(tables, order, 1, tables.values[2 * nodes + 1])


def _decoded(tables: Tables, order: int, kind: int, values: Array) -> NDArray[np.float32]:
    return tables.centroids[order - 1, kind][values] if len(tables.centroids) else np.asarray(values)
