"""Ranges in configurations."""

import pytest
from pydantic import TypeAdapter, ValidationError

from linnet.data.augment.ranges import Range

ADAPTER = TypeAdapter(Range)


def test_a_list_becomes_a_pair() -> None:
    assert ADAPTER.validate_python([-3, 4.5]) == (-3.0, 4.5)


@pytest.mark.parametrize("wrong", [[2, 1], [0, float("inf")], [float("nan"), 1]])
def test_limits_must_be_finite_and_in_order(wrong: list[float]) -> None:
    with pytest.raises(ValidationError, match=r"a range is \[lowest, highest\]"):
        ADAPTER.validate_python(wrong)
