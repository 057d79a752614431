"""Values that change while a model is trained, such as dropout that fades."""

import math
from typing import Protocol, runtime_checkable

import numpy as np


class Ramp:
    """A value that depends on the batches trained on: piecewise linear, constant before and behind.

    Args:
        points: pairs of a number of batches and the value there, in order.
    """

    def __init__(self, *points: tuple[float, float]) -> None:
        self.batches, self.values = zip(*points, strict=True)

    def __mul__(self, factor: float) -> "Ramp":
        return Ramp(*zip(self.batches, (factor * value for value in self.values), strict=True))

    def at(self, batches: float) -> float:
        """Return the value after so many batches."""
        return float(np.interp(batches, self.batches, self.values))


class Clock:
    """How far the training of one model has come; its modules share it.

    Args:
        batches_per_step: batches of its authors' size that a step counts as; infinite for a model whose
            values are at their end from the start.
    """

    def __init__(self, batches_per_step: float) -> None:
        self.batches_per_step = batches_per_step
        self.at_step(0)

    def at_step(self, step: int) -> None:
        """Set the time: `step` optimizer steps are done."""
        whole = math.isinf(self.batches_per_step)
        self.batches = math.inf if whole else step * self.batches_per_step

    def value(self, value: float | Ramp) -> float:
        """Return a value as it is now."""
        return value.at(self.batches) if isinstance(value, Ramp) else value


@runtime_checkable
class Scheduled(Protocol):
    """An encoder with values that change while it is trained."""

    def at_step(self, step: int) -> None:
        """Take note that `step` optimizer steps are done."""
