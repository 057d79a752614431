"""Reads, augments and pads the utterances of a batch."""

import logging
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Dataset

from linnet.core.arrays import Samples
from linnet.core.errors import AudioError
from linnet.data.augment.waveform import WaveformAugment
from linnet.data.batch import Batch, collate
from linnet.data.cache import AudioCache, read_stretch, stretch_of
from linnet.data.examples import Example

logger = logging.getLogger(__name__)


class Key(NamedTuple):
    """One reading of an example: the epoch, its place in the list, the number of its copy in the epoch."""

    epoch: int
    example: int
    copy: int


class SpeechDataset(Dataset[Batch]):
    """Gives a batch for a list of keys.

    The random numbers of an utterance depend on the seed and its key alone, so that the number of workers
    changes nothing.

    Args:
        examples: what the indices point to.
        sample_rate_hz: rate of the waveforms.
        augment: changes to each waveform, or None.
        seed: seed of the augmentation.
        cache: what was decoded before, or None to read files.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        sample_rate_hz: int,
        *,
        augment: WaveformAugment | None = None,
        seed: int = 0,
        cache: AudioCache | None = None,
    ) -> None:
        self.examples, self.sample_rate_hz = examples, sample_rate_hz
        self.augment, self.seed, self.cache = augment, seed, cache

    def __getitem__(self, keys: Iterable[Key]) -> Batch:
        waveforms: list[Samples] = []
        examples: list[Example] = []
        for key in keys:
            try:
                waveforms.append(self._waveform(key))
                examples.append(self.examples[key.example])
            except AudioError as error:
                logger.warning("left out of its batch: %s", error)
        if not examples:
            raise AudioError("no utterance of a batch could be read", remedy="The log above names each one")
        return collate(waveforms, examples)

    def _waveform(self, key: Key) -> Samples:
        samples = self.cache[key.example] if self.cache is not None else None
        if samples is None:
            samples = read_stretch(stretch_of(self.examples[key.example]), self.sample_rate_hz)
        if self.augment is None:
            return samples
        return self.augment(samples, np.random.default_rng((self.seed, *key)))
