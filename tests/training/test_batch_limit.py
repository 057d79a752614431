"""How a batch grows until memory or time ends it, and what one trial is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("lightning", reason="training needs the extra train")

from linnet.core.errors import TrainingError
from linnet.data.examples import Example
from linnet.manifest.utterance import Utterance
from linnet.training import batch_limit
from linnet.training.batch_limit import (
    MAX_UTTERANCES,
    MEMORY_SHARE,
    BatchLimit,
    Outcome,
    TrainingStep,
    Trial,
    find_batch_limit,
    try_batches,
)
from linnet.training.config import TrainConfig

ConfigMaker = Callable[..., TrainConfig]
CAPACITY = 10_000


def trial(number: int, bytes_each: int = 1, step_s: float = 0.0, base: int = 100) -> Trial:
    return Trial(
        num_utterances=number,
        batch_s=10.0 * number,
        step_s=step_s,
        peak_bytes=base + bytes_each * number,
        capacity_bytes=CAPACITY,
    )


def numbers(found: list[Trial | str]) -> list[int]:
    return [each.num_utterances for each in found if isinstance(each, Trial)]


def test_a_batch_doubles_to_the_largest_tried() -> None:
    found = list(try_batches(trial))
    assert numbers(found)[:4] == [1, 2, 4, 8]
    assert numbers(found)[-1] == MAX_UTTERANCES
    assert found[-1] == "size"


def test_memory_that_would_be_exceeded_is_not_tried() -> None:
    found = list(try_batches(lambda number: trial(number, bytes_each=100)))
    assert found[-1] == "memory"
    limit = MEMORY_SHARE * CAPACITY
    assert all(each.peak_bytes <= limit for each in found if isinstance(each, Trial))
    assert numbers(found)[-1] == 89  # 100 + 89 · 100 = 9000


def test_a_step_that_does_not_fit_is_narrowed_down() -> None:
    tried = []

    def step(number: int) -> Trial:
        tried.append(number)
        if number > 11:
            raise MemoryError
        return trial(number)

    found = list(try_batches(step))
    assert tried == [1, 2, 4, 8, 16, 12, 10, 11]
    assert numbers(found) == [1, 2, 4, 8, 10, 11]
    assert found[-1] == "memory"


def test_nothing_fits() -> None:
    def step(number: int) -> Trial:
        raise MemoryError

    assert list(try_batches(step)) == ["memory"]


def test_time_is_foretold_by_the_last_step() -> None:
    found = list(try_batches(lambda number: trial(number, step_s=float(number)), time_limit_s=10))
    assert numbers(found) == [1, 2, 4]  # 7 s are spent, and a step on 8 would take 8 s and a fifth
    assert found[-1] == "time"


def test_the_estimate_follows_the_growth_to_the_share_of_memory() -> None:
    trials = (trial(1, bytes_each=100), trial(4, bytes_each=100))
    limit = BatchLimit(device="cpu", longest_s=10.0, trials=trials, stopped_by="time")
    assert limit.batch_s == 40.0
    assert limit.estimated_batch_s == pytest.approx(890.0)
    by_memory = BatchLimit(device="cpu", longest_s=10.0, trials=trials, stopped_by="memory")
    assert by_memory.estimated_batch_s == 40.0


def test_what_is_allowed_is_what_the_trials_show() -> None:
    def limit(count: int, stopped_by: Outcome) -> BatchLimit:
        trials = tuple(trial(2**power, bytes_each=100) for power in range(count))
        return BatchLimit(device="cpu", longest_s=10.0, trials=trials, stopped_by=stopped_by)

    assert limit(3, "memory").allows(40.0)
    assert not limit(3, "memory").allows(41.0)
    assert not limit(0, "memory").allows(1.0)  # the longest utterance alone does not fit
    assert limit(3, "time").allows(800.0)
    assert not limit(3, "time").allows(900.0)
    assert limit(1, "time").allows(900.0)  # nothing is known
    assert limit(3, "size").allows(900.0)


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Two examples of half a second and one of a second."""
    made = []
    for index, seconds in enumerate((0.5, 1.0, 0.5)):
        path = tmp_path / f"{index}.wav"
        noise = np.random.default_rng(index).standard_normal(int(16000 * seconds)) * 0.1
        soundfile.write(path, noise, 16000)
        utterance = Utterance(audio=str(path), duration_s=seconds, text="one")
        made.append(Example(utterance=utterance, text="one", tokens=(0, 1), auxiliary_tokens=None, source=0))
    return made


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_a_step_measures_a_batch_of_real_audio(make_config: ConfigMaker, examples: list[Example]) -> None:
    step = TrainingStep(make_config("trainer.num_threads=1"), examples)
    measured = step(4)
    assert measured.batch_s == 2.5  # the first again after the last
    assert 0 < measured.peak_bytes < measured.capacity_bytes


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_an_allocation_that_fails_is_a_memory_error(
    make_config: ConfigMaker, examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = TrainingStep(make_config("trainer.num_threads=1"), examples)

    def fail(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(step, "_step", fail)
    with pytest.raises(MemoryError):
        step(1)


def test_recordings_that_cannot_be_decoded_end_the_trials(
    make_config: ConfigMaker, examples: list[Example]
) -> None:
    for example in examples:
        Path(example.utterance.audio).write_bytes(b"")
    with pytest.raises(TrainingError, match="can be decoded"):
        TrainingStep(make_config(), examples)


class FakeReceiver:
    """A connection that gives messages and then ends, as one whose child was ended does."""

    def __init__(self, *messages: object) -> None:
        self.messages = list(messages)

    def poll(self, timeout_s: float) -> bool:
        return True

    def recv(self) -> object:
        if not self.messages:
            raise EOFError
        return self.messages.pop(0)


def test_a_child_that_was_ended_ran_out_of_memory() -> None:
    trials: list[Trial] = []
    assert batch_limit._follow(FakeReceiver(trial(1), trial(2)), trials, lambda _: None) == "memory"
    assert len(trials) == 2


def test_a_child_tells_why_it_failed() -> None:
    with pytest.raises(TrainingError, match="broken"):
        batch_limit._follow(FakeReceiver(TrainingError("broken")), [], lambda _: None)


def test_a_child_process_does_the_trials(
    make_config: ConfigMaker, examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Trial] = []

    def enough(trial: Trial) -> None:
        seen.append(trial)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # as Ctrl-C does; the child ends too
        find_batch_limit(make_config("trainer.num_threads=1"), examples, enough)
    assert [each.num_utterances for each in seen] == [1, 2, 4]
    assert [each.batch_s for each in seen] == [1.0, 1.5, 3.0]
