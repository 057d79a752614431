"""The pairs that give hashes are found, all of them and no others, in whichever way they are tried."""

from collections.abc import Callable

import numpy as np
import pytest

from linnet.lm.kenlm_hashes import Hashes64, HashSet, Hits, ending_parts, first_word_parts, joined

_ENDINGS, _WORDS = 700, 600


def _in_all(hashes: HashSet, rows: Hashes64, columns: Hashes64) -> Hits:
    tried, hits = zip(*hashes.in_all(rows, columns), strict=True)
    assert len(tried) > 1, "the map is cut into pieces"
    assert sum(tried) == len(rows) * len(columns)
    return joined(list(hits))


def _in_ranges(hashes: HashSet, rows: Hashes64, columns: Hashes64) -> Hits:
    starts = np.zeros(len(rows), np.int64)
    return hashes.in_ranges(rows, columns, starts, np.full(len(rows), len(columns)))


@pytest.mark.parametrize("search", [_in_all, _in_ranges])
def test_pairs_are_found(search: Callable[[HashSet, Hashes64, Hashes64], Hits]) -> None:
    generator = np.random.default_rng(0)
    rows = ending_parts(np.arange(_ENDINGS, dtype=np.uint64))
    columns = first_word_parts(np.arange(_WORDS, dtype=np.uint32))
    pairs = np.sort(generator.choice(_ENDINGS * _WORDS, 20_000, replace=False))
    ending, word = np.divmod(pairs, _WORDS)
    strange = generator.integers(1, 2**63, 100, dtype=np.uint64)  # of no pair
    hashes = np.sort(np.concatenate((rows[ending] ^ columns[word], strange)))
    found_rows, found_columns, places = search(HashSet(hashes), rows, columns)
    np.testing.assert_array_equal(np.sort(found_rows * _WORDS + found_columns), pairs)
    np.testing.assert_array_equal(hashes[places], rows[found_rows] ^ columns[found_columns])
