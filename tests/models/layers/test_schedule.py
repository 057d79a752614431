"""Values that change while a model is trained."""

import math

import pytest

from linnet.models.layers.schedule import Clock, Ramp


@pytest.mark.parametrize(
    ("batches", "expected"), [(0, 0.2), (1000, 0.1625), (4000, 0.05), (10_000, 0.025), (1e9, 0.0)]
)
def test_a_ramp_is_linear_between_its_points(batches: float, expected: float) -> None:
    assert Ramp((0.0, 0.2), (4000.0, 0.05), (16_000.0, 0.0)).at(batches) == pytest.approx(expected)


def test_a_ramp_is_constant_before_its_first_point() -> None:
    assert Ramp((100.0, 0.5), (200.0, 0.1)).at(7) == 0.5


def test_steps_count_as_batches_of_the_authors() -> None:
    clock, ramp = Clock(batches_per_step=5.0), Ramp((0.0, 1.0), (100.0, 0.0))
    assert (clock.value(ramp), clock.value(0.3)) == (1.0, 0.3)
    clock.at_step(10)
    assert clock.value(ramp) == pytest.approx(0.5)


def test_a_clock_without_a_schedule_is_at_the_end_from_the_start() -> None:
    assert Clock(math.inf).value(Ramp((0.0, 1.0), (100.0, 0.25))) == 0.25
