"""The picture of spectrograms: readable as PNG, on one scale, of a bounded size."""

from pathlib import Path

import numpy as np
import pytest

from linnet.data.augment.picture import BOTTOM, LEFT, MAX_PLOT_WIDTH, RIGHT, TOP, Panel, write_picture

image_module = pytest.importorskip("PIL.Image", reason="Pillow comes with the extra train")
CENTERS_HZ = np.linspace(100.0, 7_900.0, 40)


def drawn(path: Path, *panels: Panel) -> np.ndarray:
    write_picture(path, panels, CENTERS_HZ, frames_per_s=100.0)
    with image_module.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def test_louder_is_brighter_and_high_bands_are_on_top(tmp_path: Path) -> None:
    features = np.repeat(np.linspace(-10.0, 0.0, 40)[:, None], 100, axis=1).astype(np.float32)
    pixels = drawn(tmp_path / "a.png", Panel("ramp", features))
    column = pixels[TOP : TOP + 80, LEFT + 100].sum(axis=1)
    assert (np.diff(column) <= 0).all()
    assert column[0] - column[-1] > 300


def test_all_panels_share_the_scale_of_the_first(tmp_path: Path) -> None:
    features = np.zeros((40, 500), np.float32)
    pixels = drawn(tmp_path / "a.png", Panel("before", features), Panel("softer", features - 5.0))
    middles = [pixels[row, LEFT + 50].sum() for row in (TOP + 40, TOP + 80 + BOTTOM + TOP + 40)]
    assert middles[0] > middles[1] + 100


def test_the_size_follows_the_recordings_and_is_bounded(tmp_path: Path) -> None:
    short, long = (np.zeros((40, frames), np.float32) for frames in (100, 6_000))
    assert drawn(tmp_path / "a.png", Panel("one", short)).shape[1] == LEFT + 200 + RIGHT
    assert drawn(tmp_path / "b.png", Panel("one", short), Panel("two", short)).shape[1] == 2 * (
        LEFT + 200 + RIGHT
    )
    height, width, _ = drawn(tmp_path / "c.png", Panel("one", short), Panel("two", long)).shape
    assert width == LEFT + MAX_PLOT_WIDTH + RIGHT
    assert height == 2 * (TOP + 80 + BOTTOM)


def test_no_frames_make_an_empty_panel(tmp_path: Path) -> None:
    assert drawn(tmp_path / "a.png", Panel("nothing", np.zeros((40, 0), np.float32))).shape[1] == LEFT + RIGHT
