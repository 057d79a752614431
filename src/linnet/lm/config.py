"""How an n-gram model is estimated."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_ORDER = 16


class EstimationConfig(BaseModel):
    """Interpolated modified Kneser-Ney smoothing, with the choices that lmplz gives.

    Attributes:
        order: the number of words in the longest n-grams.
        prune: for each order the count up to which its n-grams are left out; the last one also holds for higher
            orders.
        discount_fallback: D1, D2 and D3+ for orders whose counts give none; empty makes that an error.
        memory_bytes: about what sorting may use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: int = Field(default=4, ge=1, le=MAX_ORDER)
    prune: tuple[int, ...] = (0,)
    discount_fallback: tuple[float, ...] = ()
    memory_bytes: int = Field(default=2 << 30, ge=1 << 20)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= len(self.prune) <= self.order:
            raise ValueError(f"prune has {len(self.prune)} counts for order {self.order}")
        if self.prune[0] < 0 or any(a > b for a, b in zip(self.prune, self.prune[1:], strict=False)):
            raise ValueError("the counts of prune must not fall: the endings of an n-gram have to stay")
        if len(self.discount_fallback) not in (0, 3):
            raise ValueError("discount_fallback needs three values, for the counts 1, 2, and 3 or more")
        if any(not 0 <= value <= count for count, value in enumerate(self.discount_fallback, start=1)):
            raise ValueError("a discount lies between 0 and its count")
        return self

    @property
    def thresholds(self) -> tuple[int, ...]:
        """The counts of `prune` for every order."""
        return self.prune + self.prune[-1:] * (self.order - len(self.prune))
