"""Subsampling: torch's own convolutions for one utterance, the same with any padding."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from linnet.models.layers.subsampling import ConvSubsampling

BINS = 10
KINDS: list[dict[str, Any]] = [
    {"factor": 4},
    {"factor": 2, "causal": True},
    {"factor": 8, "separable": True},
    {"factor": 8, "separable": True, "causal": True},
]


def build(**kind: Any) -> ConvSubsampling:
    torch.manual_seed(0)
    return ConvSubsampling(BINS, width=6, channels=4, **kind)


def by_hand(layer: ConvSubsampling, features: Tensor) -> Tensor:
    """One utterance (F, T) without padding: (S, D)."""
    x = features.T[None, None]
    for stage, mixing in zip(layer.stages, layer.mixings, strict=True):
        causal = layer.padding == (2, 1)
        x = functional.pad(x, (2, 1, 2, 1) if causal else (1, 1, 1, 1))
        x = functional.conv2d(x, stage.weight, stage.bias, stride=2, groups=stage.groups)
        x = mixing(x).relu()
    return layer.output(x[0].transpose(0, 1).flatten(1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
def test_padding_changes_nothing(kind: dict[str, Any], training: bool) -> None:
    layer, lengths = build(**kind).train(training), [33, 32, 17, 2, 1]
    features = torch.randn(len(lengths), BINS, max(lengths))
    for row, length in zip(features, lengths, strict=True):
        row[:, length:] = 99.0
    batch, output_lengths = layer(features, torch.tensor(lengths))
    for row, together, length, num_frames in zip(features, batch, lengths, output_lengths, strict=True):
        expected = by_hand(layer, row[:, :length])
        assert len(expected) == num_frames
        torch.testing.assert_close(together[:num_frames], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("kind", "lengths"), [({"factor": 4}, [0, 1, 2, 2, 4]), (KINDS[3], [1, 1, 2, 2, 3])])
def test_lengths_follow_the_convolutions(kind: dict[str, Any], lengths: list[int]) -> None:
    _, output_lengths = build(**kind)(torch.randn(5, BINS, 15), torch.tensor([0, 1, 6, 8, 15]))
    assert output_lengths.tolist() == lengths


def test_the_form_for_export_is_the_same() -> None:
    layer, features, lengths = build(factor=4), torch.randn(2, BINS, 9), torch.tensor([9, 4])
    assert torch.equal(layer(features, lengths)[0], layer(features.unsqueeze(2), lengths)[0])
