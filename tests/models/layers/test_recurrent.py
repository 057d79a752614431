"""Recurrent layers give what packed sequences give, in both directions, whatever the padding holds."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from linnet.models.layers.recurrent import Cell, RecurrentLayer, RecurrentStack, turned_around

LENGTHS = torch.tensor([4, 9, 1, 9])


def test_only_the_valid_frames_turn_around() -> None:
    x = torch.arange(8.0).view(2, 4, 1)
    turned = turned_around(x, torch.tensor([3, 4]))
    assert turned.flatten().tolist() == [2, 1, 0, 3, 7, 6, 5, 4]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_computes_what_packed_sequences_give(cell: Cell, bidirectional: bool) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(cell, 5, 3, bidirectional=bidirectional)
    make = torch.nn.GRU if cell == "gru" else torch.nn.LSTM
    reference = make(5, 3, batch_first=True, bidirectional=bidirectional)
    weights = layer.state_dict()
    reference.load_state_dict(
        {
            name: weights[
                f"backward_rnn.{name.removesuffix('_reverse')}"
                if name.endswith("_reverse")
                else f"forward_rnn.{name}"
            ]
            for name in reference.state_dict()
        }
    )
    x = torch.randn(4, 9, 5)
    packed, _ = reference(pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    valid = torch.arange(9)[:, None] < LENGTHS[:, None, None]
    torch.testing.assert_close(layer(x, LENGTHS) * valid, expected)


@torch.no_grad()
def test_dropout_lies_between_the_layers() -> None:
    stack = RecurrentStack("gru", 5, 40, 2, dropout=0.5).train()
    x = torch.randn(1, 9, 5)
    below, _ = stack.layers[0].forward_rnn(x)
    torch.manual_seed(0)
    first = stack(x, LENGTHS[1:2])
    assert not torch.equal(first, stack(x, LENGTHS[1:2]))
    assert below.all(), "the first layer's input is whole"
    assert torch.equal(stack.eval()(x, LENGTHS[1:2]), stack(x, LENGTHS[1:2]))
