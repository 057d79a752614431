"""Sends an utterance through a codec of telephones, music files or calls, and back."""

import io
from typing import Annotated, Literal, NamedTuple

import numpy as np
import soundfile
from pydantic import AfterValidator, Field

from linnet.audio.resample import resample
from linnet.core.arrays import Samples
from linnet.data.augment.band_limit import TELEPHONE_BAND_HZ
from linnet.data.augment.ranges import Range
from linnet.data.augment.spectrum import filter_band
from linnet.data.augment.transform import SAMPLE_RATE_HZ, TransformConfig

MIN_SAMPLES = SAMPLE_RATE_HZ // 20  # 50 ms; shorter ones are a frame or two
HEADROOM = 0.9  # of full scale: codecs clip above 1, and lossy ones overshoot

CodecName = Literal["g711_alaw", "g711_ulaw", "gsm", "mp3", "vorbis", "opus"]


class Codec(NamedTuple):
    """How libsndfile writes it.

    Attributes:
        container: the file format.
        subtype: the encoding in it.
        is_telephone: whether it runs at 8 kHz in the band of a telephone.
    """

    container: str
    subtype: str
    is_telephone: bool


CODECS: dict[CodecName, Codec] = {
    "g711_alaw": Codec("WAV", "ALAW", True),
    "g711_ulaw": Codec("WAV", "ULAW", True),
    "gsm": Codec("WAV", "GSM610", True),
    "mp3": Codec("MP3", "MPEG_LAYER_III", False),
    "vorbis": Codec("OGG", "VORBIS", False),
    "opus": Codec("OGG", "OPUS", False),
}


def _check_compression(limits: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 <= limits[0] <= limits[1] <= 0.95:
        raise ValueError(f"a compression lies between 0 (best) and 0.95 (smallest), not in {list(limits)}")
    return limits


class TranscodeConfig(TransformConfig):
    """A lossy codec, encoded and decoded in memory by libsndfile.

    Attributes:
        codecs: one of these is drawn: G.711 and GSM full rate at 8 kHz after the filter of a telephone, the
            others at 16 kHz.
        compression: range of how small mp3, vorbis and opus are made, from 0 (best) to 0.95.
    """

    name: Literal["transcode"] = "transcode"
    codecs: tuple[CodecName, ...] = Field(default=tuple(CODECS), min_length=1)
    compression: Annotated[Range, AfterValidator(_check_compression)] = (0.3, 0.95)

    def build(self) -> "Transcode":
        """Return the transform."""
        return Transcode(self)


class Transcode:
    """Encodes and decodes by a random codec; level, length and place in time stay."""

    def __init__(self, config: TranscodeConfig) -> None:
        self.config = config

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        """Return (N,) samples; what is shorter than 50 ms stays as it is."""
        codec = CODECS[self.config.codecs[rng.integers(len(self.config.codecs))]]
        compression = rng.uniform(*self.config.compression)
        if samples.size < MIN_SAMPLES:
            return samples
        scale = np.float32(max(1.0, float(np.abs(samples).max()) / HEADROOM))
        return _through(codec, samples / scale, compression) * scale


def _through(codec: Codec, samples: Samples, compression: float) -> Samples:
    if codec.is_telephone:
        low = resample(filter_band(samples, *TELEPHONE_BAND_HZ, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ, 8_000)
        decoded = resample(_encode_decode(codec, low, 8_000, None), 8_000, SAMPLE_RATE_HZ)
    else:
        decoded = _encode_decode(codec, samples, SAMPLE_RATE_HZ, compression)
    missing = max(samples.size - decoded.size, 0)
    return np.pad(decoded, (0, missing))[: samples.size]


def _encode_decode(codec: Codec, samples: Samples, rate_hz: int, compression: float | None) -> Samples:
    file = io.BytesIO()
    soundfile.write(
        file, samples, rate_hz, codec.subtype, format=codec.container, compression_level=compression
    )
    file.seek(0)
    decoded: Samples = soundfile.read(file, dtype="float32")[0]
    return decoded
