"""The batches that Lightning is given: the mixture of the epoch, and every dev utterance once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from linnet.training.config import TrainConfig
from linnet.training.datamodule import SpeechData, text_encoder

pytestmark = pytest.mark.filterwarnings("ignore:You are using DynamicBucketingSampler:UserWarning")
NOISE = "data.augment.transforms=[{name: white_noise, probability: 1.0}]"


@pytest.fixture
def make_data(make_config: Callable[..., TrainConfig]) -> Callable[..., SpeechData]:
    """`make_data("key=value", …, epoch=0, step=0)` → set up, as at this place of a run of 10 steps."""

    def make(*overrides: str, epoch: int = 0, step: int = 0) -> SpeechData:
        data = SpeechData(make_config("trainer.max_steps=10", *overrides))
        strategy = SimpleNamespace(root_device=torch.device("cpu"))
        trainer: Any = SimpleNamespace(global_step=step, current_epoch=epoch, strategy=strategy)
        data.trainer = trainer
        data.setup("fit")
        return data

    return make


def read_all(data: SpeechData) -> dict[str, list[torch.Tensor]]:
    """The waveforms of an epoch by the name of their recording."""
    found: dict[str, list[torch.Tensor]] = {}
    for batch in data.train_dataloader():
        for name, row, length in zip(batch.names, batch.samples, batch.lengths, strict=True):
            found.setdefault(name, []).append(row[:length])
    return found


def test_an_epoch_follows_the_repeats_at_its_progress(make_data: Callable[..., SpeechData]) -> None:
    keys = ("data.train.0.repeat=1", "data.train.0.final_repeat=3")
    for step, copies in ((0, 1), (5, 2), (10, 3)):
        waveforms = read_all(make_data(*keys, step=step))
        assert [len(each) for each in waveforms.values()] == [copies] * 24


def test_epochs_are_augmented_anew_and_can_be_drawn_again(make_data: Callable[..., SpeechData]) -> None:
    first, again, later = (read_all(make_data(NOISE, epoch=epoch)) for epoch in (0, 0, 1))
    name = next(iter(first))
    assert torch.equal(first[name][0], again[name][0])
    assert not torch.equal(first[name][0], later[name][0])


def test_the_cache_changes_the_samples_by_less_than_their_rounding(
    make_data: Callable[..., SpeechData],
) -> None:
    cached, read = read_all(make_data("data.cache_audio=true")), read_all(make_data())
    assert cached.keys() == read.keys()
    for name, (samples,) in cached.items():
        np.testing.assert_allclose(samples, read[name][0], atol=0.5 / 32768)


def test_dev_holds_everything_once_without_augmentation(make_data: Callable[..., SpeechData]) -> None:
    data = make_data(NOISE, "data.batch_s=1.5")
    plain = list(make_data("data.batch_s=1.5").val_dataloader())
    batches = list(data.val_dataloader())
    assert sum(len(batch.names) for batch in batches) == 8
    assert len(batches) > 2
    for ours, expected in zip(batches, plain, strict=True):
        assert torch.equal(ours.samples, expected.samples)


def test_dev_scores_only_what_the_head_could_have_written(make_data: Callable[..., SpeechData]) -> None:
    """Beside an ambiguous word nobody knows which words the head should write."""
    data = make_data("data.dev.0.target=known_words", "data.dev.0.ambiguous_words=[two]")
    assert {example.text for example in data.dev_examples} == {"one"}


def test_the_tokenizers_of_a_run(make_config: Callable[..., TrainConfig]) -> None:
    encoder = text_encoder(make_config("auxiliary={}"))
    assert encoder.strict.vocabulary == encoder.skipping.vocabulary
    assert encoder.skipping.encode("say one") == encoder.strict.encode("one")
    assert encoder.auxiliary is not None
    assert encoder.auxiliary.vocabulary.size == 29
    assert text_encoder(make_config()).auxiliary is None
