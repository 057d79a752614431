"""The shape of generated clips."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from linnet.core.arrays import Samples
from linnet.corpora.clip_shaping import find_fault, trim_silence, with_noise_floor, with_silent_ends


def test_quiet_ends_are_cut_and_the_sound_is_kept(tone: Callable[..., Samples]) -> None:
    sound = tone(duration_s=0.5)
    noisy = np.pad(sound, 8000) + np.float32(1e-4)
    trimmed = trim_silence(noisy)
    assert len(sound) <= len(trimmed) <= len(sound) + 2 * 480
    assert np.abs(trimmed).max() == np.abs(noisy).max()


@pytest.mark.parametrize("num_samples", [0, 1, 159, 160, 16_000])
def test_silence_of_any_length_is_left_alone(num_samples: int) -> None:
    assert len(trim_silence(np.zeros(num_samples, np.float32))) == num_samples


def test_the_ends_get_at_most_half_a_second() -> None:
    for seed in range(20):
        padded = with_silent_ends(np.ones(100, np.float32), random.Random(seed))
        assert 100 + 1600 <= len(padded) <= 100 + 16_000
        assert padded.sum() == 100


def test_no_pause_stays_digitally_silent(tone: Callable[..., Samples]) -> None:
    clip = with_noise_floor(np.pad(tone(duration_s=0.2), 4000), random.Random(0))
    assert clip.dtype == np.float32
    assert np.all(np.square(clip.reshape(-1, 160)).sum(axis=1) > 0)
    assert 0.15 <= np.abs(clip).max() <= 0.9


@pytest.mark.parametrize(
    ("duration_s", "level", "num_words", "fault"),
    [
        (1.0, 0.5, 2, ""),
        (0.0, 0.5, 1, "silent"),
        (1.0, 0.001, 2, "silent"),
        (1.0, 2.0, 2, "clipped"),
        (1.0, 0.5, 20, "too short for its words"),
        (3.0, 0.5, 1, "too long for its words"),
    ],
)
def test_faults_are_named(
    tone: Callable[..., Samples], duration_s: float, level: float, num_words: int, fault: str
) -> None:
    clip = np.clip(tone(duration_s=duration_s, level=level), -1, 1)
    assert find_fault(clip, num_words) == fault
