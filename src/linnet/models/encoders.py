"""Which encoders there are, and how a configuration names one.

A new architecture adds its configuration to `EncoderConfig` and its named sizes to `FAMILIES`. A
configuration class has a `kind`, an `output_width` (channels out), a `subsampling` (frames in per frame out)
and `build(num_features)`, which gives the module (B, F, T), (B,) → (B, D, S), (B,). For export the module
gets (B, F, 1, T), and may give (B, D, 1, S) or (B, D, S).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from linnet.models import citrinet, quartznet
from linnet.models.jasper import JasperConfig

DEFAULT_KIND = "jasper"


# With a second member: Annotated[JasperConfig | OtherConfig, Field(discriminator="kind")].
EncoderConfig = JasperConfig


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
    "quartznet": Family(quartznet.VARIANTS, quartznet.quartznet),
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
