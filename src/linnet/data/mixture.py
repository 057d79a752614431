"""Which examples an epoch holds, and the batches of similar duration drawn from them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.core.errors import ConfigError
from linnet.core.optional import require
from linnet.data.config import SourceConfig
from linnet.data.dataset import Key
from linnet.data.examples import Example


def epoch_copies(
    examples: Sequence[Example], sources: Sequence[SourceConfig], *, progress: float, seed: int, epoch: int
) -> list[tuple[int, int]]:
    """Return (example index, copy number) of all that an epoch trains on, in random order.

    A `repeat` of 2.3 gives every example of the source two copies, and a third one to a random 30 %.

    Raises:
        ConfigError: when the repeats leave nothing.
    """
    rng = np.random.default_rng((seed, epoch))
    repeats = np.array([sources[example.source].repeat_at(progress) for example in examples])
    counts = np.floor(repeats + rng.random(len(examples))).astype(int)
    copies = [(index, copy) for index, count in enumerate(counts) for copy in range(count)]
    if not copies:
        raise ConfigError(
            f"epoch {epoch} holds no utterance",
            where="data.train",
            remedy="Raise repeat or final_repeat of a source",
        )
    # The sampler looks at the next 20,000 only: unshuffled, the sources of a large mixture would take turns.
    return [copies[place] for place in rng.permutation(len(copies))]


def bucketing_sampler(
    examples: Sequence[Example],
    copies: Sequence[tuple[int, int]],
    *,
    batch_s: float,
    num_buckets: int,
    seed: int,
) -> Any:
    """Build lhotse's dynamic bucketing sampler over the copies.

    It yields CutSets whose cut ids read "index.copy". Under torchrun it gives each rank its own batches.
    """
    lhotse = require("lhotse", extra="train", purpose="bucketing by duration")
    dataset = require("lhotse.dataset", extra="train", purpose="bucketing by duration")
    cuts = lhotse.CutSet.from_cuts(
        lhotse.MonoCut(
            id=f"{index}.{copy}",
            start=0.0,
            duration=examples[index].utterance.duration_s,
            channel=0,
            supervisions=[],
        )
        for index, copy in copies
    )
    durations_s = np.array([examples[index].utterance.duration_s for index, _ in copies])
    return dataset.DynamicBucketingSampler(
        cuts,
        max_duration=batch_s,
        duration_bins=_bucket_edges(durations_s, num_buckets),
        shuffle=True,
        seed=seed,
        drop_last=False,
    )


def _bucket_edges(durations_s: NDArray[np.float64], num_buckets: int) -> list[float]:
    """Return the durations that part the audio into `num_buckets` shares of equal length."""
    ordered = np.sort(durations_s)
    shares = ordered.cumsum() / ordered.sum()
    edges = ordered[np.searchsorted(shares, np.arange(1, num_buckets) / num_buckets)]
    return [float(edge) for edge in np.unique(edges)]


def sequential_batches(examples: Sequence[Example], batch_s: float) -> list[list[Key]]:
    """Group examples by length into batches of at most `batch_s` padded seconds, for validation."""
    order = sorted(range(len(examples)), key=lambda index: examples[index].utterance.duration_s)
    batches: list[list[Key]] = []
    current: list[Key] = []
    for index in order:
        longest_s = examples[index].utterance.duration_s
        if current and longest_s * (len(current) + 1) > batch_s:
            batches.append(current)
            current = []
        current.append(Key(epoch=0, example=index, copy=0))
    return [*batches, current] if current else batches
