"""Rows come back sorted, whether they fit into memory or not."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.lm import external_sort
from linnet.lm.external_sort import ExternalSorter, Rows, sort_order, starts_of_groups, whole_groups

NUMBER = st.one_of(st.integers(0, 3), st.integers(0, 2**32 - 1))


def rows_of(keys: list[tuple[int, ...]]) -> Rows:
    rows = np.empty(len(keys), np.dtype([("key", "<u4", (3,)), ("count", "<i8")]))
    rows["key"] = np.array(keys, np.uint32).reshape(-1, 3)
    rows["count"] = 1
    return rows


def add_up(rows: Rows) -> Rows:
    starts = starts_of_groups(rows["key"])
    summed = rows[starts]
    summed["count"] = np.add.reduceat(rows["count"], starts) if len(rows) else 0
    return summed


@settings(max_examples=40)
@given(keys=st.lists(st.tuples(NUMBER, NUMBER, NUMBER), max_size=60))
def test_numbers_count_from_the_first_on(keys: list[tuple[int, ...]]) -> None:
    order = sort_order(np.array(keys, np.uint32).reshape(-1, 3))
    assert [keys[at] for at in order] == sorted(keys)


@settings(max_examples=40)
@given(
    keys=st.lists(st.tuples(NUMBER, NUMBER, NUMBER), max_size=60),
    batch=st.integers(1, 20),
    block=st.integers(1, 9),
)
def test_runs_are_merged(keys: list[tuple[int, ...]], batch: int, block: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(external_sort, "_MIN_BLOCK_ROWS", block)
        sorter = ExternalSorter(rows_of([]).dtype, Path(folder), 0, add_up)
        for start in range(0, len(keys), batch):
            sorter.add(rows_of(keys[start : start + batch]))
        blocks = list(sorter.blocks())
        assert not list(Path(folder).iterdir())
    found = [(tuple(key), int(count)) for rows in blocks for key, count in rows.tolist()]
    assert found == [(key, keys.count(key)) for key in sorted(set(keys))]


def test_groups_stay_together() -> None:
    keys = [(0, 0, 1)] * 3 + [(0, 0, 2)] + [(0, 5, 0)] * 4
    blocks = [rows_of(keys[start : start + 2]) for start in range(0, len(keys), 2)]
    groups = [rows["key"].tolist() for rows in whole_groups(iter(blocks))]
    assert [tuple(key) for group in groups for key in group] == keys
    ends = [(tuple(one[-1]), tuple(two[0])) for one, two in pairwise(groups)]
    assert all(one != two for one, two in ends)
