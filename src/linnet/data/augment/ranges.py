"""A range that a random value is drawn from, as a pair of numbers in a configuration."""

import math
from typing import Annotated

from pydantic import AfterValidator


def _check_order(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError(f"a range is [lowest, highest], both finite, not [{low}, {high}]")
    return limits


Range = Annotated[tuple[float, float], AfterValidator(_check_order)]
