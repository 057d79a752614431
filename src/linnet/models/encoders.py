"""Which encoders there are, and how a configuration names one.

A new architecture adds its configuration to `EncoderConfig` and its named sizes to `FAMILIES`. A
configuration class has a `kind`, an `output_width` (channels out), a `subsampling` (frames in per frame out)
and `build(num_features)`, which gives the module (B, F, T), (B,) → (B, D, S), (B,). For export the module
gets (B, F, 1, T), and may give (B, D, 1, S) or (B, D, S).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypeGuard

from pydantic import BaseModel, ConfigDict, Field, model_validator

from linnet.models import (
    citrinet,
    conformer,
    contextnet,
    deepspeech2,
    fastconformer,
    jasper_dr,
    n2,
    quartznet,
    squeezeformer,
    wav2vec,
    wav2vec2,
    wave2letter,
)
from linnet.models.conformer import ConformerConfig
from linnet.models.deepspeech2 import DeepSpeech2Config
from linnet.models.jasper import JasperConfig
from linnet.models.squeezeformer import SqueezeformerConfig
from linnet.models.stack import EncoderStack
from linnet.models.wav2vec import Wav2VecConfig
from linnet.models.wav2vec2 import Wav2Vec2Config
from linnet.models.zipformer import sizes as zipformer
from linnet.models.zipformer.sizes import ZipformerConfig

DEFAULT_KIND = "jasper"


class StackConfig(BaseModel):
    """An encoder that reads what another one makes, such as a Conformer over the features of wav2vec.

    Attributes:
        first: the encoder that reads the features.
        then: the one that reads the encoding of the first. Both are written as any encoder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["stack"] = "stack"
    first: "EncoderConfig"
    then: "EncoderConfig"

    @model_validator(mode="before")
    @classmethod
    def _expand_variants(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {**data, **{part: expand_variant(data[part]) for part in ("first", "then") if part in data}}

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if isinstance(encoders_of(self.then)[0], WAVEFORM_ENCODERS):
            raise ValueError("the second encoder of a stack cannot be one that reads samples")
        return self

    @property
    def output_width(self) -> int:
        """Channels out: D."""
        return self.then.output_width

    @property
    def subsampling(self) -> int:
        """Input frames per output frame."""
        return self.first.subsampling * self.then.subsampling

    def build(self, num_features: int) -> EncoderStack:
        """Build both encoders for features of F = `num_features` rows."""
        return EncoderStack(self.first.build(num_features), self.then.build(self.first.output_width))


EncoderConfig = Annotated[
    JasperConfig
    | ConformerConfig
    | DeepSpeech2Config
    | SqueezeformerConfig
    | Wav2VecConfig
    | Wav2Vec2Config
    | ZipformerConfig
    | StackConfig,
    Field(discriminator="kind"),
]
StackConfig.model_rebuild()
WAVEFORM_ENCODERS = (Wav2VecConfig, Wav2Vec2Config)  # these read samples, and nothing else


def encoders_of(config: EncoderConfig) -> tuple[EncoderConfig, ...]:
    """Return the encoders of a stack, the one that reads the features first; otherwise the encoder itself."""
    if isinstance(config, StackConfig):
        return (*encoders_of(config.first), *encoders_of(config.then))
    return (config,)


def stands_on(config: EncoderConfig, lower: EncoderConfig) -> TypeGuard[StackConfig]:
    """Tell whether `config` is a stack whose first encoder is of the kind of `lower`, and that is none."""
    return isinstance(config, StackConfig) and config.first.kind == lower.kind


@dataclass(frozen=True, slots=True)
class Family:
    """The named sizes of one architecture.

    Attributes:
        variants: their names, as a configuration writes them.
        config: gives the configuration of one of them.
    """

    variants: tuple[str, ...]
    config: Callable[[str], BaseModel]


FAMILIES: Mapping[str, Family] = {
    "citrinet": Family(citrinet.VARIANTS, citrinet.citrinet),
    "conformer": Family(conformer.VARIANTS, conformer.conformer),
    "contextnet": Family(contextnet.VARIANTS, contextnet.contextnet),
    "deepspeech2": Family(deepspeech2.VARIANTS, deepspeech2.deepspeech2),
    "fastconformer": Family(fastconformer.VARIANTS, fastconformer.fastconformer),
    "jasper": Family(jasper_dr.VARIANTS, jasper_dr.jasper_dr),
    "n2": Family(n2.VARIANTS, n2.n2),
    "quartznet": Family(quartznet.VARIANTS, quartznet.quartznet),
    "squeezeformer": Family(squeezeformer.VARIANTS, squeezeformer.squeezeformer),
    "wav2vec": Family(wav2vec.VARIANTS, wav2vec.wav2vec),
    "wav2vec2": Family(wav2vec2.VARIANTS, wav2vec2.wav2vec2),
    "wave2letter": Family(wave2letter.VARIANTS, wave2letter.wave2letter),
    "zipformer": Family(zipformer.VARIANTS, zipformer.zipformer),
}


def expand_variant(encoder: Any) -> Any:
    """Turn `{FAMILY: VARIANT, key: value …}` into the variant's own values with those keys replaced.

    Values without a `kind` are those of a block table. Anything else comes back as it is, for validation to
    judge.

    Raises:
        ValueError: when the family has no such variant.
    """
    if not isinstance(encoder, dict):
        return encoder
    if len(named := FAMILIES.keys() & encoder.keys()) != 1:
        return {"kind": DEFAULT_KIND, **encoder}
    (name,) = named
    family, variant = FAMILIES[name], str(encoder[name])
    if variant not in family.variants:
        raise ValueError(f"encoder.{name}: {variant!r} is not one of {', '.join(family.variants)}")
    changes = {key: value for key, value in encoder.items() if key != name}
    return family.config(variant).model_dump() | changes
