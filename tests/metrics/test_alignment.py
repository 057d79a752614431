"""Alignments have the fewest edits, then the fewest gaps, and the same ones in every run."""

from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.metrics import alignment
from linnet.metrics.alignment import EditCounts, align, count_edits

SEQUENCES = st.lists(st.sampled_from("abc"), max_size=9)
COLUMNS = {"match": "=", "substitution": "S", "deletion": "D", "insertion": "I"}


def signs(reference: str, hypothesis: str) -> str:
    return "".join(COLUMNS[pair.op] for pair in align(list(reference), list(hypothesis)).ops)


def fewest_edits_and_gaps(reference: list[str], hypothesis: list[str]) -> tuple[int, int]:
    """The definition, by recursion: (edits, deletions + insertions), the smallest in this order."""

    @lru_cache(None)
    def best(i: int, j: int) -> tuple[int, int]:
        if not i or not j:
            return i + j, i + j
        edits, gaps = best(i - 1, j - 1)
        choices = [(edits + (reference[i - 1] != hypothesis[j - 1]), gaps)]
        choices += [(edits + 1, gaps + 1) for edits, gaps in (best(i - 1, j), best(i, j - 1))]
        return min(choices)

    return best(len(reference), len(hypothesis))


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", ""),
        ("ab", "ab", "=="),
        ("ab", "", "DD"),
        ("", "ab", "II"),
        ("abc", "axc", "=S="),
        ("ab", "bc", "SS"),  # not a deletion and an insertion around the match
        ("abcd", "bcd", "D==="),
        ("abcd", "bcxde", "D==I=I"),
        ("a", "aa", "I="),
        ("aab", "ab", "D=="),
    ],
)
def test_known_alignments(reference: str, hypothesis: str, expected: str) -> None:
    assert signs(reference, hypothesis) == expected


def test_columns_hold_both_sides() -> None:
    assert align(["one", "two", "three"], ["one", "too", "three", "four"]).ops == (
        ("match", "one", "one"),
        ("substitution", "two", "too"),
        ("match", "three", "three"),
        ("insertion", None, "four"),
    )
    assert align(["a"], []).ops == (("deletion", "a", None),)


@given(reference=SEQUENCES, hypothesis=SEQUENCES)
def test_counts_are_the_smallest_there_are(reference: list[str], hypothesis: list[str]) -> None:
    counts = count_edits(reference, hypothesis)
    gaps = counts.deletions + counts.insertions
    assert (counts.substitutions + gaps, gaps) == fewest_edits_and_gaps(reference, hypothesis)
    assert counts.deletions - counts.insertions == len(reference) - len(hypothesis)


@pytest.mark.parametrize("max_table_cells", [alignment._MAX_TABLE_CELLS, 6])
@given(reference=SEQUENCES, hypothesis=SEQUENCES)
def test_an_alignment_has_these_counts_and_both_sequences(
    max_table_cells: int, reference: list[str], hypothesis: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:  # with 6 cells, all but the smallest are halved first
        patch.setattr(alignment, "_MAX_TABLE_CELLS", max_table_cells)
        ops = align(reference, hypothesis).ops
    kinds = [pair.op for pair in ops]
    assert count_edits(reference, hypothesis) == EditCounts(
        kinds.count("substitution"), kinds.count("deletion"), kinds.count("insertion")
    )
    assert [pair.reference for pair in ops if pair.reference is not None] == reference
    assert [pair.hypothesis for pair in ops if pair.hypothesis is not None] == hypothesis
    assert all((pair.reference == pair.hypothesis) == (pair.op == "match") for pair in ops)


def test_a_long_pair_needs_no_square_of_memory() -> None:
    reference = [str(number % 97) for number in range(3000)]
    hypothesis = ["x" if number % 10 == 0 else word for number, word in enumerate(reference)][:-5]
    assert count_edits(reference, hypothesis) == EditCounts(300, 5, 0)
