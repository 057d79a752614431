"""The stream of a run's batches: epochs one after the other, and taken up anywhere."""

import logging
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from linnet.data.config import DataConfig, SourceConfig
from linnet.data.dataset import Key
from linnet.data.examples import Example
from linnet.data.stream import BatchStream, StreamPlace

pytestmark = pytest.mark.filterwarnings("ignore:You are using DynamicBucketingSampler:UserWarning")
RUN_BATCHES = 60
START = StreamPlace()


@pytest.fixture
def make_stream(make_example: Callable[..., Example]) -> Callable[..., BatchStream]:
    """`make_stream(place, seed=0, batch_s=6.0)` → batches of 30 utterances, repeated 0.7 to 2.5 times."""
    examples = [make_example(f"{number}.wav", 1.0 + number / 10) for number in range(30)]

    def make(place: StreamPlace = START, seed: int = 0, batch_s: float = 6.0) -> BatchStream:
        source = SourceConfig(manifest=Path("a.jsonl"), repeat=0.7, final_repeat=2.5)
        data = DataConfig(train=(source,), dev=(source,), batch_s=batch_s, num_buckets=3)
        return BatchStream(examples, data, seed=seed, run_batches=RUN_BATCHES, place=place)

    return make


def read(stream: BatchStream, count: int) -> list[list[Key]]:
    return list(islice(stream, count))


def test_epochs_follow_one_another_and_grow_with_the_progress(
    make_stream: Callable[..., BatchStream],
) -> None:
    batches = read(make_stream(), RUN_BATCHES)
    epochs = [{key.epoch for key in batch} for batch in batches]
    assert all(len(each) == 1 for each in epochs)
    numbers = [number for each in epochs for number in each]
    assert numbers == sorted(numbers)
    keys = [key for batch in batches for key in batch]
    assert len(set(keys)) == len(keys)
    sizes = [sum(key.epoch == epoch for key in keys) for epoch in range(numbers[-1])]
    assert 15 <= sizes[0] <= 27
    assert sizes[-1] > 1.4 * sizes[0]


def test_lengths_are_mixed_to_the_end_of_an_epoch(make_example: Callable[..., Example]) -> None:
    """The sampler alone would end this epoch with ten batches of short utterances."""
    examples = [make_example(f"{number}.wav", 0.5 if number < 400 else 3.0) for number in range(460)]
    source = SourceConfig(manifest=Path("a.jsonl"))
    data = DataConfig(train=(source,), dev=(source,), batch_s=6.0, num_buckets=4)
    stream = BatchStream(examples, data, seed=0, run_batches=RUN_BATCHES, place=START)
    batches = [batch for batch in read(stream, 200) if batch[0].epoch == 0]
    assert any(max(key.example for key in batch) >= 400 for batch in batches[-10:])
    assert sorted(key.example for batch in batches for key in batch) == list(range(460))


def test_the_seed_decides(make_stream: Callable[..., BatchStream]) -> None:
    first = read(make_stream(), 20)
    assert read(make_stream(), 20) == first
    assert read(make_stream(seed=1), 20) != first


def test_a_stream_goes_on_from_the_place_after_any_batch(make_stream: Callable[..., BatchStream]) -> None:
    whole = make_stream()
    batches = read(whole, RUN_BATCHES + 3)
    for done in range(RUN_BATCHES):
        place = whole.place_after(done)
        assert place.batch == done
        assert read(make_stream(place), 3) == batches[done : done + 3]


def test_what_was_read_ahead_does_not_count(make_stream: Callable[..., BatchStream]) -> None:
    ahead, behind = make_stream(), make_stream()
    read(ahead, 40)
    read(behind, 4)
    assert ahead.place_after(3) == behind.place_after(3)


def test_changed_data_is_said_and_the_numbers_go_on(
    make_stream: Callable[..., BatchStream], caplog: pytest.LogCaptureFixture
) -> None:
    place = StreamPlace(batch=25, epoch=2, first_batch=18, progress=0.3, num_batches=8)
    resumed = make_stream(place, batch_s=30.0)
    with caplog.at_level(logging.WARNING, "linnet"):
        batches = read(resumed, 2)
    assert "the training data or data.batch_s changed: epoch 2 has" in caplog.text
    assert batches[0][0].epoch == 3
    after = resumed.place_after(26)
    assert (after.first_batch, after.epoch) == (25, 3)


@pytest.mark.parametrize("batch_s", [6.0, 6.5, 7.0, 7.5, 8.0])
def test_two_processes_share_the_batches(
    make_stream: Callable[..., BatchStream], monkeypatch: pytest.MonkeyPatch, batch_s: float
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    streams = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        streams.append(make_stream(batch_s=batch_s))
        read(streams[-1], RUN_BATCHES)
    first, second = (stream.place_after(RUN_BATCHES) for stream in streams)
    assert first == second
    assert first.epoch > 3
