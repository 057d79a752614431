"""The file of a run: what it lacks, misspells or contradicts is named."""

from collections.abc import Callable

import pytest

from linnet.core.errors import ConfigError
from linnet.training.config import TrainConfig


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.max_step=3", r"trainer\.max_step: unknown key; did you mean trainer\.max_steps\?"),
        (
            "trainer.precision=fp16",
            r"trainer\.precision: 'fp16' is not one of '32', 'bf16-mixed', '16-mixed'",
        ),
        ("trainer.max_steps=0", r"trainer\.max_steps: 0 should be greater than or equal to 1"),
        ("max_steps=5", r"max_steps: unknown key; did you mean trainer\.max_steps\?"),
        ("optimizer.name=adam", r"optimizer\.name: 'adam' is not one of .*; did you mean adamw\?"),
        ("model.encoder.blocks.1.kernel=12", r"model\.encoder\.blocks\.1: kernel must be odd, not 12"),
        (
            "model.encoder={quartznet: 5x2}",
            r"model: encoder\.quartznet: '5x2' is not one of 5x1, 5x3-paper-rows",
        ),
        (
            "data.train.0.target=auxiliary",
            r"data\.train: .*train\.jsonl has target \"auxiliary\" but there is no",
        ),
        (
            "data.dev.0.target=auxiliary",
            r"data\.dev: .*dev\.jsonl has target \"auxiliary\", but dev sets score",
        ),
        ("init.freeze=encoder", r"init\.path: is missing; give str"),
        ("init={path: a.ckpt, frezee: head}", r"init\.frezee: unknown key; did you mean init\.freeze\?"),
        ("optimizer.layer_decay=1.5", r"optimizer\.layer_decay: 1\.5 should be less than or equal to 1"),
        ("optimizer.groups={head: 0}", r"optimizer\.groups\.head: 0 should be greater than 0"),
        ("auxiliary.weight=1.0", r"auxiliary\.weight: 1\.0 should be less than 1"),
    ],
)
def test_a_wrong_key_or_value_is_explained(
    make_config: Callable[..., TrainConfig], override: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(override)


def test_an_auxiliary_source_needs_an_auxiliary_head(make_config: Callable[..., TrainConfig]) -> None:
    config = make_config("data.train.0.target=auxiliary", "auxiliary={}")
    assert config.auxiliary is not None
    assert config.auxiliary.tokenizer.skip_unknown


def test_the_whole_configuration_survives_as_plain_values(make_config: Callable[..., TrainConfig]) -> None:
    config = make_config(
        "auxiliary={}",
        "data.train.0.ambiguous_words=[to, too]",
        "data.augment.transforms=[{name: speed}, {name: gain, probability: 0.2}]",
    )
    assert TrainConfig.model_validate(config.model_dump(mode="json")) == config
