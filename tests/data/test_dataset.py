"""Reading and augmenting batches: the same whatever the order and the workers, and bad audio is left out."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from linnet.audio.write import write_audio
from linnet.core.errors import AudioError
from linnet.data.augment.waveform import WaveformAugment, WaveformAugmentConfig
from linnet.data.batch import Batch
from linnet.data.cache import open_cache
from linnet.data.config import SourceConfig
from linnet.data.dataset import Key, SpeechDataset
from linnet.data.examples import Example

RATE_HZ = 16_000
COPIES = [Key(0, 0, 0), Key(0, 3, 1), Key(0, 1, 0), Key(0, 3, 0)]


@pytest.fixture
def augment() -> WaveformAugment:
    transforms = [{"name": "white_noise", "probability": 1.0}, {"name": "gain", "probability": 0.5}]
    return WaveformAugment(WaveformAugmentConfig.model_validate({"transforms": transforms}))


def waveforms(batch: Batch) -> list[torch.Tensor]:
    return [row[:length] for row, length in zip(batch.samples, batch.lengths, strict=True)]


def test_a_batch_reads_what_its_keys_name(recorded: list[Example]) -> None:
    batch = SpeechDataset(recorded, RATE_HZ)[COPIES]
    assert batch.tokens[:, 0].tolist() == [0, 3, 1, 3]
    assert batch.lengths.tolist() == [1600, 4000, 2400, 4000]
    assert batch.names[2] == recorded[1].utterance.audio


def test_only_the_stretch_of_the_utterance_is_read(
    recorded: list[Example], make_example: Callable[..., Example]
) -> None:
    whole = SpeechDataset(recorded, RATE_HZ)[[Key(0, 5, 0)]].samples[0]
    part = make_example(recorded[5].utterance.audio, 0.05, offset_s=0.1)
    batch = SpeechDataset([part], RATE_HZ)[[Key(0, 0, 0)]]
    assert torch.equal(batch.samples[0], whole[1600:2400])


def test_other_rates_become_the_rate_of_the_model(
    tmp_path: Path, make_example: Callable[..., Example]
) -> None:
    write_audio(tmp_path / "8k.wav", np.zeros(800, np.float32), 8000)
    batch = SpeechDataset([make_example(str(tmp_path / "8k.wav"), 0.1)], RATE_HZ)[[Key(0, 0, 0)]]
    assert batch.lengths.tolist() == [1600]


def test_an_utterance_is_augmented_alike_in_any_batch(
    recorded: list[Example], augment: WaveformAugment
) -> None:
    dataset = SpeechDataset(recorded, RATE_HZ, augment=augment, seed=3)
    together = waveforms(dataset[COPIES])
    for key, samples in zip(COPIES, together, strict=True):
        assert torch.equal(waveforms(dataset[[Key(0, 5, 0), key]])[1], samples)


@pytest.mark.parametrize(("seed", "epoch"), [(4, 0), (3, 1)])
def test_another_seed_epoch_or_copy_is_augmented_differently(
    recorded: list[Example], augment: WaveformAugment, seed: int, epoch: int
) -> None:
    first = waveforms(SpeechDataset(recorded, RATE_HZ, augment=augment, seed=3)[COPIES])
    copies = [key._replace(epoch=epoch) for key in COPIES]
    other = waveforms(SpeechDataset(recorded, RATE_HZ, augment=augment, seed=seed)[copies])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[1], first[3]), "two copies of one utterance"


def test_workers_change_nothing(recorded: list[Example], augment: WaveformAugment) -> None:
    batches = [
        [Key(0, index, copy) for index in pair] for pair in ((0, 1), (2, 5), (4, 3)) for copy in (0, 1)
    ]

    def load(num_workers: int) -> list[Batch]:
        dataset = SpeechDataset(recorded, RATE_HZ, augment=augment, seed=1)
        return list(DataLoader(dataset, sampler=batches, batch_size=None, num_workers=num_workers))

    alone, shared = load(0), load(2)
    for ours, expected in zip(shared, alone, strict=True):
        assert ours.names == expected.names
        assert torch.equal(ours.samples, expected.samples)


@pytest.mark.parametrize("cached", [False, True])
def test_bad_audio_is_left_out_of_its_batch_and_named(
    recorded: list[Example], caplog: pytest.LogCaptureFixture, tmp_path: Path, cached: bool
) -> None:
    Path(recorded[1].utterance.audio).write_bytes(b"no audio")
    Path(recorded[3].utterance.audio).unlink()
    source = SourceConfig(manifest=tmp_path / "a.jsonl")
    cache = open_cache(recorded, [source], tmp_path, RATE_HZ, num_workers=0) if cached else None
    with caplog.at_level(logging.WARNING, "linnet"):
        batch = SpeechDataset(recorded, RATE_HZ, cache=cache)[COPIES]
    assert batch.names == [recorded[0].utterance.audio]
    assert len(caplog.messages) == 3
    assert recorded[3].utterance.audio in caplog.messages[0]
    assert all(message.startswith("left out of its batch: ") for message in caplog.messages)


def test_a_batch_of_nothing_but_bad_audio_stops(recorded: list[Example]) -> None:
    Path(recorded[1].utterance.audio).write_bytes(b"no audio")
    with pytest.raises(AudioError, match="no utterance of a batch could be read"):
        SpeechDataset(recorded, RATE_HZ)[[Key(0, 1, 0)]]


def test_an_utterance_beyond_the_end_of_its_recording_is_left_out(
    recorded: list[Example], make_example: Callable[..., Example], caplog: pytest.LogCaptureFixture
) -> None:
    beyond = make_example(recorded[0].utterance.audio, 1.0, offset_s=5.0)
    batch = SpeechDataset([recorded[0], beyond], RATE_HZ)[[Key(0, 0, 0), Key(0, 1, 0)]]
    assert len(batch.names) == 1
    assert recorded[0].utterance.audio in caplog.text
