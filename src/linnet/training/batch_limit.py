"""Finds the largest batch that fits the memory, by training steps on the longest utterances, in a child.

The child process is the one to run out of memory: on Linux it asks to be ended first, and its parent goes on
with what was measured up to then.
"""

import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Literal

import torch
from lightning.fabric.utilities.apply_func import move_data_to_device
from torch import Tensor

from linnet.core.arrays import Samples
from linnet.core.errors import AudioError, TrainingError
from linnet.data.batch import collate
from linnet.data.cache import read_stretch, stretch_of
from linnet.data.examples import Example
from linnet.optim.config import build_optimizer
from linnet.training.config import TrainConfig
from linnet.training.memory import be_ended_first, capacity_bytes, peak_bytes
from linnet.training.pretraining import build_training

MEMORY_SHARE = 0.9  # of the capacity; the rest is for what else a run needs
TIME_LIMIT_S = 60.0  # of all trials together
NUM_REFINEMENTS = 3  # halvings of the gap between a batch that fitted and one that did not
MAX_UTTERANCES = 4096  # in a batch
LONGEST_KEPT = 64  # different utterances; a larger batch has them several times
MIN_TRIALS = 2  # that show how the memory grows
PATIENCE_S = 4 * TIME_LIMIT_S  # a child that says nothing for so long is ended

_AUTOCAST = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

Outcome = Literal["memory", "time", "size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One training step that ran.

    Attributes:
        num_utterances: how many the batch held.
        batch_s: their audio seconds together.
        step_s: how long forward, backward and the optimizer took.
        peak_bytes: the most memory in use up to then.
        capacity_bytes: what the process may use in all.
    """

    num_utterances: int
    batch_s: float
    step_s: float
    peak_bytes: int
    capacity_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimit:
    """What the trials found.

    Attributes:
        device: "cpu" or "cuda".
        longest_s: the longest utterance that was in the batches, in seconds.
        trials: the steps that ran, in order.
        stopped_by: what kept the batch from growing: the memory, the time allowed, or MAX_UTTERANCES.
    """

    device: str
    longest_s: float
    trials: tuple[Trial, ...]
    stopped_by: Outcome

    @property
    def batch_s(self) -> float:
        """Audio seconds of the largest batch that ran; 0 where none did."""
        return max((trial.batch_s for trial in self.trials), default=0.0)

    @property
    def is_estimate(self) -> bool:
        """Whether time ended the trials, after enough of them to see how the memory grows."""
        return self.stopped_by == "time" and len(self.trials) >= MIN_TRIALS

    @property
    def estimated_batch_s(self) -> float:
        """Audio seconds that fill MEMORY_SHARE if memory grows on as it did, where that is an estimate."""
        return max(self.batch_s, _batch_s_that_fits(self.trials)) if self.is_estimate else self.batch_s

    def allows(self, batch_s: float) -> bool:
        """Tell whether batches of so many seconds fit, as far as the trials show."""
        return batch_s <= self.estimated_batch_s or not (self.is_estimate or self.stopped_by == "memory")


def find_batch_limit(
    config: TrainConfig, examples: Sequence[Example], progress: Callable[[Trial], None]
) -> BatchLimit:
    """Train on growing batches of the longest examples until memory or time is used up.

    Args:
        config: the run: model, optimizer, precision and device.
        examples: all that the run trains on.
        progress: called after each trial.

    Raises:
        TrainingError: when a step fails for another reason than memory.
    """
    longest = sorted(examples, key=lambda example: -example.utterance.duration_s)[:LONGEST_KEPT]
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_run_trials, args=(config, longest, sender), daemon=True)
    child.start()
    sender.close()
    trials: list[Trial] = []
    try:
        stopped_by = _follow(receiver, trials, progress)
    finally:
        child.terminate()
        child.join()
    return BatchLimit(
        device=_device(config),
        longest_s=longest[0].utterance.duration_s,
        trials=tuple(trials),
        stopped_by=stopped_by,
    )


def try_batches(
    step: Callable[[int], Trial], time_limit_s: float = TIME_LIMIT_S
) -> Iterator[Trial | Outcome]:
    """Grow a batch until it does not fit, then narrow the gap; the last value says what ended it.

    Args:
        step: runs a step on a batch of so many utterances; raises MemoryError when it does not fit.
        time_limit_s: of all steps together, as far as the last step foretells the next.
    """
    trials: list[Trial] = []
    fits, too_many, refinements, spent_s = 0, MAX_UTTERANCES + 1, 0, 0.0
    while (number := _next_number(trials, fits, too_many)) > fits:
        if trials and spent_s + 1.2 * trials[-1].step_s * number / trials[-1].num_utterances > time_limit_s:
            yield "time"
            return
        try:
            trial = step(number)
        except MemoryError:
            too_many, refinements = number, refinements + 1
            if refinements > NUM_REFINEMENTS:
                break
            continue
        trials.append(trial)
        fits, spent_s = number, spent_s + trial.step_s
        yield trial
    yield "size" if fits == MAX_UTTERANCES else "memory"


def _next_number(trials: Sequence[Trial], fits: int, too_many: int) -> int:
    """Choose the utterances of the next batch; not more than `fits` when there is nothing left to try."""
    if too_many <= MAX_UTTERANCES:
        return (fits + too_many) // 2
    number = min(max(1, 2 * fits), MAX_UTTERANCES)
    if len(trials) < MIN_TRIALS:
        return number
    room = _batch_s_that_fits(trials) / trials[-1].batch_s
    return min(number, int(fits * room)) if room > 1.1 else fits


def _batch_s_that_fits(trials: Sequence[Trial]) -> float:
    """Follow the line through the first and the last trial to MEMORY_SHARE of the capacity."""
    first, last = trials[0], trials[-1]
    bytes_per_s = (last.peak_bytes - first.peak_bytes) / max(last.batch_s - first.batch_s, 1e-9)
    room = MEMORY_SHARE * last.capacity_bytes - last.peak_bytes
    return last.batch_s + room / max(bytes_per_s, 1.0)


def _follow(receiver: Connection, trials: list[Trial], progress: Callable[[Trial], None]) -> Outcome:
    """Collect what the child sends until it ends, or is ended by the system for want of memory."""
    try:
        while receiver.poll(PATIENCE_S):
            message = receiver.recv()
            if isinstance(message, TrainingError):
                raise message
            if not isinstance(message, Trial):
                outcome: Outcome = message
                return outcome
            trials.append(message)
            progress(message)
    except EOFError:
        return "memory"
    return "time"


def _run_trials(config: TrainConfig, examples: Sequence[Example], sender: Connection) -> None:
    """Do the child's work: build the model, and send each trial as it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the child
    be_ended_first()
    warnings.simplefilter("ignore")  # Lightning's, about a module without a trainer
    try:
        step = TrainingStep(config, examples)
        for message in try_batches(step):
            sender.send(message)
    except TrainingError as error:
        sender.send(error)
    except Exception as error:  # whatever a damaged installation raises shall be told, not taken for memory
        sender.send(TrainingError(f"the trial step failed: {error!r:.300}", remedy="Try --no-fit"))


class TrainingStep:
    """Runs one whole training step on as many of the longest examples as asked for.

    Raises:
        TrainingError: when none of the examples can be decoded.
    """

    def __init__(self, config: TrainConfig, examples: Sequence[Example]) -> None:
        self.config, self.device = config, _device(config)
        if config.trainer.num_threads:
            torch.set_num_threads(config.trainer.num_threads)
        rate_hz = config.model.frontend.sample_rate_hz
        decoded = list(_decoded(examples, rate_hz))
        if not decoded:
            raise TrainingError("none of the longest recordings can be decoded", remedy="Run with --deep")
        self.examples, self._waveforms = zip(*decoded, strict=True)
        self._module = build_training(config).to(self.device).train()
        self._optimizer = build_optimizer(config.optimizer, self._module.parameters())
        for group in self._optimizer.param_groups:
            group["lr"] = 0.0  # the memory counts, not what is learned
        self._capacity_bytes = capacity_bytes(self.device)

    def __call__(self, num_utterances: int) -> Trial:
        """Take the step.

        Raises:
            MemoryError: when the memory does not suffice.
        """
        places = list(islice(cycle(range(len(self.examples))), num_utterances))
        started = time.monotonic()
        try:
            self._step(places)
        except RuntimeError as error:  # CUDA has an error of its own, the CPU's allocator only this one
            if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
                self._optimizer.zero_grad()
                raise MemoryError from None
            raise
        return Trial(
            num_utterances=num_utterances,
            batch_s=sum(self.examples[place].utterance.duration_s for place in places),
            step_s=time.monotonic() - started,
            peak_bytes=peak_bytes(self.device),
            capacity_bytes=self._capacity_bytes,
        )

    def _step(self, places: Sequence[int]) -> None:
        waveforms = [self._waveforms[place] for place in places]
        batch = collate(waveforms, [self.examples[place] for place in places])
        batch = move_data_to_device(batch, torch.device(self.device))
        precision = _AUTOCAST.get(self.config.trainer.precision)
        with torch.autocast(self.device, precision, enabled=precision is not None):
            loss = self._module.training_step(batch, 0)
        assert isinstance(loss, Tensor)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's stubs
        self._optimizer.step()
        self._optimizer.zero_grad()


def _decoded(examples: Sequence[Example], sample_rate_hz: int) -> Iterator[tuple[Example, Samples]]:
    """Decode what can be decoded; the doctor names the rest."""
    for example in examples:
        with suppress(AudioError):
            yield example, read_stretch(stretch_of(example), sample_rate_hz)


def _device(config: TrainConfig) -> str:
    wanted = config.trainer.accelerator
    return "cuda" if wanted in ("auto", "gpu") and torch.cuda.is_available() else "cpu"
