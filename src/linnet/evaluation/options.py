"""What can be chosen about an evaluation."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EvaluationOptions(BaseModel):
    """What can be chosen about an evaluation.

    Attributes:
        normalizer: normalizer of references and hypotheses; None takes the one the model was trained with.
        interval_over: what the bootstrap draws: single utterances, or whole speakers.
        num_resamples: test sets the bootstrap draws.
        seed: seed of the bootstrap.
        batch_s: the most seconds of audio in a batch, padding included; a longer utterance is alone.
        num_worst: how many of the worst utterances the report aligns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    normalizer: str | None = None
    interval_over: Literal["utterance", "speaker"] = "utterance"
    num_resamples: int = Field(default=10_000, ge=1)
    seed: int = Field(default=0, ge=0)
    batch_s: float = Field(default=120.0, gt=0.0)
    num_worst: int = Field(default=10, ge=0)
