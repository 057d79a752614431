"""A PNG of log-mel spectrograms under one another, on one scale of time, frequency and level."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from linnet.core.arrays import Array, Features
from linnet.core.files import replacing
from linnet.core.optional import require

PIXELS_PER_FRAME, PIXELS_PER_BIN = 2, 2
MAX_PLOT_WIDTH = 1500
WIDE_PLOT = 900  # from here on, panels stand in one column, otherwise in two
LEFT, TOP, RIGHT, BOTTOM = 52, 24, 16, 24  # room around a plot for its letters
RANGE_DB = 70.0
TICKS_HZ = (500, 1_000, 2_000, 4_000)
INK, PAPER = (40, 40, 40), (255, 255, 255)
# From soft to loud: a way through dark blue, violet and orange on which each step is brighter than the last.
COLORS = np.array([[0, 0, 10], [60, 15, 110], [150, 40, 120], [230, 90, 60], [252, 180, 60], [252, 255, 190]])


class Panel(NamedTuple):
    """One spectrogram.

    Attributes:
        title: what stands above it.
        features: (F, T) natural logarithms of mel energies; F is the same in all panels.
    """

    title: str
    features: Features


def write_picture(path: Path, panels: Sequence[Panel], centers_hz: Array, frames_per_s: float) -> None:
    """Draw panels and write them, whole or not at all.

    Args:
        path: the PNG file.
        panels: at least one; the first sets the scale of colors, from its highest value 70 dB down.
        centers_hz: (F,) center frequency of each mel band.
        frames_per_s: frames in a second.

    Raises:
        MissingDependencyError: when Pillow is not installed.
    """
    image_module = require("PIL.Image", extra="train", purpose="a picture of spectrograms")
    draw_module = require("PIL.ImageDraw", extra="train", purpose="a picture of spectrograms")
    most_frames = max(panel.features.shape[1] for panel in panels)
    scale = min(PIXELS_PER_FRAME, MAX_PLOT_WIDTH / max(most_frames, 1))
    cell_width = LEFT + math.ceil(most_frames * scale) + RIGHT
    cell_height = TOP + len(centers_hz) * PIXELS_PER_BIN + BOTTOM
    num_columns = 1 if most_frames * scale > WIDE_PLOT or len(panels) == 1 else 2
    num_rows = math.ceil(len(panels) / num_columns)
    image = image_module.new("RGB", (num_columns * cell_width, num_rows * cell_height), PAPER)
    draw = draw_module.Draw(image)
    loudest = float(panels[0].features.max(initial=-math.inf))
    for number, panel in enumerate(panels):
        left = number % num_columns * cell_width + LEFT
        top = number // num_columns * cell_height + TOP
        size = (math.ceil(panel.features.shape[1] * scale), len(centers_hz) * PIXELS_PER_BIN)
        if size[0]:
            pixels = image_module.fromarray(_colors(panel.features, loudest))
            smooth = image_module.Resampling.BOX if scale < 1.0 else image_module.Resampling.NEAREST
            image.paste(pixels.resize(size, smooth), (left, top))
        draw.text((left, top - 18), panel.title, fill=INK)
        _draw_axes(draw, (left, top), size, centers_hz, frames_per_s * scale)
    with replacing(path) as temporary:
        image.quantize(256, dither=image_module.Dither.NONE).save(temporary, format="PNG", optimize=True)


def _colors(features: Features, loudest: float) -> Array:
    """Return (F, T, 3) bytes, the highest band on top."""
    below_db = (loudest - features[::-1]) * (10.0 / math.log(10.0))
    shade = np.clip(1.0 - below_db / RANGE_DB, 0.0, 1.0)
    anchors = np.linspace(0.0, 1.0, len(COLORS))
    return np.stack([np.interp(shade, anchors, channel) for channel in COLORS.T], axis=-1).astype(np.uint8)


def _draw_axes(
    draw: Any, corner: tuple[int, int], size: tuple[int, int], centers_hz: Array, pixels_per_s: float
) -> None:
    """Mark frequencies on the left and seconds below."""
    (left, top), (width, height) = corner, size
    for frequency_hz in TICKS_HZ:
        if frequency_hz < centers_hz[-1]:
            band = float(np.interp(frequency_hz, centers_hz, np.arange(len(centers_hz))))
            y = top + height - (band + 0.5) * PIXELS_PER_BIN
            draw.line((left - 4, y, left, y), fill=INK)
            draw.text((left - 46, y - 6), f"{frequency_hz} Hz", fill=INK)
    step_s = next(step for step in (0.5, 1, 2, 5, 10, 30, 60, 600, math.inf) if step * pixels_per_s >= 60)
    for number in range(int(width / (step_s * pixels_per_s)) + 1):
        x = left + number * step_s * pixels_per_s if number else left
        draw.line((x, top + height, x, top + height + 4), fill=INK)
        draw.text((x - 4, top + height + 5), f"{number * step_s:g} s" if number else "0", fill=INK)
