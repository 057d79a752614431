"""An acoustic model for CTC: front end, encoder and a head over the vocabulary.

B batch, N samples, F mel bins, T frames, S frames after subsampling, D width, V vocabulary with the blank
last.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator
from torch import Tensor, nn

from linnet.bundle.schema import ModelName
from linnet.features.config import FrontendConfig
from linnet.models.encoders import WAVEFORM_ENCODERS, EncoderConfig, encoders_of, expand_variant
from linnet.models.frontend import TorchFrontend
from linnet.models.heads import HeadConfig, LinearHeadConfig
from linnet.models.jasper import JasperConfig
from linnet.models.layers.schedule import Scheduled
from linnet.text.normalize import normalizer_version
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer


class ModelConfig(BaseModel):
    """All that is needed to build a model again.

    Attributes:
        name: the model's name, kept in checkpoints and bundles.
        frontend: how samples become features.
        encoder: the values of an architecture (`models.encoders`), or `FAMILY: VARIANT` for a named size,
            such as `quartznet: 5x5`, with those of its values that shall differ beside it.
        head: what scores the tokens (`models.heads`): a linear layer, or one with an LSTM before it.
        tokenizer: the vocabulary and how text becomes tokens.
        normalizer: the text normalizer of the training texts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ModelName
    frontend: FrontendConfig = FrontendConfig()
    encoder: EncoderConfig
    head: HeadConfig = LinearHeadConfig()
    tokenizer: TokenizerConfig
    normalizer: str = "basic"

    @field_validator("normalizer")
    @classmethod
    def _check_normalizer(cls, name: str) -> str:
        normalizer_version(name)
        return name

    @model_validator(mode="before")
    @classmethod
    def _expand_variant(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "encoder" not in data:
            return data
        return {**data, "encoder": expand_variant(data["encoder"])}

    @model_validator(mode="after")
    def _check_frontend(self) -> Self:
        kind, encoder = self.frontend.kind, encoders_of(self.encoder)[0]
        if (kind == "waveform") != isinstance(encoder, WAVEFORM_ENCODERS):
            raise ValueError(f"an encoder of kind {encoder.kind} cannot read a front end of kind {kind}")
        window_samples = self.frontend.window_samples
        if isinstance(encoder, WAVEFORM_ENCODERS) and window_samples < encoder.window_samples:
            raise ValueError(
                f"frontend.window_ms={self.frontend.window_ms:g} makes {window_samples} samples, and the "
                f"encoder needs {encoder.window_samples} for its first frame"
            )
        return self


class CtcModel(nn.Module):
    """Features in, log-probabilities out; `frontend` makes the features from samples."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = build_tokenizer(config.tokenizer).vocabulary
        self.frontend = TorchFrontend(config.frontend)
        self.encoder = config.encoder.build(config.frontend.num_features)
        self.head = config.head.build(config.encoder.output_width, self.vocabulary.size)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Score every output frame.

        Args:
            features: (B, F, T), or (B, F, 1, T) for export.
            lengths: (B,) valid frames.

        Returns:
            (B, S, V) log-probabilities, blank last, and (B,) valid output frames.
        """
        encoded, lengths = self.encoder(features, lengths)  # (B, D, S)
        return self.score(encoded, lengths), lengths

    def score(self, encoded: Tensor, lengths: Tensor) -> Tensor:
        """Apply the head: (B, D, S) or (B, D, 1, S) with (B,) valid frames → (B, S, V) log-probabilities."""
        scores: Tensor = self.head(encoded, lengths)
        return scores.flatten(2).transpose(1, 2).log_softmax(-1)

    def at_step(self, step: int) -> None:
        """Tell the encoder that `step` optimizer steps are done, where something in it depends on that."""
        if isinstance(self.encoder, Scheduled):
            self.encoder.at_step(step)

    @property
    def frame_shift_s(self) -> float:
        """Seconds per output frame."""
        return self.config.frontend.frame_shift_s * self.config.encoder.subsampling

    @property
    def one_at_a_time(self) -> bool:
        """Whether padding changes an utterance's last frames, so that none may share a batch."""
        return any(
            isinstance(encoder, JasperConfig) and not encoder.conv_mask
            for encoder in encoders_of(self.config.encoder)
        )

    def num_parameters(self) -> int:
        """Count the trained values (batch-norm statistics are not among them)."""
        return sum(parameter.numel() for parameter in self.parameters())
