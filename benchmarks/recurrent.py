"""Recurrent layers in training on CPU: each direction over the padded batch against packed sequences.

Run: python benchmarks/recurrent.py [--seconds 1] [--threads 1]
"""

import argparse
from functools import partial

import torch
from depthwise import both_ways, cpu_seconds
from header import print_header
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from linnet.models.layers.recurrent import Cell, RecurrentLayer

CELLS: tuple[Cell, ...] = ("gru", "lstm")
LENGTHS = torch.tensor(
    [250, 240, 230, 220, 200, 190, 180, 170]
)  # a batch of similar utterances, 5 s and less
WIDTH, HIDDEN = 640, 320


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time spent on each measurement")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print_header(
        "torch",
        settings=f"one bidirectional layer of {HIDDEN} over {len(LENGTHS)} utterances of {LENGTHS.min()} to "
        f"{LENGTHS.max()} frames on {options.threads} threads",
        measure="median CPU time, all threads counted, forward and backward",
    )
    x = torch.randn(len(LENGTHS), int(LENGTHS.max()), WIDTH, requires_grad=True)
    for cell in CELLS:
        ours = partial(RecurrentLayer(cell, WIDTH, HIDDEN), x, LENGTHS)
        layer = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](WIDTH, HIDDEN, batch_first=True, bidirectional=True)
        ours_s, packed_s = (
            cpu_seconds(partial(both_ways, run), options.seconds) for run in (ours, partial(packed, layer, x))
        )
        ours_ms, packed_ms = 1e3 * ours_s, 1e3 * packed_s
        print(f"{cell}: padded {ours_ms:.0f} ms, packed {packed_ms:.0f} ms, ratio {packed_ms / ours_ms:.2f}")


def packed(layer: nn.Module, x: Tensor) -> Tensor:
    """Compute a layer over packed sequences, back in a padded batch."""
    y, _ = layer(pack_padded_sequence(x, LENGTHS, batch_first=True))
    return pad_packed_sequence(y, batch_first=True)[0]


if __name__ == "__main__":
    main()
