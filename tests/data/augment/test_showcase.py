"""Examples of an augmentation: the same seed, the same examples; each transform alone; masks on features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from linnet.core.config import load_config
from linnet.core.errors import ConfigError
from linnet.data.augment.showcase import (
    FRONTEND,
    Example,
    Showcase,
    ShowcaseConfig,
    each_alone,
    every_transform,
    random_examples,
)
from linnet.features.frontend import compute_features

Samples = NDArray[np.float32]
LIST = {
    "data": {
        "augment": {
            "transforms": [
                {"name": "gain", "probability": 0.5, "gain_db": [6, 6]},
                {"name": "silence", "probability": 0.5},
            ]
        }
    }
}


def examples(samples: Samples, config: ShowcaseConfig, count: int, seed: int) -> list[Example]:
    return [make() for make in random_examples(samples, config, count=count, seed=seed).values()]


def test_the_same_seed_makes_the_same_examples_whatever_the_count(
    speech_like: Callable[..., Samples],
) -> None:
    speech, config = speech_like(duration_s=0.5), ShowcaseConfig.model_validate(LIST)
    few, many = (examples(speech, config, count, seed=3) for count in (2, 8))
    assert [example.name for example in few] == ["example-01", "example-02"]
    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one.samples, other.samples)
        assert np.array_equal(one.features, other.features)
    assert len({example.samples.tobytes() for example in many}) > 2


def test_an_example_tells_what_was_applied(speech_like: Callable[..., Samples]) -> None:
    speech, config = speech_like(duration_s=0.5), ShowcaseConfig.model_validate(LIST)
    for example in examples(speech, config, 20, seed=0):
        assert ("silence" in example.applied) == (example.samples.size > speech.size)
        assert example.title == (
            f"{example.name}: {', '.join(example.applied)}" if example.applied else example.name
        )


def test_each_transform_alone_is_always_applied(speech_like: Callable[..., Samples]) -> None:
    speech = speech_like(duration_s=0.5)
    alone = each_alone(ShowcaseConfig.model_validate(LIST))
    assert list(alone) == ["01-gain", "02-silence"]
    louder = Showcase(alone["01-gain"]).make(speech, "01-gain", np.random.default_rng(0))
    np.testing.assert_allclose(louder.samples, speech * 10 ** (6 / 20), rtol=1e-5)
    assert louder.title == "01-gain"


def test_masks_take_the_mean_and_leave_the_rest(speech_like: Callable[..., Samples]) -> None:
    speech = speech_like(duration_s=1.0)
    config = ShowcaseConfig.model_validate(
        {"feature_augment": {"spec_augment": {"freq_masks": 2, "freq_width": 40}}}
    )
    plain, _ = compute_features(speech, FRONTEND)
    example = Showcase(config).make(speech, "masked", np.random.default_rng(1))
    is_masked = np.abs(example.features - plain.mean()).max(axis=1) < 1e-3
    assert 0 < is_masked.sum() < FRONTEND.num_mels
    np.testing.assert_allclose(example.features[~is_masked], plain[~is_masked], atol=1e-3)
    assert example.samples is None, "the sound is as it was"


def test_every_transform_comes_once_and_noise_where_there_is_some(tmp_path: Path) -> None:
    without, with_noise = (list(each_alone(every_transform(noise))) for noise in (None, tmp_path))
    kinds = [name.partition("-")[2] for name in with_noise]
    assert len(set(kinds)) == len(kinds) == 16
    assert {"speed", "transcode", "noise", "spec_cutout", "spec_augment", "frequency_warp"} <= set(kinds)
    assert len(without) == 15


def test_other_keys_of_a_training_configuration_are_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("model: {name: a}\ndata: {train: [], augment: {transforms: [{name: gain}]}}\n")
    assert [item.name for item in load_config(ShowcaseConfig, path).data.augment.transforms] == ["gain"]
    path.write_text("model: {name: a}\n")
    assert load_config(ShowcaseConfig, path).is_empty


def test_a_wrong_key_of_a_transform_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("data: {augment: {transforms: [{name: gain, gain: 3}]}}\n")
    with pytest.raises(ConfigError, match=r"data\.augment\.transforms\.0"):
        load_config(ShowcaseConfig, path)
