"""Attention: scores by the equations of its papers, exact under padding, for any length."""

import math

import pytest
import torch
from torch import Tensor

from linnet.models.layers.attention import (
    RelativeAttention,
    SelfAttention,
    padding_mask,
    relative_positions,
    relative_shift,
)
from linnet.models.layers.positions import distances, sinusoids

WIDTH, HEADS = 8, 2


def attention(kind: type[SelfAttention]) -> SelfAttention:
    torch.manual_seed(0)
    layer = kind(WIDTH, HEADS, dropout=0.0)
    if isinstance(layer, RelativeAttention):
        torch.nn.init.normal_(layer.content_bias)
        torch.nn.init.normal_(layer.position_bias)
    return layer


def by_hand(layer: SelfAttention, x: Tensor) -> Tensor:
    """Attention within one utterance (S, D), query by query and key by key."""
    size, d = x.shape[0], WIDTH // HEADS
    query, key, value = (part(x).view(size, HEADS, d) for part in (layer.query, layer.key, layer.value))
    scores = torch.empty(HEADS, size, size)
    for i in range(size):
        for j in range(size):
            for head in range(HEADS):
                score = query[i, head] @ key[j, head]
                if isinstance(layer, RelativeAttention):
                    r = layer.position(sinusoids(torch.tensor([i - j]), WIDTH)).view(HEADS, d)[head]
                    score = (query[i, head] + layer.content_bias[head]) @ key[j, head]
                    score = score + (query[i, head] + layer.position_bias[head]) @ r
                scores[head, i, j] = score / math.sqrt(d)
    mixed = torch.einsum("hij,jhd->ihd", scores.softmax(-1), value)
    return layer.output(mixed.reshape(size, WIDTH))


@pytest.mark.parametrize("kind", [SelfAttention, RelativeAttention])
@pytest.mark.parametrize("num_frames", [1, 2, 7])
def test_scores_follow_the_equations(kind: type[SelfAttention], num_frames: int) -> None:
    layer, x = attention(kind), torch.randn(1, num_frames, WIDTH)
    positions = relative_positions(x) if kind is RelativeAttention else None
    ours = layer(x, positions, padding_mask(torch.tensor([num_frames]), x))
    torch.testing.assert_close(ours[0], by_hand(layer, x[0]), atol=1e-5, rtol=1e-5)


def test_no_frame_looks_at_padding() -> None:
    layer, lengths = attention(RelativeAttention), torch.tensor([6, 3, 1])
    x = torch.randn(3, 6, WIDTH)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 1e4
    batch = layer(x, relative_positions(x), padding_mask(lengths, x))
    for row, together, length in zip(x, batch, lengths, strict=True):
        alone = row[None, :length]
        expected = layer(alone, relative_positions(alone), padding_mask(length[None], alone))
        torch.testing.assert_close(together[:length], expected[0], atol=1e-5, rtol=1e-5)


def test_an_utterance_without_frames_gives_no_nan() -> None:
    layer, x = attention(RelativeAttention), torch.randn(1, 3, WIDTH)
    assert layer(x, relative_positions(x), padding_mask(torch.tensor([0]), x)).isfinite().all()


@pytest.mark.parametrize(("queries", "keys", "lead"), [(1, 1, 0), (5, 5, 0), (4, 12, 4), (3, 7, 4)])
def test_the_shift_finds_each_distance(queries: int, keys: int, lead: int) -> None:
    table = distances(queries, keys, lead, torch.empty(0)).float()
    shifted = relative_shift(table.expand(2, queries, -1).contiguous())
    expected = torch.arange(queries)[:, None] + lead - torch.arange(keys)
    assert shifted.tolist() == expected.float().expand(2, -1, -1).tolist()


def test_sinusoids_alternate_sine_and_cosine() -> None:
    table = sinusoids(torch.tensor([0, 3, -40_000]), 4)
    expected = [
        [math.sin(p), math.cos(p), math.sin(p / 100), math.cos(p / 100)] for p in (0.0, 3.0, -40_000.0)
    ]
    torch.testing.assert_close(table, torch.tensor(expected), atol=1e-3, rtol=0)
