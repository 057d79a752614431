"""The tree of prefixes in the beam search: how nodes join it, and how it stays small."""

import numpy as np
from numpy.typing import NDArray

from linnet.decoding.beam_arena import NUM_BEAM, NUM_COMMITTED, NUM_NODES, Arena, Int32, Records, Tables
from linnet.decoding.beam_worth import closing_of, copy_state
from linnet.decoding.compiled import compiled, compiled_lean
from linnet.decoding.hotwords import HotwordTables


@compiled_lean
def longer_by(nodes: Records, node: int, token: int) -> int:
    """Return the node that is longer than `node` by a token, 0 for none."""
    child = nodes[node].child
    while child != 0 and nodes[child].token != token:
        child = nodes[child].sibling
    return int(child)


@compiled_lean
def adopt(arena: Arena, tables: Tables, source: int) -> int:
    """Let a prefix from behind the tree join it, now that it is in the beam; gives its node."""
    node = int(arena.counters[NUM_NODES])
    arena.counters[NUM_NODES] += 1
    place_node(arena, source, node)
    nodes = arena.nodes
    _link(nodes, node)
    nodes[node].closing = closing_of(tables.lexicon, tables.weights, nodes[node].lexicon, nodes[node].ahead)
    mark_phrase(arena, tables.hotwords, node)
    return node


@compiled_lean
def place_node(arena: Arena, source: int, target: int) -> None:
    """Move a node, and the state of the language model that is its own."""
    nodes = arena.nodes
    if source != target:
        nodes[target] = nodes[source]
        if nodes[source].state == source:
            copy_state(arena, source, target)
            nodes[target].state = target


@compiled_lean
def _link(nodes: Records, node: int) -> None:
    parent = nodes[node].parent
    nodes[node].sibling = nodes[parent].child
    nodes[parent].child = node


@compiled_lean
def mark_phrase(arena: Arena, hotwords: HotwordTables, node: int) -> None:
    """Note that a hotword phrase ends in a prefix of the beam."""
    phrase = hotwords.phrase[arena.nodes[node].hot]
    if phrase >= 0:
        arena.phrases[phrase] = True


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
    counters, nodes = arena.counters, arena.nodes
    places = np.zeros(
        counters[NUM_NODES], np.int32
    )  # what refers to a state above the new root has its state
    copy_state(arena, nodes[root].state, 0)
    count = 0
    for node in range(root, counters[NUM_NODES]):
        if stays[node]:
            parent, state = nodes[node].parent, nodes[node].state
            places[node] = count
            nodes[count] = nodes[node]
            nodes[count].child = nodes[count].sibling = 0
            nodes[count].parent, nodes[count].state = places[parent], places[state]
            if state == node:
                copy_state(arena, node, count)
            if count > 0:
                _link(nodes, count)
            count += 1
    for i in range(counters[NUM_BEAM]):
        arena.beam[i].node = places[arena.beam[i].node]
    counters[NUM_NODES] = count


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
