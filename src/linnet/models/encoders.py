"""Which encoders there are, and how a configuration names one.

A new architecture adds its configuration to `EncoderConfig` and its named sizes to `FAMILIES`. A
configuration class has a `kind`, an `output_width` (channels out), a `subsampling` (frames in per frame out)
and `build(num_features)`, which gives the module (B, F, T), (B,) → (B, D, S), (B,). For export the module
gets (B, F, 1, T), and may give (B, D, 1, S) or (B, D, S).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field

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
    wave2letter,
)
from linnet.models.conformer import ConformerConfig
from linnet.models.deepspeech2 import DeepSpeech2Config
from linnet.models.jasper import JasperConfig
from linnet.models.squeezeformer import SqueezeformerConfig
from linnet.models.zipformer import sizes as zipformer
from linnet.models.zipformer.sizes import ZipformerConfig

DEFAULT_KIND = "jasper"


EncoderConfig = Annotated[
    JasperConfig | ConformerConfig | DeepSpeech2Config | SqueezeformerConfig | ZipformerConfig,
    Field(discriminator="kind"),
]


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
