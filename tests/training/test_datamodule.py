"""The batches that Lightning is given: the mixture of the epoch, and every dev utterance once."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from linnet.core.errors import ConfigError
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.shards import MANIFEST_NAME, write_shards
from linnet.training.config import TrainConfig
from linnet.training.datamodule import SpeechData, text_encoder

pytestmark = pytest.mark.filterwarnings("ignore:You are using DynamicBucketingSampler:UserWarning")
NOISE = "data.augment.transforms=[{name: white_noise, probability: 1.0}]"


@pytest.fixture
def make_data(make_config: Callable[..., TrainConfig]) -> Callable[..., SpeechData]:
    """`make_data("key=value", …, batch=0, epoch=0)` → set up for a run of 10, before that batch."""

    def make(*overrides: str, batch: int = 0, **place: float) -> SpeechData:
        data = SpeechData(make_config("trainer.max_steps=10", *overrides))
        strategy = SimpleNamespace(root_device=torch.device("cpu"))
        trainer: Any = SimpleNamespace(strategy=strategy, fit_loop=SimpleNamespace(total_batch_idx=batch - 1))
        data.trainer = trainer
        data.load_state_dict({"batch": batch, **place})
        data.setup("fit")
        return data

    return make


def read_all(data: SpeechData) -> dict[str, list[torch.Tensor]]:
    """The waveforms of the first two batches, which are an epoch, by the name of their recording."""
    found: dict[str, list[torch.Tensor]] = {}
    for batch in islice(data.train_dataloader(), 2):
        for name, row, length in zip(batch.names, batch.samples, batch.lengths, strict=True):
            found.setdefault(name, []).append(row[:length])
    return found


def test_epochs_are_augmented_anew_and_can_be_drawn_again(make_data: Callable[..., SpeechData]) -> None:
    first, again, later = (read_all(make_data(NOISE, epoch=epoch)) for epoch in (0, 0, 1))
    name = next(iter(first))
    assert len(first) == 24
    assert torch.equal(first[name][0], again[name][0])
    assert not torch.equal(first[name][0], later[name][0])


def test_a_checkpoint_tells_the_place_of_the_next_batch(make_data: Callable[..., SpeechData]) -> None:
    data = make_data("data.train.0.final_repeat=3", "trainer.accumulate_batches=2")
    assert data.state_dict() == {}, "no batch was asked for yet"
    batches = iter(data.train_dataloader())
    ahead = [next(batches) for _ in range(5)]
    data.trainer.fit_loop.total_batch_idx = 2
    state = data.state_dict()
    assert state == {"batch": 3, "epoch": 1, "first_batch": 2, "progress": 0.1, "num_batches": 2}
    resumed = make_data("data.train.0.final_repeat=3", "trainer.accumulate_batches=2", **state)
    for ours, expected in zip(resumed.train_dataloader(), ahead[3:], strict=False):
        assert torch.equal(ours.samples, expected.samples)


def test_the_cache_changes_the_samples_by_less_than_their_rounding(
    make_data: Callable[..., SpeechData], tmp_path: Path
) -> None:
    cached, read = read_all(make_data(f"data.cache={tmp_path}")), read_all(make_data())
    assert cached.keys() == read.keys()
    for name, (samples,) in cached.items():
        np.testing.assert_allclose(samples, read[name][0], atol=0.5 / 32768)


def test_a_tarred_manifest_gives_what_the_files_give(
    make_data: Callable[..., SpeechData], tone_corpus: Path, tmp_path: Path
) -> None:
    utterances = read_manifest(tone_corpus / "train.jsonl")
    write_shards(utterances, tmp_path / "shards", shard_mb=0.1)
    source = f"data.train.0.manifest={tmp_path / 'shards' / MANIFEST_NAME}"
    tarred = read_all(make_data(source, f"data.cache={tmp_path / 'cache'}"))
    files = read_all(make_data())
    assert len(tarred) == 24
    for name, (samples,) in files.items():
        found = next(key for key in tarred if key.endswith(f"_{Path(name).name.replace('-', '_')}"))
        np.testing.assert_allclose(tarred[found][0], samples, atol=0.5 / 32768)


def test_archives_without_a_cache_or_in_a_dev_set_are_refused(
    make_data: Callable[..., SpeechData], tone_corpus: Path, tmp_path: Path
) -> None:
    write_shards(read_manifest(tone_corpus / "dev.jsonl"), tmp_path / "shards")
    manifest = tmp_path / "shards" / MANIFEST_NAME
    with pytest.raises(ConfigError, match=r"audio_0\.tar: .*data\.cache=DIR"):
        make_data(f"data.train.0.manifest={manifest}")
    with pytest.raises(ConfigError, match="linnet prepare nemo"):
        make_data(f"data.dev.0.manifest={manifest}", f"data.cache={tmp_path / 'cache'}")
    assert not (tmp_path / "cache").exists()


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
