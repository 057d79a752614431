"""Attention over every frame against attention within a band, by length: CPU time and memory of one layer.

Run: python benchmarks/attention.py [--minutes 0.25 1 2 4] [--band 128] [--threads 1]
"""

import argparse
import multiprocessing
import resource
import time

import torch
from header import print_header

from linnet.models.layers.attention import RelativeAttention, padding_mask, relative_positions
from linnet.models.layers.band_attention import BandAttention, band_mask, band_positions

FRAMES_PER_S = 12.5  # FastConformer's
WIDTH, NUM_HEADS = 512, 8  # of its large size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[0.25, 1.0, 2.0, 4.0])
    parser.add_argument("--longest-full", type=float, default=4.0, help="minutes")
    parser.add_argument("--band", type=int, default=128, help="frames on each side")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print_header(
        "torch",
        settings=f"one layer of {NUM_HEADS} heads and width {WIDTH}, {FRAMES_PER_S} frames a second, "
        f"{options.band} frames on each side, {options.threads} threads",
        measure="CPU time of the second forward pass; growth of the process's peak memory by both",
    )
    print("minutes  frames    full s  full MB    band s  band MB")
    for minutes in options.minutes:
        frames = round(minutes * 60 * FRAMES_PER_S)
        cells = [f"{minutes:7g} {frames:7d}"]
        for band in (0, options.band):
            if band or minutes <= options.longest_full:
                seconds, megabytes = in_own_process(frames, band, options.threads)
                cells.append(f"{seconds:9.3f} {megabytes:8.0f}")
            else:
                cells.append(f"{'':18}")
        print(" ".join(cells))


def in_own_process(frames: int, band: int, threads: int) -> tuple[float, float]:
    """Measure in a new process, whose peak memory no earlier measurement has raised."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (frames, band, threads))


@torch.inference_mode()
def measure(frames: int, band: int, threads: int) -> tuple[float, float]:
    """Return seconds of CPU time and megabytes; `band` 0 is full attention."""
    torch.set_num_threads(threads)
    x, lengths = torch.randn(1, frames, WIDTH), torch.tensor([frames])
    before_mb = peak_mb()
    layer: RelativeAttention
    if band:
        layer = BandAttention(WIDTH, NUM_HEADS, 0.0, size=band).eval()
    else:
        layer = RelativeAttention(WIDTH, NUM_HEADS, 0.0).eval()
    start_s = 0.0
    for _ in range(2):
        start_s = time.process_time()
        if band:
            layer(x, band_positions(x, band), band_mask(lengths, x, band, band))
        else:
            layer(x, relative_positions(x), padding_mask(lengths, x))
    return time.process_time() - start_s, peak_mb() - before_mb


def peak_mb() -> float:
    """Return the peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
