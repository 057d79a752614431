"""The configuration that builds a Zipformer, and the named sizes of the paper."""

from typing import Any

from linnet.models.zipformer.config import ZipformerValues
from linnet.models.zipformer.encoder import ZipformerEncoder


class ZipformerConfig(ZipformerValues):
    """All that makes a Zipformer (`config`), and how it is built."""

    def build(self, num_features: int) -> ZipformerEncoder:
        """Build the encoder for features of F = `num_features` rows."""
        return ZipformerEncoder(self, num_features)


def zipformer(variant: str) -> ZipformerConfig:
    """Return a size of the paper (table 1); `VARIANTS` names them all.

    Raises:
        KeyError: for an unknown variant.
    """
    return ZipformerConfig.model_validate(_SIZES[variant])


_SIZES: dict[str, dict[str, Any]] = {
    "s": {},
    "m": {
        "num_layers": (2, 2, 3, 4, 3, 2),
        "widths": (192, 256, 384, 512, 384, 256),
        "feed_forward": (512, 768, 1024, 1536, 1024, 768),
        "unmasked_widths": (192, 192, 256, 256, 256, 192),
    },
    "l": {
        "num_layers": (2, 2, 4, 5, 4, 2),
        "widths": (192, 256, 512, 768, 512, 256),
        "feed_forward": (512, 768, 1536, 2048, 1536, 768),
        "unmasked_widths": (192, 192, 256, 320, 256, 192),
    },
}
VARIANTS = tuple(_SIZES)
