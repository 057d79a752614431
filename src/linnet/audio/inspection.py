"""Looks at how sound a recording is: missing bytes, silence, clipping, values that are no numbers."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnet.audio import decoder
from linnet.audio.decoder import Block
from linnet.audio.read import open_audio
from linnet.core.arrays import Samples

CLIPPED_FROM = 0.1  # level below which a flat top is no clipping: few bits, or hardly any sound
_FULL_SCALE = 0.999
_NEAR_PEAK = 0.999  # of the peak; 16 bits resolve 0.00003
_MIN_FLAT_SAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundStatistics:
    """What decoding a stretch of a recording showed, its channels mixed to their mean.

    Attributes:
        duration_s: seconds that could be decoded.
        expected_s: seconds that the header promises for the stretch.
        level: half the distance from the lowest to the highest value, so that an offset does not count.
        clipped_share: share of the samples that stand at the limit: at full scale, or three or more in a row
            at the peak.
        bad_sample_s: time of the first NaN or infinity within the stretch, None where there is none.
        digest: of the samples; equal for equal sound, whatever the container or compression without loss.
        damage: what the decoder said where it had to stop, "" where it did not.
    """

    duration_s: float
    expected_s: float
    level: float
    clipped_share: float
    bad_sample_s: float | None
    digest: str
    damage: str


def missing_bytes(path: Path) -> int:
    """Count the bytes that the header of a WAV file promises and the file lacks; 0 where none can be read."""
    try:
        with path.open("rb") as file:
            return decoder.missing_bytes(file)
    except OSError:
        return 0


def inspect_sound(path: str | os.PathLike[str], offset_s: float, duration_s: float) -> SoundStatistics:
    """Decode a stretch block by block and describe it.

    Raises:
        AudioError: when the file is no recording.
        MissingDependencyError: when the format needs the extra `media` and that is not installed.
    """
    levels = _Levels()
    with _decoder_warnings() as warnings, open_audio(path) as opened:
        info = opened.info
        start, rate_hz = round(offset_s * info.sample_rate_hz), info.sample_rate_hz
        wanted = round(min(duration_s, max(0.0, info.duration_s - offset_s)) * rate_hz)
        for block in opened.blocks(start):
            levels.add(_mean_of_channels(block[: wanted - levels.num_samples]))
            if levels.num_samples >= wanted:
                break
    return SoundStatistics(
        duration_s=levels.num_samples / rate_hz,
        expected_s=wanted / rate_hz,
        level=levels.level,
        clipped_share=levels.clipped_share,
        bad_sample_s=None if levels.bad_sample is None else levels.bad_sample / rate_hz,
        digest=levels.digest,
        damage=warnings[0] if warnings else "",
    )


class _Levels:
    """Statistics that grow block by block, so that no long recording is held in memory."""

    def __init__(self) -> None:
        self.num_samples = 0
        self.bad_sample: int | None = None
        self._lowest, self._highest = np.inf, -np.inf
        self._flat_tops: list[tuple[float, int]] = []  # the peak of each block, and its samples there
        self._hash = hashlib.blake2b(digest_size=16)

    def add(self, samples: Samples) -> None:
        """Take the next samples (N,)."""
        if not len(samples):
            return
        finite = np.isfinite(samples)
        if self.bad_sample is None and not finite.all():
            self.bad_sample = self.num_samples + int(np.argmin(finite))
        self.num_samples += len(samples)
        self._hash.update(samples.tobytes())
        levels = np.abs(samples, where=finite, out=np.zeros_like(samples))
        self._lowest = min(self._lowest, float(samples.min(where=finite, initial=np.inf)))
        self._highest = max(self._highest, float(samples.max(where=finite, initial=-np.inf)))
        self._flat_tops.append((float(levels.max()), _count_at_limit(levels)))

    @property
    def level(self) -> float:
        """Half the distance from the lowest to the highest value."""
        return max(0.0, (self._highest - self._lowest) / 2) if np.isfinite(self._highest) else 0.0

    @property
    def clipped_share(self) -> float:
        """The share of samples at the limit, over the blocks that reach the peak of all."""
        peak = max((peak for peak, _ in self._flat_tops), default=0.0)
        if peak < CLIPPED_FROM:
            return 0.0
        count = sum(count for top, count in self._flat_tops if top >= _NEAR_PEAK * min(peak, _FULL_SCALE))
        return count / self.num_samples

    @property
    def digest(self) -> str:
        """The digest of all samples so far."""
        return self._hash.hexdigest()


def _count_at_limit(levels: Samples) -> int:
    """Count the samples at full scale, or in runs of equal height at the peak of the block."""
    at_full_scale = int(np.count_nonzero(levels >= _FULL_SCALE))
    at_peak = levels >= _NEAR_PEAK * levels.max()
    edges = np.flatnonzero(np.diff(at_peak, prepend=False, append=False))
    lengths = edges[1::2] - edges[::2]
    return max(at_full_scale, int(lengths[lengths >= _MIN_FLAT_SAMPLES].sum()))


def _mean_of_channels(block: Block) -> Samples:
    with np.errstate(over="ignore", invalid="ignore"):  # NaN and infinity are reported, not warned of
        mono: Samples = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
    return mono


@contextmanager
def _decoder_warnings() -> Iterator[list[str]]:
    """Collect what the decoders log about damage, instead of showing it."""
    collector = _Collector()
    logger = logging.getLogger("linnet.audio")
    propagate = logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield collector.messages
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
