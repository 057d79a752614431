"""What a training run teaches a model: to write texts, or to tell what is behind a mask."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class CtcObjectiveConfig(BaseModel):
    """Write the texts of the manifests, by the CTC loss (`training.loss`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ctc"] = "ctc"

    @property
    def needs_texts(self) -> bool:
        """Whether every utterance needs a text."""
        return True

    def check_encoder(self, encoder: Any) -> None:
        """Accept any encoder."""


class Wav2Vec2ObjectiveConfig(BaseModel):
    """Find the right one of several quantized frames for each that is masked (arXiv:2006.11477, §3.2).

    The defaults are those of the base model. The masks are those of the encoder (`time_mask`).

    Attributes:
        num_negatives: other masked frames of the utterance that are held against the right one.
        logit_temperature: divides the cosine similarities.
        num_groups: codebooks, each of which gives a part of the quantized frame.
        num_entries: entries of a codebook.
        width: values of a quantized frame.
        temperature: of the Gumbel softmax in the first step.
        final_temperature: what it falls to.
        temperature_decay: factor on it from step to step.
        diversity_weight: of the loss that keeps all entries in use.
        penalty_weight: of the mean square of the latent speech.
        feature_gradient: factor on the gradient that reaches the feature encoder.
        quantizer_dropout: of the latent speech that is quantized.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["wav2vec2"] = "wav2vec2"
    num_negatives: int = Field(default=100, ge=1, le=10_000)
    logit_temperature: float = Field(default=0.1, gt=0.0, allow_inf_nan=False)
    num_groups: int = Field(default=2, ge=1, le=64)
    num_entries: int = Field(default=320, ge=2, le=65536)
    width: int = Field(default=256, ge=1, le=8192)
    temperature: float = Field(default=2.0, gt=0.0, allow_inf_nan=False)
    final_temperature: float = Field(default=0.5, gt=0.0, allow_inf_nan=False)
    temperature_decay: float = Field(default=0.999995, gt=0.0, le=1.0)
    diversity_weight: float = Field(default=0.1, ge=0.0, allow_inf_nan=False)
    penalty_weight: float = Field(default=10.0, ge=0.0, allow_inf_nan=False)
    feature_gradient: float = Field(default=0.1, ge=0.0, le=1.0)
    quantizer_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % self.num_groups:
            raise ValueError(f"width must be a multiple of num_groups, not {self.width}")
        return self

    @property
    def needs_texts(self) -> bool:
        """Whether every utterance needs a text."""
        return False

    def check_encoder(self, encoder: Any) -> None:
        """Raise a ValueError unless the encoder can be trained so."""
        if encoder.kind != "wav2vec2":
            raise ValueError(f"objective.kind wav2vec2 needs an encoder of that kind, not of {encoder.kind}")
        if not encoder.time_mask.share:
            raise ValueError(
                "objective.kind wav2vec2 needs masks; give model.encoder.time_mask, in the paper "
                "{share: 0.65, length: 10, min_spans: 2}"
            )

    def temperature_at(self, step: int) -> float:
        """Return the temperature of the Gumbel softmax in a step, counted from 0."""
        return float(max(self.temperature * self.temperature_decay**step, self.final_temperature))


class Wav2VecObjectiveConfig(BaseModel):
    """Tell the latent speech of steps to come from that of elsewhere (arXiv:1904.05862, §2.2).

    Attributes:
        num_steps: how many steps to come.
        num_negatives: frames of the utterance that are held against the right one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["wav2vec"] = "wav2vec"
    num_steps: int = Field(default=12, ge=1, le=1000)
    num_negatives: int = Field(default=10, ge=1, le=1000)

    @property
    def needs_texts(self) -> bool:
        """Whether every utterance needs a text."""
        return False

    def check_encoder(self, encoder: Any) -> None:
        """Raise a ValueError unless the encoder can be trained so."""
        if encoder.kind != "wav2vec":
            raise ValueError(f"objective.kind wav2vec needs an encoder of that kind, not of {encoder.kind}")


ObjectiveConfig = Annotated[
    CtcObjectiveConfig | Wav2Vec2ObjectiveConfig | Wav2VecObjectiveConfig, Field(discriminator="kind")
]
