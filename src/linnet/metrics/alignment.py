"""Alignment of two sequences with the fewest edits, and the count of those edits.

Among the alignments with the fewest edits (Levenshtein distance), the one with the fewest deletions and
insertions is taken, so "b c" for "a b" is two substitutions, not a deletion and an insertion around a match.
That makes the three counts a property of the two sequences, not of the order in which a program tries things.
(sclite weighs a substitution 4 and a gap 3, so it may report more edits than the distance.)

Letters: R tokens of the reference, H tokens of the hypothesis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Op = Literal["match", "substitution", "deletion", "insertion"]

# One integer holds (edits, gaps) in order of importance: a gap costs a little more than a substitution.
_SUBSTITUTION_COST = 1 << 32
_GAP_COST = _SUBSTITUTION_COST + 1
_MAX_TABLE_CELLS = 1 << 24  # one byte each; a larger alignment is halved first
_DIAGONAL, _DELETION, _INSERTION = 0, 1, 2

_Ids = NDArray[np.int64]
_Costs = NDArray[np.int64]


class AlignedPair(NamedTuple):
    """One column of an alignment; the missing side of a deletion or an insertion is None."""

    op: Op
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True, slots=True)
class Alignment:
    """Two sequences, column by column."""

    ops: tuple[AlignedPair, ...]


class EditCounts(NamedTuple):
    """How many edits of each kind lead from the reference to the hypothesis."""

    substitutions: int
    deletions: int
    insertions: int


def count_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    """Count the edits of the best alignment, in O(R·H) time and O(R + H) memory."""
    shorter, longer = sorted(_number(reference, hypothesis), key=len)  # few long rows are fast rows
    edits, gaps = divmod(int(_last_row(shorter, longer)[-1]), _SUBSTITUTION_COST)
    # deletions + insertions = gaps, and deletions - insertions = R - H.
    deletions = (gaps + len(reference) - len(hypothesis)) // 2
    return EditCounts(edits - gaps, deletions, gaps - deletions)


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> Alignment:
    """Align two sequences of tokens.

    Returns:
        The columns in order. Where equally good alignments differ only in the place of a gap, the gap is put
        as early as possible: "a" against "a a" is an insertion, then a match.
    """
    references, hypotheses = iter(reference), iter(hypothesis)
    ops = []
    for step in _trace(*_number(reference, hypothesis)):
        if step == _DELETION:
            ops.append(AlignedPair("deletion", next(references), None))
        elif step == _INSERTION:
            ops.append(AlignedPair("insertion", None, next(hypotheses)))
        else:
            pair = next(references), next(hypotheses)
            ops.append(AlignedPair("match" if pair[0] == pair[1] else "substitution", *pair))
    return Alignment(tuple(ops))


def _number(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[_Ids, _Ids]:
    """Give each distinct token a number, so that numpy compares them."""
    ids: dict[str, int] = {}
    numbered = [[ids.setdefault(token, len(ids)) for token in tokens] for tokens in (reference, hypothesis)]
    return np.array(numbered[0], np.int64), np.array(numbered[1], np.int64)


def _next_row(above: _Costs, token: np.int64, columns: _Ids) -> _Costs:
    """Give the costs of one more row token against every prefix of the columns."""
    ramp = np.arange(len(above), dtype=np.int64) * _GAP_COST
    costs = above + _GAP_COST  # the row token against nothing
    np.minimum(costs[1:], above[:-1] + (columns != token) * _SUBSTITUTION_COST, out=costs[1:])
    # A run of column tokens against nothing: min over k <= j of costs[k] + (j - k) gaps.
    return np.minimum.accumulate(costs - ramp) + ramp


def _last_row(rows: _Ids, columns: _Ids) -> _Costs:
    """Give the costs of all rows against every prefix of the columns."""
    costs = np.arange(len(columns) + 1, dtype=np.int64) * _GAP_COST
    for token in rows:
        costs = _next_row(costs, token, columns)
    return costs


def _trace(reference: _Ids, hypothesis: _Ids) -> list[int]:
    """Give the steps of the best alignment."""
    if len(reference) * len(hypothesis) <= _MAX_TABLE_CELLS or len(reference) < 2:
        return _trace_in_table(reference, hypothesis)
    # Hirschberg (1975): the best path crosses the middle row where the two halves together cost least.
    middle = len(reference) // 2
    before = _last_row(reference[:middle], hypothesis)
    after = _last_row(reference[middle:][::-1], hypothesis[::-1])[::-1]
    split = int(np.argmin(before + after))
    return _trace(reference[:middle], hypothesis[:split]) + _trace(reference[middle:], hypothesis[split:])


def _trace_in_table(reference: _Ids, hypothesis: _Ids) -> list[int]:
    table = np.full((len(reference) + 1, len(hypothesis) + 1), _INSERTION, np.uint8)  # (R + 1, H + 1)
    above = np.arange(len(hypothesis) + 1, dtype=np.int64) * _GAP_COST
    for i, token in enumerate(reference, start=1):
        costs = _next_row(above, token, hypothesis)
        table[i][costs == above + _GAP_COST] = _DELETION
        diagonal = costs[1:] == above[:-1] + (hypothesis != token) * _SUBSTITUTION_COST
        table[i, 1:][diagonal] = _DIAGONAL
        above = costs
    steps = []
    i, j = len(reference), len(hypothesis)
    while i or j:
        step = int(table[i, j])
        steps.append(step)
        i, j = i - (step != _INSERTION), j - (step != _DELETION)
    return steps[::-1]
