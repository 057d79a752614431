"""The sizes of FastConformer (arXiv:2305.05084), a Conformer that subsamples by 8 before its blocks."""

from typing import Any

from linnet.models.conformer import ConformerConfig


def fastconformer(variant: str) -> ConformerConfig:
    """Return a named FastConformer, by the table in NeMo's configurations.

    `l` has the 18 layers of NeMo's CTC configuration, `l17` the 17 of its transducers and hybrid models.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    return ConformerConfig.model_validate(_COMMON | _SIZES[variant])


_COMMON = {"subsampling": 8, "subsampling_channels": 256, "separable_subsampling": True, "kernel": 9}
_SIZES: dict[str, dict[str, Any]] = {
    "s": {"width": 176, "num_layers": 16},
    "m": {"width": 256, "num_layers": 16},
    "l": {"width": 512, "num_layers": 18, "num_heads": 8},
    "l17": {"width": 512, "num_layers": 17, "num_heads": 8},
    "xl": {"width": 1024, "num_layers": 24, "num_heads": 8, "scale_input": False},
    "xxl": {"width": 1024, "num_layers": 42, "num_heads": 8, "kernel": 5, "scale_input": False},
}
VARIANTS = tuple(_SIZES)
