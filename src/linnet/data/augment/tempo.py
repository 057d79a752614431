"""Speaks an utterance faster or slower at the same pitch."""

from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator

from linnet.core.arrays import Array, Samples
from linnet.core.optional import require
from linnet.data.augment.ranges import Range
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig

MIN_SAMPLES = SAMPLE_RATE_HZ // 10  # shorter ones have no tempo


def _check_rates(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.5 <= limits[0] <= limits[1] <= 2.0:
        raise ValueError(f"a tempo lies between 0.5 and 2, not in {list(limits)}")
    return limits


class TimeStretchConfig(TransformConfig):
    """Tempo without pitch.

    Attributes:
        rate: range of the tempo; above 1 is faster, so shorter.
    """

    name: Literal["time_stretch"] = "time_stretch"
    rate: Annotated[Range, AfterValidator(_check_rates)] = (0.9, 1.1)

    def build(self) -> "TimeStretch":
        """Return the transform.

        Raises:
            MissingDependencyError: when PyAV, which brings FFmpeg, is not installed.
        """
        return TimeStretch(self)


class TimeStretch:
    """Overlaps stretches of the waveform where they fit best, by FFmpeg's `atempo`."""

    def __init__(self, config: TimeStretchConfig) -> None:
        require("av", extra="media", purpose="the transform time_stretch")
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return about N / rate samples; what is shorter than 0.1 s stays as it is."""
        rate = rng.uniform(*self.config.rate)
        return change_tempo(samples, rate) if samples.size >= MIN_SAMPLES else samples


def change_tempo(samples: Samples, rate: float) -> Samples:
    """Return `samples` (N,), which are at 16 kHz, at `rate` times their tempo."""
    av = require("av", extra="media", purpose="the transform time_stretch")
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=SAMPLE_RATE_HZ, format="flt", layout="mono", time_base=Fraction(1, SAMPLE_RATE_HZ)
    )
    tempo, sink = graph.add("atempo", f"{rate:.6f}"), graph.add("abuffersink")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
    source.push(frame)
    source.push(None)
    blocks: list[Array] = []
    while True:
        try:
            blocks.append(sink.pull().to_ndarray()[0])
        except av.error.EOFError:
            return np.concatenate(blocks)
