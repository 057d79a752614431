"""A model of every kind of block, small enough for a test and with batch norms that have seen data."""

from collections.abc import Callable

import pytest
import torch

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.layers.convolution import TimeBatchNorm

TINY = {
    "name": "tiny",
    "frontend": {"num_mels": 6, "dither": 0.0},
    "encoder": {
        "blocks": [
            {"filters": 8, "kernel": 15, "stride": 2, "repeat": 2, "residual": False},
            {"filters": 8, "kernel": 3, "repeat": 2, "se": True, "se_reduction": 2, "se_bias": True},
            {"filters": 10, "kernel": 5, "repeat": 2, "lookahead_frames": 1},
            {"filters": 8, "kernel": 17, "dilation": 2, "residual": False},
            {"filters": 12, "kernel": 3, "separable": False},
            {"filters": 6, "kernel": 3, "dense": True},
            {"filters": 5, "kernel": 3, "dense": True, "separable": False},
            {"filters": 9, "kernel": 1, "separable": False, "residual": False},
        ]
    },
    "tokenizer": {"kind": "char", "pieces": ["a", "b"]},
}


@pytest.fixture
def tiny_config() -> ModelConfig:
    return ModelConfig.model_validate(TINY)


@pytest.fixture
def tiny_model(tiny_config: ModelConfig) -> CtcModel:
    """In evaluation mode."""
    torch.manual_seed(0)
    model = CtcModel(tiny_config)
    for module in model.modules():
        if isinstance(module, TimeBatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            torch.nn.init.normal_(module.weight, 1.0, 0.3)
            torch.nn.init.normal_(module.bias)
    return model.eval()


@pytest.fixture
def padded_batch() -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """`padded_batch(7, 3)` → random features (2, 6, 7) with garbage behind each length, and the lengths."""

    def make(*lengths: int, num_features: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(1)
        features = torch.randn(len(lengths), num_features, max(lengths), generator=generator)
        for row, length in zip(features, lengths, strict=True):
            row[:, length:] = 99.0
        return features, torch.tensor(lengths)

    return make
