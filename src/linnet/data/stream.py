"""The batches of a whole run, epoch after epoch, which can be taken up at any one of them."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from linnet.data.config import DataConfig
from linnet.data.dataset import Key
from linnet.data.examples import Example
from linnet.data.mixture import bucketing_sampler, epoch_copies

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlace:
    """Where a run stands in its data. A checkpoint keeps it.

    Attributes:
        batch: batches trained on since the start of the run.
        epoch: number of the epoch that the next batch belongs to.
        first_batch: batches trained on before that epoch.
        progress: share of the run that was done when the epoch began; the repeats follow it.
        num_batches: batches of the epoch; 0 before it was drawn.
    """

    batch: int = 0
    epoch: int = 0
    first_batch: int = 0
    progress: float = 0.0
    num_batches: int = 0


class BatchStream:
    """Draws the mixture of one epoch after the other, without end, as keys for `SpeechDataset`.

    The batches of an epoch depend on seed, epoch and the progress at its start alone. Resuming draws the
    epoch again and leaves out the batches that were trained on, without reading their audio.

    Args:
        examples: what the keys point to.
        data: the mixture and the size of batches.
        seed: of the run.
        run_batches: batches of the whole run.
        place: where to begin.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        data: DataConfig,
        *,
        seed: int,
        run_batches: int,
        place: StreamPlace,
    ) -> None:
        self.examples, self.data, self.seed, self.run_batches = examples, data, seed, run_batches
        self._epochs = [place]

    def __iter__(self) -> Iterator[list[Key]]:
        place = self._epochs[0]
        self._epochs = [place]
        while True:
            batches = self._draw(place)
            if place.num_batches not in (0, len(batches)):
                logger.warning(
                    "the training data or data.batch_s changed: epoch %d has %d batches now and had %d",
                    place.epoch,
                    len(batches),
                    place.num_batches,
                )
            self._epochs.append(replace(place, num_batches=len(batches)))
            yield from batches[place.batch - place.first_batch :]
            first_batch = max(place.first_batch + len(batches), place.batch)
            place = StreamPlace(
                batch=first_batch,
                epoch=place.epoch + 1,
                first_batch=first_batch,
                # Workers read ahead, even beyond the end of the run.
                progress=min(first_batch / self.run_batches, 1.0),
            )

    def place_after(self, batch: int) -> StreamPlace:
        """Return the place of a run that has trained on `batch` batches; those read ahead do not count."""
        epoch = [place for place in self._epochs if place.first_batch <= batch][-1]
        return replace(epoch, batch=batch)

    def _draw(self, place: StreamPlace) -> list[list[Key]]:
        copies = epoch_copies(
            self.examples, self.data.train, progress=place.progress, seed=self.seed, epoch=place.epoch
        )
        sampler = bucketing_sampler(
            self.examples,
            copies,
            batch_s=self.data.batch_s,
            num_buckets=self.data.num_buckets,
            seed=self.seed + place.epoch,
        )
        batches = [[_key(place.epoch, cut.id) for cut in cuts] for cuts in sampler]
        # The sampler's buckets run dry at different times: left in its order, an epoch would end with batches
        # of one length only.
        order = np.random.default_rng((self.seed, place.epoch)).permutation(len(batches))
        return [batches[index] for index in order]


def _key(epoch: int, cut_id: str) -> Key:
    # Where processes cannot share the batches evenly, the sampler repeats some as "index.copy_dup0".
    example, copy = cut_id.partition("_dup")[0].split(".")
    return Key(epoch, int(example), int(copy))
