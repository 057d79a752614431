"""The conditions of `linnet manifest filter`, apart from the filter so that its help loads no numpy."""

import re
from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class FilterConfig(BaseModel):
    """Conditions that an utterance must meet; None and empty ones ask nothing.

    Attributes:
        min_duration_s, max_duration_s: bounds of the duration, themselves allowed.
        min_chars_per_s, max_chars_per_s: bounds of the characters of the text in a second of sound.
        chars: the characters that a text may have, beside the space.
        speaker: the speakers that are kept.
        match: regular expressions that are all to be found in the text, anywhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_duration_s: float | None = Field(None, ge=0.0, description="Shortest utterance that is kept.")
    max_duration_s: float | None = Field(None, gt=0.0, description="Longest utterance that is kept.")
    min_chars_per_s: float | None = Field(
        None, ge=0.0, description="Fewest characters of text, spaces included, in a second."
    )
    max_chars_per_s: float | None = Field(
        None, gt=0.0, description="Most characters of text, spaces included, in a second."
    )
    chars: str | None = Field(None, description="Keep texts that have these characters and spaces alone.")
    speaker: tuple[str, ...] = Field((), description="Keep this speaker; repeatable.")
    match: tuple[str, ...] = Field(
        (), description="Keep texts in which this regular expression is found; repeatable, then all are."
    )

    @field_validator("match")
    @classmethod
    def _check_expressions(cls, match: tuple[str, ...]) -> tuple[str, ...]:
        for expression in match:
            try:
                re.compile(expression)
            except re.error as error:
                raise ValueError(f"{expression!r} is not a regular expression ({error})") from error
        return match

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        for what in ("duration_s", "chars_per_s"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low is not None and high is not None and low > high:
                raise ValueError(f"min_{what} is {low:g} and max_{what} {high:g}, so nothing would be kept")
        return self

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The characters that a text may have."""
        return frozenset(self.chars or "") | {" "}

    @property
    def asks_for_text(self) -> bool:
        """Whether an utterance without a text cannot meet the conditions."""
        bounds = (self.min_chars_per_s, self.max_chars_per_s, self.chars)
        return bool(self.match) or any(bound is not None for bound in bounds)
