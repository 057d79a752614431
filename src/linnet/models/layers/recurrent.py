"""LSTM and GRU layers over time that see the valid frames of an utterance and nothing behind them."""

from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["gru", "lstm"]

# Where ONNX keeps each of torch's gates: z r h of r z n in a GRU, i o f c of i f g o in an LSTM.
_ONNX_GATES: dict[Cell, tuple[int, ...]] = {"gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}


class RecurrentLayer(nn.Module):
    """One layer of an LSTM or a GRU (as cuDNN defines it, with two biases), in one or both directions.

    The backward direction reads each utterance turned around within its own length, so that padding comes
    last in both directions and reaches no valid frame. That gives what packed sequences give; training on a
    CPU takes less than half their time (benchmarks/recurrent.py). In an ONNX graph the layer is one `GRU` or
    `LSTM` node with the lengths among its inputs.

    B batch, S frames, D values in, H values out of each direction.

    Args:
        cell: what computes a frame.
        input_width: D.
        hidden: H.
        bidirectional: also read from the end, giving 2·H values.
    """

    def __init__(self, cell: Cell, input_width: int, hidden: int, *, bidirectional: bool = True) -> None:
        super().__init__()
        self.cell: Cell = cell
        self.hidden = hidden
        make = nn.GRU if cell == "gru" else nn.LSTM
        self.forward_rnn = make(input_width, hidden, batch_first=True)
        self.backward_rnn = make(input_width, hidden, batch_first=True) if bidirectional else None

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Compute (B, S, H or 2·H) from (B, S, D) with (B,) valid frames; the rest has no meaning."""
        if torch.onnx.is_in_onnx_export():
            return self._onnx_node(x, lengths)
        y: Tensor = self.forward_rnn(x)[0]
        if self.backward_rnn is None:
            return y
        z: Tensor = self.backward_rnn(turned_around(x, lengths))[0]
        return torch.cat([y, turned_around(z, lengths)], dim=-1)

    def _onnx_node(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Stand for one node of ONNX, whose layout is (S, B, D) → (S, directions, B, H)."""
        gates = [range(self.hidden * gate, self.hidden * (gate + 1)) for gate in _ONNX_GATES[self.cell]]
        rows = torch.tensor(list(chain(*gates)), device=x.device)
        inputs, states, biases = zip(*(_onnx_weights(rnn, rows) for rnn in self._directions), strict=True)
        y = torch.onnx.ops.symbolic(
            self.cell.upper(),
            [
                x.transpose(0, 1),
                *(torch.stack(each) for each in (inputs, states, biases)),
                lengths.int(),
            ],
            {
                "hidden_size": self.hidden,
                "direction": "forward" if self.backward_rnn is None else "bidirectional",
                **({"linear_before_reset": 1} if self.cell == "gru" else {}),
            },
            dtype=x.dtype,
            shape=[x.shape[1], len(self._directions), x.shape[0], self.hidden],
            version=14,
        )
        return y.permute(2, 0, 1, 3).flatten(2)  # (B, S, directions · H)

    @property
    def _directions(self) -> tuple[nn.Module, ...]:
        return (self.forward_rnn,) if self.backward_rnn is None else (self.forward_rnn, self.backward_rnn)


class RecurrentStack(nn.Module):
    """Layers one above the other, with dropout between them: (B, S, D) → (B, S, `output_width`)."""

    def __init__(
        self,
        cell: Cell,
        input_width: int,
        hidden: int,
        num_layers: int,
        *,
        bidirectional: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.output_width = hidden * (2 if bidirectional else 1)
        widths = [input_width] + [self.output_width] * (num_layers - 1)
        self.layers = nn.ModuleList(
            RecurrentLayer(cell, width, hidden, bidirectional=bidirectional) for width in widths
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Compute (B, S, `output_width`) from (B, S, D) with (B,) valid frames."""
        for index, layer in enumerate(self.layers):
            x = layer(self.dropout(x) if index else x, lengths)
        return x


def _onnx_weights(rnn: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take the weights of one direction, for its input and for its state, and both biases as one."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    of_input, of_state, *biases = (getattr(rnn, name).index_select(0, rows) for name in names)
    return of_input, of_state, torch.cat(biases)


def turned_around(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the valid frames of each utterance, and leave the padding where it is.

    Args:
        x: (B, S, D).
        lengths: (B,) valid frames.
    """
    frames = torch.arange(x.shape[1], device=x.device)
    source = torch.where(frames < lengths[:, None], lengths[:, None] - 1 - frames, frames)  # (B, S)
    firsts = x.shape[1] * torch.arange(len(x), device=x.device)[:, None]
    return x.flatten(0, 1).index_select(0, (firsts + source).flatten()).view_as(x)
