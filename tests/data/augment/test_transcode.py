"""Codecs add the noise they are known for, and keep level, length and place in time."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.data.augment.transcode import CODECS, TranscodeConfig
from linnet.data.augment.transform import rms

Samples = NDArray[np.float32]
TELEPHONES = [name for name, codec in CODECS.items() if codec.is_telephone]


def snr_db(clean: Samples, coded: Samples) -> float:
    middle = slice(2_000, -2_000)  # away from the ends, where filters ring
    return float(20 * np.log10(rms(clean[middle]) / rms(coded[middle] - clean[middle])))


@pytest.mark.parametrize("codec", ["g711_ulaw", "g711_alaw"])
@pytest.mark.parametrize("level_db", [-30.0, -20.0, -10.0])
def test_the_quantization_noise_of_g711(
    codec: str, level_db: float, tone: Callable[..., Samples], rng: np.random.Generator
) -> None:
    # 6.02 · 8 + 4.77 − 20 log10(ln 256 or 1 + ln 87.6) = 38 dB for both laws (Jayant and Noll, Digital Coding
    # of Waveforms, section 5.3); a sine lies 3 dB around it, by where in a segment its peak falls.
    sine = tone(frequency_hz=1_020.0, duration_s=2.0, level=np.sqrt(2) * 10 ** (level_db / 20))
    coded = TranscodeConfig(codecs=(codec,)).build()(sine, rng)
    assert snr_db(sine, coded) == pytest.approx(38.1, abs=3.0)


@pytest.mark.parametrize("codec", list(CODECS))
def test_level_length_and_time_stay(
    codec: str, speech_like: Callable[..., Samples], rng: np.random.Generator
) -> None:
    speech = speech_like(duration_s=2.0)
    coded = TranscodeConfig(codecs=(codec,)).build()(speech, rng)
    assert coded.shape == speech.shape
    assert coded.dtype == np.float32
    size = 2 * speech.size
    correlation = np.fft.irfft(np.fft.rfft(coded, size) * np.fft.rfft(speech, size).conj(), size)
    lag = int(correlation.argmax())
    assert min(lag, size - lag) <= 32
    assert 20 * np.log10(rms(coded) / rms(speech)) == pytest.approx(0.0, abs=3.0)
    assert rms(coded - speech) > 1e-4 * rms(speech)


@pytest.mark.parametrize("codec", TELEPHONES)
def test_telephones_keep_their_band(codec: str, rng: np.random.Generator) -> None:
    noise = rng.standard_normal(32_000).astype(np.float32) * np.float32(0.1)
    power = np.abs(np.fft.rfft(TranscodeConfig(codecs=(codec,)).build()(noise, rng))) ** 2
    assert power[9_000:].sum() < 1e-3 * power[1_000:6_000].sum()  # above 4.5 kHz


def test_more_compression_leaves_less(speech_like: Callable[..., Samples], rng: np.random.Generator) -> None:
    speech = speech_like(duration_s=2.0)
    ratios_db = [
        snr_db(speech, TranscodeConfig(codecs=("vorbis",), compression=(c, c)).build()(speech, rng))
        for c in (0.0, 0.9)
    ]
    assert ratios_db[0] > ratios_db[1] + 3.0


def test_loud_samples_are_not_clipped(tone: Callable[..., Samples], rng: np.random.Generator) -> None:
    loud = tone(frequency_hz=1_000.0, level=4.0)
    assert snr_db(loud, TranscodeConfig(codecs=("g711_ulaw",)).build()(loud, rng)) > 30.0


def test_every_codec_is_drawn(tone: Callable[..., Samples]) -> None:
    transcode = TranscodeConfig(codecs=("g711_alaw", "gsm", "mp3")).build()
    samples = tone(duration_s=0.2)
    results = {transcode(samples, np.random.default_rng(seed)).tobytes()[:400] for seed in range(20)}
    assert len(results) >= 3


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(ValidationError, match="g711_alaw"):
        TranscodeConfig.model_validate({"codecs": ["amr"]})


def test_a_compression_out_of_range_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"between 0 \(best\) and 0\.95"):
        TranscodeConfig(compression=(0.0, 1.0))
