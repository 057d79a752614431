"""Zipformer's parts against their formulas, its chunks, and what training does to them."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from linnet.models.layers.schedule import Clock
from linnet.models.zipformer.activations import BiasNorm, Bypass, swoosh_l, swoosh_r
from linnet.models.zipformer.attention import AttentionWeights, NonlinearAttention, compact_positions
from linnet.models.zipformer.convolution import ChunkCausalConv
from linnet.models.zipformer.encoder import Downsample, ZipformerEncoder, _block_skips, _full_width
from linnet.models.zipformer.sizes import ZipformerConfig

Batch = Callable[..., tuple[Tensor, Tensor]]
SIZE: dict[str, Any] = {
    "num_layers": [1, 2],
    "widths": [12, 8],
    "feed_forward": [16, 8],
    "unmasked_widths": [8, 8],
    "downsampling": [1, 2],
    "num_heads": [2, 2],
    "kernels": [5, 3],
    "embed_channels": [2, 3, 4],
}
CLOCK = Clock(math.inf)


def build(**values: Any) -> ZipformerEncoder:
    """In evaluation mode."""
    torch.manual_seed(0)
    return ZipformerConfig.model_validate(SIZE | values).build(num_features=8).eval()


def test_swoosh_and_its_gradient_are_those_of_the_paper() -> None:
    x = torch.linspace(-30.0, 30.0, 61, dtype=torch.float64)
    for function, shift, offset in ((swoosh_l, 4.0, 0.035), (swoosh_r, 1.0, 0.313261687)):
        plain, traced = x.clone().requires_grad_(), x.clone().requires_grad_()
        expected = torch.log(1.0 + torch.exp(plain - shift)) - 0.08 * plain - offset
        torch.testing.assert_close(function(x), expected.detach(), atol=1e-8, rtol=0)
        torch.testing.assert_close(function(traced), expected, atol=1e-8, rtol=0)
        (upstream := torch.randn(61, dtype=torch.float64))
        torch.testing.assert_close(
            *(
                torch.autograd.grad(y, z, upstream)[0]
                for y, z in ((function(traced), traced), (expected, plain))
            ),
            atol=1e-8,
            rtol=0,
        )
    assert swoosh_r(torch.zeros(1)).item() == pytest.approx(0.0, abs=1e-7)


def test_bias_norm_divides_by_the_size_of_what_is_off_its_bias() -> None:
    norm, x = BiasNorm(4).eval(), torch.tensor([[1.0, 3.0, -2.0, 0.5]])
    torch.nn.init.constant_(norm.bias, 0.5)
    rms = math.sqrt((0.25 + 6.25 + 6.25 + 0.0) / 4)
    torch.testing.assert_close(norm(x), x * math.e / rms)


def test_a_bypass_mixes_by_channel() -> None:
    bypass = Bypass(CLOCK, 2).eval()
    with torch.no_grad():
        bypass.scale.copy_(torch.tensor([0.25, 1.0]))
    mixed = bypass(torch.zeros(1, 3, 2), torch.ones(1, 3, 2))
    assert mixed[0, 0].tolist() == [0.25, 1.0]


def test_positions_follow_their_formula() -> None:
    """Row r is the distance key − query = r − S, squeezed; the last column is 1."""
    table = compact_positions(torch.zeros(1, 5, 3), width=6)
    assert table.shape == (10, 6)
    for row, offset in enumerate(range(-5, 5)):
        squeezed = math.sqrt(6) * math.copysign(math.log(abs(offset) + 6**0.5) - math.log(6**0.5), offset)
        angle = math.atan(squeezed / (6 / (2 * math.pi)))
        expected = [*[f(k * angle) for k in (1, 2, 3) for f in (math.cos, math.sin)][:-1], 1.0]
        torch.testing.assert_close(table[row], torch.tensor(expected), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_attention_weights_follow_their_formula() -> None:
    """The score of query i for key j is q_i·k_j + p_i·W r(j − i), and no root divides it."""
    torch.manual_seed(0)
    module = AttentionWeights(CLOCK, 8, 2, query_width=4, position_head_width=3, position_width=6).eval()
    torch.nn.init.normal_(module.linear_pos.weight)
    x = torch.randn(1, 5, 8)
    table = compact_positions(x, 6)
    query, key, place = module.in_proj(x[0]).split([8, 8, 6], dim=-1)
    projected = module.linear_pos(table)
    scores = torch.zeros(2, 5, 5)
    for head in range(2):
        q, k, p, r = (
            y[:, head * y.shape[1] // 2 : (head + 1) * y.shape[1] // 2]
            for y in (query, key, place, projected)
        )
        for i in range(5):
            for j in range(5):
                scores[head, i, j] = q[i] @ k[j] + p[i] @ r[j - i + 5]
    torch.testing.assert_close(module(x, table, torch.zeros(1, 1, 1, 5))[0], scores.softmax(-1))


@torch.inference_mode()
def test_nonlinear_attention_uses_the_first_head() -> None:
    torch.manual_seed(0)
    module = NonlinearAttention(CLOCK, 8).eval()
    x, weights = torch.randn(1, 5, 8), torch.rand(1, 3, 5, 5)
    gate, values, scale = module.in_proj(x).chunk(3, dim=-1)
    expected = module.out_proj((weights[:, 0] @ (gate.tanh() * values)) * scale)
    torch.testing.assert_close(module(x, weights), expected)


@torch.inference_mode()
@pytest.mark.parametrize("length", [7, 8])
def test_downsampling_repeats_the_last_valid_frame(length: int) -> None:
    downsample, x = Downsample(4), torch.randn(1, 8, 3)
    with torch.no_grad():
        downsample.bias.copy_(torch.tensor([0.0, 1.0, -1.0, 2.0]))
    weights = downsample.bias.softmax(0)
    frames = [*range(length), length - 1][:8]
    expected = torch.stack(
        [sum(weights[k] * x[0, frames[4 * group + k]] for k in range(4)) for group in range(2)]  # type: ignore[misc]
    )
    torch.testing.assert_close(downsample(x, torch.tensor([length]))[0], expected)


def test_each_channel_comes_from_the_last_stack_that_has_it() -> None:
    outputs = [torch.full((1, 1, width), float(width)) for width in (3, 6, 5, 4)]
    assert _full_width(outputs).flatten().tolist() == [4.0, 4.0, 4.0, 4.0, 5.0, 6.0]


@torch.inference_mode()
def test_a_chunked_convolution_is_causal_but_for_its_chunk() -> None:
    torch.manual_seed(0)
    conv = ChunkCausalConv(2, 5).eval()
    torch.nn.init.normal_(conv.edge_scale)
    x = torch.randn(1, 2, 11)
    whole = conv(x, 4)
    padded = functional.pad(x, (2, 5))
    for frame in range(11):
        causal = (padded[0, :, frame : frame + 3] * conv.causal.weight[:, 0]).sum(-1) + conv.causal.bias
        start, place = frame // 4 * 4, frame % 4
        chunk = functional.pad(functional.pad(x, (0, 1))[0, :, start : start + 4], (2, 2))
        within = (chunk[:, place : place + 5] * conv.within.weight[:, 0]).sum(-1) + conv.within.bias
        scale = 1.0 + conv.edge_scale[0, :, place] + conv.edge_scale[1, :, place + 1]
        torch.testing.assert_close(whole[0, :, frame], causal + within * scale)


@torch.inference_mode()
def test_a_causal_encoder_does_not_see_beyond_its_chunk_and_the_embedding() -> None:
    encoder = build(causal=True, chunk_frames=8, left_context_frames=8)
    torch.manual_seed(1)
    features, lengths = torch.randn(1, 8, 64), torch.tensor([64])
    changed = features.clone()
    changed[..., 32:] += 1.0  # frame 16 of the embedding on; its kernels reach 5 frames back
    same, other = (encoder(x, lengths)[0] for x in (features, changed))
    torch.testing.assert_close(same[..., :4], other[..., :4])  # the first chunk: 8 frames, 4 out
    assert not torch.allclose(same[..., 8:], other[..., 8:])


def test_training_changes_nothing_in_use(padded_batch: Batch) -> None:
    """All that training adds is off in evaluation, wherever its schedules stand."""
    encoder, batch = build(), padded_batch(30, num_features=8)
    before = encoder(*batch)[0]
    encoder.at_step(10_000)
    assert torch.equal(before, encoder(*batch)[0])
    torch.manual_seed(1)
    encoder.train()
    assert not torch.equal(encoder(*batch)[0], encoder(*batch)[0])


def test_blocks_get_their_turn_one_after_the_other() -> None:
    """Two stacks: 4000 batches in three parts, the first for the embedding."""
    config = ZipformerConfig.model_validate(SIZE)
    begins = [skip.batches[0] for stack in range(2) for skip in _block_skips(config, stack)]
    assert begins == pytest.approx([4000 / 3, 8000 / 3, 10_000 / 3])
    last = _block_skips(config, 1)[-1]
    assert (last.at(0), last.at(4000)) == (0.5, pytest.approx(0.035 * 2**0.5))


def test_dropped_channels_are_the_same_in_all_stacks() -> None:
    encoder = build(widths=[12, 16], unmasked_widths=[8, 8]).train()
    torch.manual_seed(3)
    first, second = encoder._kept_channels(torch.zeros(40, 5, 12))
    assert first is not None
    assert second is not None
    torch.testing.assert_close(first[:, 0, [0, 8, 10]], second[:, 0, [0, 8, 12]])
    assert (first[:, 0, 10] <= first[:, 0, 8]).all()
    assert 0.0 < first[:, 0, 8].mean() < 1.0
