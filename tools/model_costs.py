"""Count the parameters and the cost of every named size, for the figures in `linnet.models.catalog`.

Usage: python tools/model_costs.py [FAMILY]

Nothing is computed: shapes alone pass through the models, on torch's meta device.
"""

import sys
from dataclasses import dataclass

import torch
from pydantic import TypeAdapter
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from linnet.models.catalog import ARCHITECTURES
from linnet.models.encoders import FAMILIES, EncoderConfig, expand_variant
from linnet.models.layers.convolution import TimeConv

RECURRENT = ("deepspeech2", "n2")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one size costs."""

    parameters: int
    gmac_per_s: float


def meta_model(family: str, variant: str) -> nn.ModuleDict:
    """Build the encoder and the head of a size as its authors did, without memory for weights."""
    architecture = ARCHITECTURES[family]
    config = TypeAdapter[EncoderConfig](EncoderConfig).validate_python(expand_variant({family: variant}))
    with torch.device("meta"):
        encoder = config.build(architecture.frontend_of(variant).num_features)
        head = TimeConv(config.output_width, architecture.num_outputs_of(variant), bias=True)
    return nn.ModuleDict({"encoder": encoder, "head": head}).eval()


def count_parameters(family: str, variant: str) -> int:
    """Count the trained values of a size."""
    return sum(weight.numel() for weight in meta_model(family, variant).parameters())


def count_cost(family: str, variant: str, num_frames: int) -> Cost:
    """Count the parameters of a size, and its multiplications in one utterance of `num_frames`."""
    frontend = ARCHITECTURES[family].frontend_of(variant)
    model = meta_model(family, variant)
    features = torch.zeros(1, frontend.num_features, num_frames, device="meta")
    lengths = torch.full((1,), num_frames, device="meta")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        encoded, _ = model["encoder"](features, lengths)
        model["head"](encoded)
    parameters = sum(weight.numel() for weight in model.parameters())
    multiplications = counter.get_total_flops() / 2  # torch counts additions as well
    return Cost(parameters, multiplications / (num_frames * frontend.frame_shift_s) / 1e9)


def frames_to_count(family: str) -> int:
    """Give 10 s; less for recurrent layers, counted step by step at the same cost in each."""
    if family in RECURRENT:
        return 40
    return round(10 / ARCHITECTURES[family].frontend.frame_shift_s)


def main(families: list[str]) -> None:
    """Print the figures of some families, or of all."""
    for family in families or FAMILIES:
        for variant in FAMILIES[family].variants:
            cost = count_cost(family, variant, frames_to_count(family))
            print(f"{family} {variant}: {cost.parameters:_}, {cost.gmac_per_s:.3g}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
