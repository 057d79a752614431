"""How an n-gram model is estimated."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MAX_ORDER = 16
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)  # those of lmplz --discount_fallback
DEFAULT_MEMORY_BYTES = 2 << 30  # for sorting


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class EstimationConfig(BaseModel):
    """Interpolated modified Kneser-Ney smoothing, with the choices that lmplz gives.

    Attributes:
        order: the number of words in the longest n-grams.
        prune: for each order the count up to which its n-grams are left out; the last one also holds for
            higher orders.
        raw_counts: count n-grams of the lower orders as often as they occur, not by the words before them.
            Pruning such a model by relative entropy loses less (Chelba, Brants, Neveitt & Xu 2010, Study on
            interaction between entropy pruning and Kneser-Ney smoothing).
        discount_fallback: take `FALLBACK_DISCOUNTS` for orders whose counts give no discounts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    order: int = Field(default=4, ge=1, le=MAX_ORDER, description="Words in the longest n-grams; default: 4.")
    prune: Annotated[tuple[int, ...], BeforeValidator(_split)] = Field(
        default=(0,),
        description="Leave out n-grams that occur at most so often; a number for each order, such as 0,0,1.",
    )
    raw_counts: bool = Field(
        default=False, description="Count lower orders as they occur: for a model that linnet lm prune cuts."
    )
    discount_fallback: bool = Field(
        default=False, description="Take fixed discounts where a small text gives none."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 1 <= len(self.prune) <= self.order:
            raise ValueError(f"prune has {len(self.prune)} numbers for order {self.order}")
        if self.prune[0] < 0 or any(a > b for a, b in zip(self.prune, self.prune[1:], strict=False)):
            raise ValueError("the numbers of prune must not fall: the endings of an n-gram have to stay")
        return self

    @property
    def thresholds(self) -> tuple[int, ...]:
        """The numbers of `prune` for every order."""
        return self.prune + self.prune[-1:] * (self.order - len(self.prune))
