"""The chain of transforms: order, probability, seeds, hostile input."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from linnet.core.errors import ConfigError
from linnet.data.augment.waveform import WaveformAugment, WaveformAugmentConfig

Samples = NDArray[np.float32]


def augment_with(*transforms: dict[str, object]) -> WaveformAugment:
    return WaveformAugment(WaveformAugmentConfig.model_validate({"transforms": transforms}))


@pytest.fixture
def everything(write_sounds: Callable[..., Path]) -> WaveformAugment:
    folder = str(write_sounds(np.random.default_rng(0).standard_normal(3_000).astype(np.float32)))
    return augment_with(
        {"name": "speed"},
        {"name": "time_stretch", "probability": 0.5},
        {"name": "shift"},
        {"name": "random_segment", "duration_s": 0.9},
        {"name": "room", "path": folder},
        {"name": "noise", "path": folder, "num_sounds": [1, 3]},
        {"name": "white_noise"},
        {"name": "equalizer"},
        {"name": "band_limit"},
        {"name": "clipping"},
        {"name": "transcode", "probability": 0.5},
        {"name": "gain"},
        {"name": "silence", "probability": 0.5},
    )


def test_the_same_seed_gives_the_same_samples(
    everything: WaveformAugment, speech_like: Callable[..., Samples]
) -> None:
    speech = speech_like()
    first, again, other = (everything(speech, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_pickled_chain_does_the_same(
    everything: WaveformAugment, speech_like: Callable[..., Samples]
) -> None:
    speech = speech_like()
    expected = everything(speech, np.random.default_rng(3))
    copy = pickle.loads(pickle.dumps(everything))
    assert np.array_equal(copy(speech, np.random.default_rng(3)), expected)


def test_the_input_stays_as_it_was(
    everything: WaveformAugment, speech_like: Callable[..., Samples], rng: np.random.Generator
) -> None:
    speech = speech_like()
    before = speech.copy()
    speech.flags.writeable = False
    for _ in range(5):
        everything(speech, rng)
    assert np.array_equal(speech, before)


@pytest.mark.parametrize("num_samples", [1, 2, 10, 321, 16_000])
def test_silence_and_short_input_stay_finite(
    num_samples: int, everything: WaveformAugment, rng: np.random.Generator
) -> None:
    for samples in (np.zeros(num_samples, dtype=np.float32), np.ones(num_samples, dtype=np.float32)):
        for _ in range(5):
            augmented = everything(samples, rng)
            assert augmented.dtype == np.float32
            assert augmented.size > 0
            assert np.isfinite(augmented).all()


def test_no_samples_stay_no_samples(everything: WaveformAugment, rng: np.random.Generator) -> None:
    assert everything(np.zeros(0, dtype=np.float32), rng).size == 0


def test_transforms_come_in_their_order(rng: np.random.Generator) -> None:
    silence = {"name": "silence", "start_s": [0.1, 0.1], "end_s": [0, 0], "level_db": [0, 0]}
    gain = {"name": "gain", "gain_db": [-100, -100]}
    ones = np.ones(100, dtype=np.float32)
    assert np.abs(augment_with(silence, gain)(ones, rng)).max() < 1e-3
    assert np.abs(augment_with(gain, silence)(ones, rng)).max() > 1.0


def test_each_transform_has_its_own_probability(rng: np.random.Generator) -> None:
    twice = [{"name": "gain", "gain_db": [db, db], "probability": 0.3} for db in (20, 40)]
    augment = augment_with(*twice)
    gains = [round(float(augment(np.ones(1, dtype=np.float32), rng)[0])) for _ in range(2_000)]
    shares = {gain: gains.count(gain) / 2_000 for gain in (1, 10, 100, 1_000)}
    assert shares == pytest.approx({1: 0.49, 10: 0.21, 100: 0.21, 1_000: 0.09}, abs=0.04)


def test_nothing_happens_by_default(rng: np.random.Generator) -> None:
    samples = np.ones(10, dtype=np.float32)
    assert WaveformAugment(WaveformAugmentConfig())(samples, rng) is samples


def test_a_bad_noise_folder_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"noise folder or manifest .*missing does not exist"):
        augment_with({"name": "noise", "path": str(tmp_path / "missing")})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"name": "echo"}, "echo"),
        ({"name": "gain", "probability": 1.5}, "probability"),
        ({"name": "gain", "snr_db": [1, 2]}, "snr_db"),
        ({"name": "noise"}, "path"),
    ],
)
def test_a_wrong_key_or_value_is_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        WaveformAugmentConfig.model_validate({"transforms": [wrong]})
