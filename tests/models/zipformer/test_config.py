"""Sizes of Zipformer and refused values."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from linnet.core.errors import ConfigError
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.zipformer.sizes import ZipformerConfig, zipformer

PIECES = [chr(0x4E00 + index) for index in range(498)]  # with the space and the blank 500 outputs


@pytest.mark.parametrize(
    ("variant", "parameters"), [("s", 22_118_279), ("m", 64_250_603), ("l", 147_010_094)]
)
def test_parameter_counts(variant: str, parameters: int) -> None:
    """Those published with CR-CTC, for 500 outputs."""
    config = ModelConfig.model_validate(
        {
            "name": "counted",
            "frontend": {"num_mels": 80},
            "encoder": {"zipformer": variant},
            "tokenizer": {"kind": "char", "pieces": PIECES},
        }
    )
    with torch.device("meta"):  # shapes without memory
        model = CtcModel(config)
    assert model.num_parameters() == parameters
    assert sum(weight.numel() for weight in model.encoder.embedding.parameters()) == 611_953


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"widths": [192, 256]}, "num_layers gives 6 stacks, widths 2 values"),
        ({"downsampling": [1, 2, 3, 8, 4, 2]}, "powers of two"),
        ({"kernels": [30, 31, 15, 15, 15, 31]}, "kernels must be odd"),
        ({"widths": [192, 256, 254, 256, 256, 256]}, "multiples of 4"),
        ({"position_width": 47}, "position_width must be even"),
        ({"chunk_frames": 32}, "chunk_frames needs causal: true"),
        ({"causal": True}, "causal needs chunk_frames"),
        ({"causal": True, "chunk_frames": 12}, "multiples of 8 frames, not 12"),
        ({"causal": True, "chunk_frames": 32, "training_chunks": []}, "need a value each"),
    ],
)
def test_values_that_do_not_go_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ZipformerConfig.model_validate(values)


def test_too_few_features_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot work on 6 features"):
        zipformer("s").build(num_features=6)


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="xl"):
        zipformer("xl")
