"""Squeeze-and-excitation: the mean of valid frames alone decides, in float32."""

import torch
from torch import nn

from linnet.models.layers.masking import frame_mask
from linnet.models.layers.squeeze_excite import SqueezeExcite


def make_layer() -> SqueezeExcite:
    torch.manual_seed(0)
    return SqueezeExcite(8, 4, nn.ReLU(), bias=True)


def test_channels_are_scaled_by_the_mean_of_the_valid_frames() -> None:
    layer = make_layer()
    x = torch.randn(2, 8, 10)
    lengths = torch.tensor([10, 3])
    hidden = layer.reduce(torch.stack([x[0].mean(-1), x[1, :, :3].mean(-1)])).relu()
    expected = x * layer.expand(hidden).sigmoid()[..., None]
    expected[1, :, 3:] = 0.0
    torch.testing.assert_close(layer(x, frame_mask(lengths, x)), expected)


def test_the_4d_form_is_the_same() -> None:
    layer, x, lengths = make_layer(), torch.randn(2, 8, 10), torch.tensor([4, 10])
    torch.testing.assert_close(
        layer(x.unsqueeze(2), frame_mask(lengths, x.unsqueeze(2))).squeeze(2),
        layer(x, frame_mask(lengths, x)),
    )


def test_mixed_precision_keeps_the_mean_in_float32() -> None:
    layer, lengths = make_layer(), torch.tensor([3000])
    x = (1 + 0.01 * torch.randn(1, 8, 3000)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x, frame_mask(lengths, x))
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y, layer(x.float(), frame_mask(lengths, x.float())).bfloat16(), atol=0, rtol=0)
