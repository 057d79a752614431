"""The convolution module: its equations, its masks, its variants."""

from typing import Any

import pytest
import torch
from torch.nn import functional

from linnet.models.layers.conv_module import ConvModule

WIDTH = 6
VARIANTS: list[dict[str, Any]] = [
    {"kernel_size": 5},
    {"kernel_size": 5, "norm": "layer", "padding": (4, 0)},
    {"kernel_size": 17, "gated": False, "bias": False},
    {"kernel_size": 17, "padding": (16, 0)},
    {"kernel_size": 4, "padding": (1, 2)},
]


def build(**variant: Any) -> ConvModule:
    torch.manual_seed(0)
    module = ConvModule(WIDTH, **variant)
    torch.nn.init.normal_(module.norm.weight)
    return module.eval()


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_equations_for_one_utterance(variant: dict[str, Any]) -> None:
    module, x = build(**variant), torch.randn(1, 9, WIDTH)
    y = functional.conv1d(x.transpose(1, 2), module.expand.weight, module.expand.bias)
    y = y[:, :WIDTH] * y[:, WIDTH:].sigmoid() if variant.get("gated", True) else y * y.sigmoid()
    taps = variant["kernel_size"]
    y = functional.pad(y, variant.get("padding", (taps // 2, taps // 2)))
    y = functional.conv1d(y, module.depthwise.weight, module.depthwise.bias, groups=y.shape[1])
    if variant.get("norm") == "layer":
        y = y.transpose(1, 2)
        y = functional.layer_norm(y, y.shape[-1:], module.norm.weight, module.norm.bias).transpose(1, 2)
    else:
        y = y / (1 + 1e-5) ** 0.5 * module.norm.weight[:, None] + module.norm.bias[:, None]
    y = functional.conv1d(y * y.sigmoid(), module.contract.weight, module.contract.bias)
    torch.testing.assert_close(module(x, torch.ones(1, 1, 9)), y.transpose(1, 2), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_frame_sees_padding(variant: dict[str, Any]) -> None:
    module, x = build(**variant), torch.randn(1, 9, WIDTH)
    x[:, 4:] = 77.0
    masked = module(x, (torch.arange(9) < 4).float()[None, None])
    torch.testing.assert_close(masked[:, :4], module(x[:, :4], torch.ones(1, 1, 4)), atol=1e-5, rtol=1e-5)
