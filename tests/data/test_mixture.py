"""What an epoch holds, and the batches drawn from it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.core.errors import ConfigError
from linnet.data.config import SourceConfig
from linnet.data.dataset import Key
from linnet.data.examples import Example
from linnet.data.mixture import bucketing_sampler, epoch_copies, sequential_batches

pytestmark = [  # lhotse's, about a set that is not read lazily and about a single bucket
    pytest.mark.filterwarnings("ignore:You are using DynamicBucketingSampler:UserWarning"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning:numpy"),
]


@pytest.fixture
def make_examples(make_example: Callable[..., Example]) -> Callable[..., list[Example]]:
    """`make_examples(*durations_s, source=0)`."""

    def make(*durations_s: float, source: int = 0) -> list[Example]:
        return [
            make_example(f"{source}-{number}.wav", duration_s, source=source)
            for number, duration_s in enumerate(durations_s)
        ]

    return make


def source(repeat: float, final_repeat: float | None = None) -> SourceConfig:
    return SourceConfig(manifest=Path("a.jsonl"), repeat=repeat, final_repeat=final_repeat)


def draw(examples: list[Example], *sources: SourceConfig, **place: Any) -> list[tuple[int, int]]:
    return epoch_copies(examples, sources, **({"progress": 0.0, "seed": 1, "epoch": 0} | place))


def test_whole_repeats_give_that_many_copies(make_examples: Callable[..., list[Example]]) -> None:
    examples = make_examples(1, 1) + make_examples(1, source=1)
    copies = draw(examples, source(1), source(3))
    assert sorted(copies) == [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]


def test_a_fraction_takes_another_part_in_every_epoch(make_examples: Callable[..., list[Example]]) -> None:
    examples = make_examples(*[1.0] * 400)
    epochs = [{index for index, _ in draw(examples, source(0.3), epoch=epoch)} for epoch in range(40)]
    sizes = [len(taken) for taken in epochs]
    assert np.mean(sizes) == pytest.approx(120, abs=8)
    assert len(set.union(*epochs)) == 400


def test_a_mixed_repeat_gives_the_rest_to_a_random_part(make_examples: Callable[..., list[Example]]) -> None:
    counts = Counter(index for index, _ in draw(make_examples(*[1.0] * 500), source(2.3)))
    assert set(counts.values()) == {2, 3}
    assert sum(counts.values()) / 500 == pytest.approx(2.3, abs=0.1)


def test_the_repeat_follows_the_progress_of_training(make_examples: Callable[..., list[Example]]) -> None:
    examples = make_examples(1, 1) + make_examples(1, source=1)
    sizes = [
        Counter(examples[index].source for index, _ in draw(examples, source(1), source(4, 0), progress=at))
        for at in (0.0, 0.5, 1.0)
    ]
    assert [(size[0], size[1]) for size in sizes] == [(2, 4), (2, 2), (2, 0)]


def test_copies_depend_on_seed_and_epoch_alone(make_examples: Callable[..., list[Example]]) -> None:
    examples = make_examples(*[1.0] * 50)
    first = draw(examples, source(1.5))
    assert draw(examples, source(1.5)) == first
    assert draw(examples, source(1.5), seed=2) != first
    assert draw(examples, source(1.5), epoch=1) != first


def test_the_sources_come_mixed(make_examples: Callable[..., list[Example]]) -> None:
    """A sampler with a bounded buffer would otherwise see one source after the other."""
    examples = make_examples(*[1.0] * 300) + make_examples(*[1.0] * 300, source=1)
    early = draw(examples, source(1), source(1))[:200]
    assert sum(examples[index].source for index, _ in early) == pytest.approx(100, abs=30)


def test_an_epoch_without_utterances_is_refused(make_examples: Callable[..., list[Example]]) -> None:
    with pytest.raises(ConfigError, match=r"data\.train: epoch 3 holds no utterance.*repeat"):
        draw(make_examples(1, 1), source(0), epoch=3)


def drawn_batches(
    examples: list[Example], copies: list[tuple[int, int]], batch_s: float, num_buckets: int, seed: int = 0
) -> list[list[str]]:
    sampler = bucketing_sampler(examples, copies, batch_s=batch_s, num_buckets=num_buckets, seed=seed)
    return [[cut.id for cut in cuts] for cuts in sampler]


@pytest.mark.parametrize("num_buckets", [1, 2, 10])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 150])
def test_batches_hold_every_copy_exactly_once(
    make_examples: Callable[..., list[Example]], count: int, num_buckets: int
) -> None:
    durations_s = np.random.default_rng(count).uniform(0.5, 8.0, count)
    examples = make_examples(*durations_s.tolist())
    copies = [(index, copy) for index in range(count) for copy in range(1 + index % 3)]
    batches = drawn_batches(examples, copies, 20.0, num_buckets)
    names = [name for batch in batches for name in batch]
    assert sorted(names) == sorted(f"{index}.{copy}" for index, copy in copies)
    for batch in batches:
        durations = [examples[int(name.split(".")[0])].utterance.duration_s for name in batch]
        # The sampler stops before the next utterance of the length seen so far would not fit.
        assert len(batch) == 1 or sum(durations) - max(durations) <= 20.0
        assert sum(durations) <= 20.0 + max(durations)


def test_most_batches_are_nearly_full(make_examples: Callable[..., list[Example]]) -> None:
    examples = make_examples(*[1.0] * 100)
    batches = drawn_batches(examples, [(index, 0) for index in range(100)], 10.0, 3)
    assert [len(batch) for batch in batches] == [10] * 10


def test_buckets_keep_similar_durations_together(make_examples: Callable[..., list[Example]]) -> None:
    durations_s = np.random.default_rng(0).uniform(0.5, 8.0, 400)
    examples = make_examples(*durations_s.tolist())
    copies = [(index, 0) for index in range(400)]

    def padding(num_buckets: int) -> float:
        batches = drawn_batches(examples, copies, 40.0, num_buckets)
        sizes = [durations_s[[int(name.split(".")[0]) for name in batch]] for batch in batches]
        return 1 - sum(size.sum() for size in sizes) / sum(size.max() * len(size) for size in sizes)

    assert padding(10) < 0.15 < padding(1)


def test_the_order_of_batches_depends_on_the_seed(make_examples: Callable[..., list[Example]]) -> None:
    examples = make_examples(*np.linspace(1, 3, 60).tolist())
    copies = [(index, 0) for index in range(60)]
    first = drawn_batches(examples, copies, 8.0, 3, seed=5)
    assert drawn_batches(examples, copies, 8.0, 3, seed=5) == first
    assert drawn_batches(examples, copies, 8.0, 3, seed=6) != first


def test_dev_batches_go_by_length_and_hold_everything_once(
    make_examples: Callable[..., list[Example]],
) -> None:
    examples = make_examples(3, 1, 2, 2.5, 0.5)
    batches = sequential_batches(examples, batch_s=5.0)
    assert [[key.example for key in batch] for batch in batches] == [[4, 1], [2, 3], [0]]


def test_a_dev_utterance_longer_than_a_batch_stands_alone(
    make_examples: Callable[..., list[Example]],
) -> None:
    assert sequential_batches(make_examples(1, 30), batch_s=5.0) == [[Key(0, 0, 0)], [Key(0, 1, 0)]]
    assert sequential_batches([], batch_s=5.0) == []
