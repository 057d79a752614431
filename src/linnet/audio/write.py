"""Writing samples as WAV, FLAC or Opus, whole or not at all."""

from pathlib import Path

import numpy as np
import soundfile

from linnet.core.arrays import Samples
from linnet.core.errors import AudioError
from linnet.core.files import replacing

_FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".opus": ("OGG", "OPUS"),
    ".ogg": ("OGG", "OPUS"),
}
_OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)


def write_audio(path: Path, samples: Samples, sample_rate_hz: int = 16_000) -> None:
    """Write mono samples in the format that the suffix names, with 16 bits where it is lossless.

    Args:
        path: ends in .wav, .flac, .opus or .ogg (Opus).
        samples: (N,) in [-1, 1]; what lies outside is clipped.
        sample_rate_hz: the rate of the samples.

    Raises:
        AudioError: when the suffix, the rate or the samples cannot be written.
    """
    if path.suffix.lower() not in _FORMATS:
        raise AudioError(
            f"the suffix {path.suffix!r} names no format to write",
            where=str(path),
            remedy=f"Use one of {', '.join(_FORMATS)}",
        )
    container, encoding = _FORMATS[path.suffix.lower()]
    if encoding == "OPUS" and sample_rate_hz not in _OPUS_RATES_HZ:
        raise AudioError(
            f"Opus cannot hold {sample_rate_hz} Hz",
            where=str(path),
            remedy=f"Resample to one of {', '.join(map(str, _OPUS_RATES_HZ))} Hz, or write .flac",
        )
    if samples.ndim != 1 or not np.isfinite(samples).all():
        raise AudioError("the samples are not (N,) finite numbers", where=str(path))
    with replacing(path) as temporary:
        soundfile.write(temporary, samples, sample_rate_hz, encoding, format=container)
