"""Reads, augments and pads the utterances of a batch."""

import logging
from collections.abc import Iterable, Sequence

import numpy as np
from torch.utils.data import Dataset

from linnet.audio.read import read_audio
from linnet.core.arrays import Array, Samples
from linnet.core.errors import AudioError
from linnet.data.augment.waveform import WaveformAugment
from linnet.data.batch import Batch, collate
from linnet.data.examples import Example

logger = logging.getLogger(__name__)
FULL_SCALE = 32768.0


class SpeechDataset(Dataset[Batch]):
    """Gives a batch for a list of (example index, copy number), or for the CutSet of lhotse's sampler.

    The random numbers of an utterance depend on seed, epoch, index and copy alone, so that the number of
    workers changes nothing.

    Args:
        examples: what the indices point to.
        sample_rate_hz: rate of the waveforms.
        augment: changes to each waveform, or None.
        seed: seed of the augmentation.
        epoch: the epoch the batches belong to.
        cache: samples decoded beforehand (`decode_all`), or None to read files.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        sample_rate_hz: int,
        *,
        augment: WaveformAugment | None = None,
        seed: int = 0,
        epoch: int = 0,
        cache: Sequence[Array | None] | None = None,
    ) -> None:
        self.examples, self.sample_rate_hz = examples, sample_rate_hz
        self.augment, self.seed, self.epoch, self.cache = augment, seed, epoch, cache

    def __getitem__(self, keys: Iterable[object]) -> Batch:
        waveforms: list[Samples] = []
        examples: list[Example] = []
        for index, copy in map(_parse_key, keys):
            try:
                waveforms.append(self._waveform(index, copy))
                examples.append(self.examples[index])
            except AudioError as error:
                logger.warning("left out of its batch: %s", error)
        if not examples:
            raise AudioError("no utterance of a batch could be read", remedy="The log above names each one")
        return collate(waveforms, examples)

    def _waveform(self, index: int, copy: int) -> Samples:
        cached = self.cache[index] if self.cache is not None else None
        if cached is None:
            samples = _read(self.examples[index], self.sample_rate_hz)
        else:
            samples = cached.astype(np.float32) / np.float32(FULL_SCALE)
        if self.augment is None:
            return samples
        return self.augment(samples, np.random.default_rng((self.seed, self.epoch, index, copy)))


def decode_all(examples: Sequence[Example], sample_rate_hz: int) -> list[Array | None]:
    """Decode every example to 16-bit samples; None where that fails, so that its batch names it."""
    return [_decode(example, sample_rate_hz) for example in examples]


def _decode(example: Example, sample_rate_hz: int) -> Array | None:
    try:
        samples = _read(example, sample_rate_hz)
    except AudioError:
        return None
    scaled: Array = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return scaled.astype(np.int16)


def _read(example: Example, sample_rate_hz: int) -> Samples:
    utterance = example.utterance
    samples = read_audio(
        utterance.audio,
        sample_rate_hz=sample_rate_hz,
        offset_s=utterance.offset_s,
        duration_s=utterance.duration_s,
    )
    if len(samples) == 0:
        raise AudioError("has no samples", where=utterance.audio, remedy="Leave it out of the manifest")
    return samples


def _parse_key(key: object) -> tuple[int, int]:
    """Accept (index, copy) and a lhotse cut, whose id is "index.copy"."""
    if isinstance(key, tuple):
        return key
    index, copy = str(getattr(key, "id")).split(".")  # noqa: B009 (a cut has no static type here)
    return int(index), int(copy)
