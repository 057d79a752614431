"""How the durations of a set are spread: counts for a terminal, and a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnet.core.files import replacing
from linnet.core.optional import require

MAX_BINS = 20
_SHOWN_SHARE = 0.995  # the few that are longer share the last bin, lest they press all others into the first
_WIDTHS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations counted in bins of equal width.

    Attributes:
        width_s: of a bin, in seconds; bin i begins at i · width_s.
        counts: utterances in each bin; the last one holds all that are longer too.
        longest_s: the longest duration.
    """

    width_s: float
    counts: tuple[int, ...]
    longest_s: float


def duration_histogram(durations_s: Sequence[float]) -> Histogram:
    """Count durations in at most MAX_BINS bins of a round width."""
    values = np.asarray(durations_s, dtype=np.float64)
    if not len(values):
        return Histogram(1.0, (), 0.0)
    usual_s = float(np.quantile(values, _SHOWN_SHARE))
    width_s = next((width for width in _WIDTHS_S if usual_s < MAX_BINS * width), _WIDTHS_S[-1])
    num_bins = min(MAX_BINS, int(usual_s / width_s) + 1)
    places = np.minimum((values / width_s).astype(int), num_bins - 1)
    counts = np.bincount(places, minlength=num_bins).tolist()
    return Histogram(width_s, tuple(counts), float(values.max()))


def draw_histogram(path: Path, durations_s: Mapping[str, Sequence[float]]) -> None:
    """Write a PNG with a histogram for each manifest, one below the other on the same axis.

    Raises:
        MissingDependencyError: when matplotlib is not installed.
    """
    figures = require("matplotlib.figure", extra="plot", purpose="drawing the histogram")
    figure = figures.Figure(figsize=(8, 2.4 * len(durations_s)), layout="constrained")
    panels = figure.subplots(len(durations_s), sharex=True, squeeze=False)[:, 0]
    longest_s = max((max(values, default=0.0) for values in durations_s.values()), default=0.0)
    for panel, (name, values) in zip(panels, durations_s.items(), strict=True):
        panel.hist(values, bins=60, range=(0.0, longest_s or 1.0))
        panel.set_title(f"{name}: {len(values)} utterances, {sum(values) / 3600:.2f} hours", fontsize=9)
        panel.set_ylabel("utterances")
    panels[-1].set_xlabel("seconds")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
