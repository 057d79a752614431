"""What can be chosen about the search for a text, and what a model brings for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from linnet.core.optional import is_installed

if TYPE_CHECKING:
    from linnet.bundle.reader import Bundle
    from linnet.bundle.schema import OwnSearch


class SearchConfig(BaseModel):
    """What can be chosen about a search; the descriptions are the help of the command.

    Attributes:
        beam: prefixes kept after each frame. None, here and below, is what the model brings, or else what
            `OwnSearch` has by default.
        lm: a file of `linnet lm`.
        no_lm: whether the language model in the bundle is left aside.
        alpha: weight of the language model.
        beta: bonus for each word of it.
        unknown: added for each word that it does not know, but for those of hotwords.
        blank_penalty: taken from the blank's log-prob in every frame.
        hotword: phrases to favor; "phrase=2.5" has a weight of its own.
        hotword_weight: natural logarithm that each letter of a phrase adds.
        nbest: alternatives to give.
        min_confidence: the mean confidence that words between two pauses must have to be written, with and
            without a search; None is the model's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beam: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Search so many texts side by side; default: 64 with another option of the search.",
    )
    lm: Path | None = Field(default=None, description="Language model of linnet lm build or import.")
    no_lm: bool = Field(default=False, description="Do without the language model that is in the model.")
    alpha: float | None = Field(
        default=None,
        ge=0.0,
        allow_inf_nan=False,
        description="Weight of the language model; default: the model's own, or 0.5.",
    )
    beta: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="Bonus for each word of the language model; default: the model's own, or 1.",
    )
    unknown: float | None = Field(
        default=None,
        le=0.0,
        allow_inf_nan=False,
        description="Added for each word that the language model lacks; default: the model's own, or -10.",
    )
    blank_penalty: float | None = Field(
        default=None,
        ge=0.0,
        le=10.0,
        description="Taken from the blank's log-prob in every frame; default: the model's own, or 0.",
    )
    hotword: tuple[str, ...] = Field(
        default=(), description='Phrase to favor, or "phrase=WEIGHT"; repeatable.'
    )
    hotword_weight: float = Field(
        default=1.0, gt=0.0, le=100.0, description="What each letter of a phrase adds; default: 1."
    )
    nbest: int = Field(default=1, ge=1, le=1000, description="Alternatives to give in the JSON.")
    min_confidence: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="Leave out what lies between two pauses where the mean confidence of its words is lower; "
        "default: the model's own.",
    )

    @property
    def is_wanted(self) -> bool:
        """Whether anything was chosen for which a search is needed."""
        return self.model_copy(update={"no_lm": False, "min_confidence": None}) != SearchConfig()

    def completed(self, own: "OwnSearch") -> Self:
        """Fill in what was not chosen."""
        values = {name: value for name, value in own if getattr(self, name) is None}
        return self.model_copy(update=values)

    @property
    def summary(self) -> str:
        """What a completed search does, in a line."""
        model = f", {self.lm.name} (alpha {self.alpha:g}, beta {self.beta:g})" if self.lm else ""
        favored = f", {len(self.hotword)} hotwords" if self.hotword else ""
        return f"search of {self.beam} texts{model}{favored}"

    @model_validator(mode="after")
    def _check_language_model(self) -> Self:
        if self.lm and self.no_lm:
            raise ValueError("lm names a language model, and no_lm does without one; take one of them")
        return self


def search_with(bundle: "Bundle", chosen: SearchConfig | None) -> SearchConfig | None:
    """Complete what was chosen by what the model brings.

    A model with a language model of its own is searched with it, as long as the extra `beam` is installed.

    Args:
        bundle: the model.
        chosen: by the user; None is nothing.

    Returns:
        How to search; None where the best token of each frame is taken.
    """
    config, own = chosen or SearchConfig(), bundle.spec.search
    if own and not config.lm and not config.no_lm and (config.is_wanted or is_installed("numba")):
        return config.completed(own).model_copy(update={"lm": bundle.language_model})
    return config if config.is_wanted else None
