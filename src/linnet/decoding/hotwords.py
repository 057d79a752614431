"""Phrases that a search favors, as an automaton over the bytes of the text."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.core.errors import ConfigError

NUM_BYTES = 256
MAX_PHRASES = 10_000
MAX_PHRASE_BYTES = 200


class HotwordTables(NamedTuple):
    """An Aho–Corasick automaton (Aho & Corasick 1975) with what each state is worth.

    A text is worth the weights of the phrases it has finished, plus a share of those it is in the middle of:
    `partial` of its state. A match that breaks leads to a state of less worth, which takes the share back.

    Attributes:
        classes: (256,) a number for each byte that is in a phrase, 0 for all others.
        following: (states, classes): the state behind each byte; texts start in `start`.
        partial: (states,) the share for what has been matched.
        finished: (states,) what entering the state adds for good.
        phrase: (states,) the phrase that ends in the state, −1 where none does.
        start: the state at the beginning of a text, where a word may begin.
    """

    classes: NDArray[np.uint8]
    following: NDArray[np.int32]
    partial: NDArray[np.float64]
    finished: NDArray[np.float64]
    phrase: NDArray[np.int32]
    start: int


def build_hotwords(phrases: Sequence[str], weights: Sequence[float]) -> HotwordTables:
    """Build the automaton of whole phrases: each begins and ends at the edge of a word.

    Args:
        phrases: normalized as the model's texts are.
        weights: natural logarithms: a weight of 2 makes a text with the phrase e² times as likely.

    Raises:
        ConfigError: when there are too many phrases, or one is empty or too long.
    """
    patterns = [_pattern(phrase) for phrase in phrases]
    if len(patterns) > MAX_PHRASES:
        raise ConfigError(f"{len(patterns)} hotword phrases", remedy=f"Give at most {MAX_PHRASES}")
    children: list[dict[int, int]] = [{}]
    partial, finished, phrase = [0.0], [0.0], [-1]
    # Shorter phrases first: a phrase that goes on from another adds only what is beyond the other's weight.
    for index in sorted(range(len(patterns)), key=lambda i: (len(patterns[i]), i)):
        pattern, weight = patterns[index], weights[index]
        state, granted = 0, 0.0
        for depth, byte in enumerate(pattern, start=1):
            if byte not in children[state]:
                children[state][byte] = len(children)
                children.append({})
                partial.append(0.0)
                finished.append(0.0)
                phrase.append(-1)
            state = children[state][byte]
            granted += finished[state]
            if depth < len(pattern):
                partial[state] = max(partial[state], weight * depth / len(pattern) - granted)
        finished[state] += weight - granted
        phrase[state] = index
    classes = np.zeros(NUM_BYTES, np.uint8)
    spelled = sorted(set(b"".join(patterns)))  # fewer than 256, since UTF-8 does not use them all
    classes[spelled] = np.arange(1, len(spelled) + 1)
    following = _with_failures(children, phrase, finished, partial, classes)
    return HotwordTables(
        classes,
        following,
        np.array(partial),
        np.array(finished),
        np.array(phrase, np.int32),
        int(following[0, classes[32]]),
    )


def no_hotwords() -> HotwordTables:
    """Return the automaton of no phrases."""
    return build_hotwords((), ())


def _pattern(phrase: str) -> bytes:
    words = phrase.split()
    pattern = f" {' '.join(words)} ".encode()
    if not words or len(pattern) > MAX_PHRASE_BYTES:
        raise ConfigError(
            f"hotword {phrase!r} is empty or longer than {MAX_PHRASE_BYTES} bytes",
            remedy="Give a word or a short phrase",
        )
    return pattern


def _with_failures(
    children: Sequence[Mapping[int, int]],
    phrase: list[int],
    finished: list[float],
    partial: list[float],
    classes: NDArray[np.uint8],
) -> NDArray[np.int32]:
    """Complete the trie to an automaton: where no pattern goes on, the longest suffix that begins one does.

    A pattern that ends inside another's ends all the same: its state passes on what it adds.
    """
    following = np.zeros((len(children), int(classes.max()) + 1), np.int32)
    failure = [0] * len(children)
    queue = [0]
    for state in queue:
        if state:
            following[state] = following[failure[state]]
        for byte, child in children[state].items():
            failure[child] = int(following[failure[state], classes[byte]]) if state else 0
            if phrase[child] < 0 and phrase[failure[child]] >= 0:
                phrase[child] = phrase[failure[child]]
                finished[child] += finished[failure[child]]
            partial[child] = max(partial[child], partial[failure[child]])
            queue.append(child)
        for byte, child in children[state].items():
            following[state, classes[byte]] = child
    return following
