"""Multi-character tokens that even out how much each token tells.

Krabbenhöft and Barth 2022, "TEVR: Improving Speech Recognition by Token Entropy Variance Reduction"
(arXiv 2206.12693), give a model of speech tokens of one to four letters, so that letters one could have
guessed are not asked for one by one. Their tokens are published as a list, without the rule; this is ours:

1. The surprise s of a letter, −log2 P(letter | up to four letters before it in its word), comes from an
   n-gram model of the same text, smoothed as by Witten and Bell 1991. The end of a word counts as a letter.
2. A group's gain is how much closer to the mean surprise of a token, τ, its sum lies than its letters do,
   over all its places: Σ (s − τ)² − (Σ s − τ)².
3. The groups of four letters with the largest gains are chosen, then those of three in what is left of the
   words, then those of two; 40 : 80 : 96 of them, as in the paper's list. What one length cannot fill goes to
   the next.
4. τ is the mean of the letters at first. The groups make longer tokens, which tell more: with the mean of
   these, groups are chosen anew, three times.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from linnet.text.vocabulary import BOUNDARY

CONTEXT_LETTERS = 4
SHARES = {4: 40, 3: 80, 2: 96}  # letters: how many groups of the paper's 216 have so many
NUM_ROUNDS = 4  # after which the groups hardly change


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A part of words that no group has taken yet: letters, their surprises in bits, number of places."""

    letters: str
    surprises: tuple[float, ...]
    count: int


def choose_groups(words: Mapping[str, int], num_groups: int) -> list[str]:
    """Choose groups of two to four letters.

    Args:
        words: how often each word occurs.
        num_groups: how many are wanted; fewer come back when no others would even anything out.

    Returns:
        The groups, the longest first, those with the largest gain first.
    """
    surprises = letter_surprises(words)
    stretches = [_Stretch(word, surprises[word], count) for word, count in words.items()]
    total_bits = sum(sum(each.surprises) * each.count for each in stretches)
    groups: list[str] = []
    for _ in range(NUM_ROUNDS):
        num_tokens = sum(_num_tokens(word, set(groups)) * count for word, count in words.items())
        groups = _choose(stretches, num_groups, total_bits / max(1, num_tokens))
    return groups


def _choose(stretches: list[_Stretch], num_groups: int, mean_bits: float) -> list[str]:
    """Choose the groups that bring most tokens nearest to `mean_bits`."""
    groups: list[str] = []
    shares_left = sum(SHARES.values())
    for length, share in SHARES.items():
        wanted = round((num_groups - len(groups)) * share / shares_left)
        shares_left -= share
        gains = _gains(stretches, length, mean_bits)
        best = sorted(gains, key=lambda group: (-gains[group], group))[:wanted]
        groups += best
        stretches = [rest for stretch in stretches for rest in _without(stretch, set(best), length)]
    return groups


def _num_tokens(word: str, groups: set[str]) -> int:
    """Count the tokens of a word, the longest group first."""
    count, start = 0, 0
    while start < len(word):
        start += next((length for length in SHARES if word[start : start + length] in groups), 1)
        count += 1
    return count


def letter_surprises(words: Mapping[str, int]) -> dict[str, tuple[float, ...]]:
    """Return the bits that each letter of each word tells, given the letters before it."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for word, count in words.items():
        for context, letter in _letters_in_context(word):
            for start in range(len(context) + 1):
                counts[context[start:]][letter] += count
    totals = {context: sum(letters.values()) for context, letters in counts.items()}
    floor = 1 / max(1, len(counts[""]))

    def probability(letter: str, context: str) -> float:
        estimate = floor
        for start in range(len(context), -1, -1):
            seen = counts[context[start:]]
            estimate = (seen[letter] + len(seen) * estimate) / (totals[context[start:]] + len(seen))
        return estimate

    return {
        word: tuple(
            -math.log2(probability(letter, context)) for context, letter in _letters_in_context(word)
        )[:-1]
        for word in words
    }


def _letters_in_context(word: str) -> list[tuple[str, str]]:
    """Pair each letter, and the end of the word, with the letters before it."""
    marked = f"{BOUNDARY}{word}{BOUNDARY}"
    return [(marked[max(0, at - CONTEXT_LETTERS) : at], marked[at]) for at in range(1, len(marked))]


def _gains(stretches: list[_Stretch], length: int, mean_bits: float) -> dict[str, float]:
    """Return the gain of every group of `length` letters that has one."""
    gains: defaultdict[str, float] = defaultdict(float)
    for stretch in stretches:
        for start in range(len(stretch.letters) - length + 1):
            bits = stretch.surprises[start : start + length]
            apart = sum((each - mean_bits) ** 2 for each in bits)
            together = (sum(bits) - mean_bits) ** 2
            gains[stretch.letters[start : start + length]] += stretch.count * (apart - together)
    return {group: gain for group, gain in gains.items() if gain > 0}


def _without(stretch: _Stretch, groups: set[str], length: int) -> list[_Stretch]:
    """Take the groups out of a stretch, from the left, and return what lies between them."""
    rests, start, at = [], 0, 0
    while at + length <= len(stretch.letters):
        if stretch.letters[at : at + length] in groups:
            rests.append((start, at))
            at += length
            start = at
        else:
            at += 1
    rests.append((start, len(stretch.letters)))
    return [
        _Stretch(stretch.letters[first:end], stretch.surprises[first:end], stretch.count)
        for first, end in rests
        if end - first > 1
    ]
