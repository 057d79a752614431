"""Sounds in which nobody speaks, half a minute each: whatever is written of them is babble."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from conditions import in_16_bits

from linnet.audio.read import read_audio
from linnet.core.arrays import Array, Samples
from linnet.data.augment.transform import amplitude

RATE_HZ = 16_000
DURATION_S = 30.0
_NUM_SAMPLES = round(DURATION_S * RATE_HZ)
_TIMES_S = np.arange(_NUM_SAMPLES) / RATE_HZ

# Chords of a slow song, as semitones from the A of 220 Hz.
CHORDS = ((-9, -5, -2, 3), (-4, 0, 3, 8), (-7, -4, 0, 5), (-2, 2, 5, 10))
CHORD_S, STROKE_S = 2.0, 0.5


def sounds(noise: Path | None, seed: int) -> dict[str, Samples]:
    """Give (N,) samples at 16 kHz by name; with a folder of noise its recordings too, at -20 dB."""
    made: dict[str, Callable[[np.random.Generator], Array]] = {
        "digital silence": lambda rng: np.zeros(_NUM_SAMPLES),
        "quiet room (-60 dB)": lambda rng: _at_level(rng.standard_normal(_NUM_SAMPLES), -60.0),
        "white noise (-20 dB)": lambda rng: _at_level(rng.standard_normal(_NUM_SAMPLES), -20.0),
        "pink noise (-20 dB)": lambda rng: _at_level(_pink(rng), -20.0),
        "hum of 50 Hz (-30 dB)": lambda rng: _at_level(_hum(), -30.0),
        "chords (-20 dB)": lambda rng: _at_level(_music(), -20.0),
        "chords and drum (-20 dB)": lambda rng: _at_level(_music() + 0.5 * _drum(rng), -20.0),
    }
    found = {name: in_16_bits(make(np.random.default_rng(seed))) for name, make in made.items()}
    for path in sorted(noise.iterdir()) if noise else ():
        recording = np.resize(read_audio(path, sample_rate_hz=RATE_HZ), _NUM_SAMPLES)
        found[f"{path.stem}, recorded (-20 dB)"] = in_16_bits(_at_level(recording, -20.0))
    return found


def _at_level(samples: Array, level_db: float) -> Array:
    return samples * (amplitude(level_db) / np.sqrt(np.mean(np.square(samples))))


def _pink(rng: np.random.Generator) -> Array:
    spectrum = np.fft.rfft(rng.standard_normal(_NUM_SAMPLES))
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), _NUM_SAMPLES)


def _hum() -> Array:
    return sum(np.sin(2 * np.pi * 50 * k * _TIMES_S) / k for k in range(1, 8))


def _music() -> Array:
    """Plucked strings: harmonics that die away, the higher the sooner, a chord struck every half second."""
    since_s = _TIMES_S % STROKE_S
    sound = np.zeros(_NUM_SAMPLES)
    for number, chord in enumerate(CHORDS):
        sounding = (_TIMES_S // CHORD_S % len(CHORDS)) == number
        for semitone in chord:
            pitch_hz = 220.0 * 2 ** (semitone / 12)
            for k in range(1, 9):
                wave = np.sin(2 * np.pi * k * pitch_hz * _TIMES_S) * np.exp(-since_s * (2 + k)) / k
                sound += np.where(sounding, wave, 0.0)
    return sound


def _drum(rng: np.random.Generator) -> Array:
    since_s = _TIMES_S % (2 * STROKE_S)
    kick = np.sin(2 * np.pi * 60 * since_s) * np.exp(-since_s * 20)
    snare = rng.standard_normal(_NUM_SAMPLES) * np.exp(-((_TIMES_S + STROKE_S) % (2 * STROKE_S)) * 30)
    return 4 * kick + 2 * snare
