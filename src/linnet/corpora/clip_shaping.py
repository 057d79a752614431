"""What generated clips need to sound recorded: trimmed ends, a noise floor, a level; and a check."""

import random

import numpy as np

from linnet.core.arrays import Samples

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = SAMPLE_RATE_HZ // 100
MARGIN_SAMPLES = SAMPLE_RATE_HZ // 50  # kept around trimmed speech, so that weak fricatives survive
SILENCE_DB = -38.0  # below the loudest frame

MIN_WORD_S, MAX_WORD_S = 0.15, 1.2
MAX_CLIPPED = 0.001  # fraction of samples at full scale
FULL_SCALE = 0.999
MIN_PEAK = 0.01


def trim_silence(samples: Samples) -> Samples:
    """Cut the quiet ends off a recording (N,): frames of 10 ms more than 38 dB below the loudest."""
    return samples[speech_span(samples)]


def speech_span(samples: Samples) -> slice:
    """Say which samples of a recording (N,) `trim_silence` keeps."""
    num_frames = len(samples) // FRAME_SAMPLES
    if num_frames == 0:
        return slice(0, len(samples))
    frames = samples[: num_frames * FRAME_SAMPLES].reshape(num_frames, FRAME_SAMPLES)
    energy = np.square(frames, dtype=np.float64).mean(axis=1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (SILENCE_DB / 10))
    if len(loud) == 0:
        return slice(0, len(samples))
    start = max(0, int(loud[0]) * FRAME_SAMPLES - MARGIN_SAMPLES)
    stop = min(len(samples), (int(loud[-1]) + 1) * FRAME_SAMPLES + MARGIN_SAMPLES)
    return slice(start, stop)


def with_silent_ends(samples: Samples, rng: random.Random) -> Samples:
    """Put 50 to 500 ms of silence before and after."""
    lead, tail = (round(rng.uniform(0.05, 0.5) * SAMPLE_RATE_HZ) for _ in range(2))
    return np.pad(samples, (lead, tail))


def with_noise_floor(samples: Samples, rng: random.Random) -> Samples:
    """Lay low-passed noise under the whole, 75 to 40 dB below full scale; then set a peak of 0.15 to 0.9."""
    generator = np.random.default_rng(rng.getrandbits(64))
    white = generator.standard_normal(len(samples) + 1)
    room = (white[1:] + white[:-1]) * 10 ** (rng.uniform(-75, -40) / 20)
    noisy = samples + room.astype(np.float32)
    return (noisy * np.float32(rng.uniform(0.15, 0.9) / np.abs(noisy).max())).astype(np.float32)


def find_fault(speech: Samples, num_words: int) -> str:
    """Why a synthesized clip (N,), trimmed, is unfit for training, or "" when it is fit."""
    if len(speech) == 0 or np.abs(speech).max() < MIN_PEAK:
        return "silent"
    if np.mean(np.abs(speech) >= FULL_SCALE) > MAX_CLIPPED:
        return "clipped"
    word_s = len(speech) / SAMPLE_RATE_HZ / num_words
    if word_s < MIN_WORD_S:
        return "too short for its words"
    return "too long for its words" if word_s > MAX_WORD_S else ""
