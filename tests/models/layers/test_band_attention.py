"""Attention within a band: what full attention gives with the band as its mask, for any length."""

import pytest
import torch

from linnet.models.layers.attention import RelativeAttention, additive_mask, relative_positions
from linnet.models.layers.band_attention import BandAttention, band_mask, band_positions

WIDTH, HEADS = 8, 2


@torch.inference_mode()
@pytest.mark.parametrize(("left", "right"), [(4, 4), (3, 5), (5, 0), (0, 2), (1, 1), (64, 64)])
@pytest.mark.parametrize("num_frames", [1, 3, 5, 20, 37])
def test_a_band_equals_the_masked_full_form(left: int, right: int, num_frames: int) -> None:
    torch.manual_seed(0)
    full = RelativeAttention(WIDTH, HEADS, dropout=0.0)
    torch.nn.init.normal_(full.content_bias)
    torch.nn.init.normal_(full.position_bias)
    band = BandAttention(WIDTH, HEADS, dropout=0.0, size=max(left, right))
    band.load_state_dict(full.state_dict())
    x, lengths = torch.randn(2, num_frames, WIDTH), torch.tensor([num_frames, (num_frames + 1) // 2])
    back = torch.arange(num_frames)[:, None] - torch.arange(num_frames)
    valid = torch.arange(num_frames) < lengths[:, None, None]
    mask = additive_mask((back <= left) & (-back <= right) & valid, x.dtype).unsqueeze(1)
    expected = full(x, relative_positions(x), mask)
    ours = band(x, band_positions(x, band.size), band_mask(lengths, x, left, right))
    for row, reference, length in zip(ours, expected, lengths, strict=True):
        torch.testing.assert_close(row[:length], reference[:length], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("own_layers", [True, False])
@pytest.mark.parametrize("num_frames", [1, 2, 9])
def test_the_first_frame_sees_and_is_seen_by_all(own_layers: bool, num_frames: int) -> None:
    torch.manual_seed(0)
    band = BandAttention(WIDTH, HEADS, 0.0, size=2, global_token=True, global_layers=own_layers)
    x, lengths = torch.randn(1, num_frames, WIDTH), torch.tensor([num_frames])
    ours = band(x, band_positions(x, 2), band_mask(lengths, x, 2, 2))[0]

    query, key, value = (band.split(layer(x[0])) for layer in (band.query, band.key, band.value))
    local = band.score(query[None], key[None], band.split(band.position(relative_positions(x))))[0]
    back = torch.arange(num_frames)[:, None] - torch.arange(num_frames)
    local = local.masked_fill(back.abs() > 2, -torch.inf)
    global_value = value
    if own_layers:
        query, key, global_value = (band.split(layer(x[0])) for layer in band.global_layers.values())
    to_all = (query @ key.transpose(1, 2)) / 2  # √d
    weights = torch.cat((to_all[:, :, :1], local), dim=-1).softmax(-1)  # the token, then the band
    mixed = weights @ torch.cat((value[:, :1], value), dim=1)
    mixed[:, 0] = (to_all[:, :1].softmax(-1) @ global_value)[:, 0]
    expected = band.output(mixed.transpose(0, 1).flatten(1))
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)
