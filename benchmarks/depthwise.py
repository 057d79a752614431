"""Depthwise convolution in training on CPU: torch's direct loop against the FFT, by layer and in a step.

Run: python benchmarks/depthwise.py [--seconds 1] [--threads 1]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from header import print_header
from torch import Tensor
from torch.nn import functional

from linnet.models.layers import convolution
from linnet.models.layers.convolution import MIN_FFT_KERNEL, depthwise_fft
from training import TrainingStep

# (channels, taps, dilation) of QuartzNet's depthwise layers, then few taps, to see where both are level.
SHAPES = (
    (64, 33, 1),
    (256, 33, 1),
    (256, 39, 1),
    (512, 51, 1),
    (512, 63, 1),
    (512, 75, 1),
    (512, 87, 2),
    (256, 9, 1),
    (256, 13, 1),
    (256, 15, 1),
    (256, 21, 1),
)
FRAMES_PER_S = 50  # after the first layer's stride


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--utterances", type=int, default=8)
    parser.add_argument("--utterance-s", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU time spent on each measurement")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print_header(
        "torch",
        settings=f"batches of {options.utterances} × {options.utterance_s:g} s on {options.threads} threads; "
        f"the FFT is taken from {MIN_FFT_KERNEL} taps on",
        measure="median CPU time, all threads counted, forward and backward",
    )
    print("channels taps dilation   direct ms  (GFLOP/s)     FFT ms    ratio")
    frames = round(options.utterance_s * FRAMES_PER_S)
    for channels, taps, dilation in SHAPES:
        x = torch.randn(options.utterances, channels, frames, requires_grad=True)
        weight = torch.randn(channels, 1, taps, requires_grad=True)
        padding = dilation * (taps - 1) // 2
        direct = partial(functional.conv1d, x, weight, padding=padding, dilation=dilation, groups=channels)
        by_fft = partial(depthwise_fft, x, weight, padding, dilation)
        direct_s, fft_s = (cpu_seconds(partial(both_ways, run), options.seconds) for run in (direct, by_fft))
        gflop = 3 * 2 * x.numel() * taps / 1e9  # the value, and both gradients
        print(
            f"{channels:8d} {taps:4d} {dilation:8d} {1e3 * direct_s:11.2f} {gflop / direct_s:11.2f} "
            f"{1e3 * fft_s:10.2f} {direct_s / fft_s:8.2f}"
        )
    step = TrainingStep("5x1", utterances=options.utterances, utterance_s=options.utterance_s)
    fft_s = cpu_seconds(step, options.seconds)
    convolution.MIN_FFT_KERNEL = 10**9
    direct_s = cpu_seconds(step, options.seconds)
    print(f"\nwhole step of 5x1   direct {direct_s:.3f} s   FFT {fft_s:.3f} s   ratio {direct_s / fft_s:.2f}")


def both_ways(forward: Callable[[], Tensor]) -> None:
    """Compute the value and the gradients of its sum."""
    y = forward()
    y.backward(torch.ones_like(y))


def cpu_seconds(run: Callable[[], None], budget_s: float) -> float:
    """Median CPU time of a call, over at least three after a first one."""
    run()
    times_s: list[float] = []
    while sum(times_s) < budget_s or len(times_s) < 3:
        start_s = time.process_time()
        run()
        times_s.append(time.process_time() - start_s)
    return statistics.median(times_s)


if __name__ == "__main__":
    main()
