"""What can be chosen about the search for a text."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_BEAM = 64


class SearchConfig(BaseModel):
    """What can be chosen about a search; the descriptions are the help of the command.

    Attributes:
        beam: prefixes kept after each frame; None is DEFAULT_BEAM.
        lm: a file of `linnet lm`.
        alpha: weight of the language model.
        beta: bonus for each word of it.
        hotword: phrases to favor; "phrase=2.5" has a weight of its own.
        hotword_weight: natural logarithm that each letter of a phrase adds.
        nbest: alternatives to give.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beam: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Search so many texts side by side; default: 64 with another option of the search.",
    )
    lm: Path | None = Field(default=None, description="Language model of linnet lm build or import.")
    alpha: float = Field(
        default=0.5, ge=0.0, allow_inf_nan=False, description="Weight of the language model."
    )
    beta: float = Field(
        default=1.0, allow_inf_nan=False, description="Bonus for each word of the language model."
    )
    hotword: tuple[str, ...] = Field(
        default=(), description='Phrase to favor, or "phrase=WEIGHT"; repeatable.'
    )
    hotword_weight: float = Field(
        default=1.0, gt=0.0, le=100.0, description="What each letter of a phrase adds; default: 1."
    )
    nbest: int = Field(default=1, ge=1, le=1000, description="Alternatives to give in the JSON.")

    @property
    def is_wanted(self) -> bool:
        """Whether anything was chosen; otherwise the best token of each frame is taken."""
        return self != SearchConfig()
