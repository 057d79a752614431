"""Gives Lightning the batches of a run, from any place of it on."""

import signal
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from linnet.audio.archive import as_member
from linnet.core.errors import ConfigError
from linnet.data.augment.waveform import WaveformAugment
from linnet.data.batch import Batch
from linnet.data.cache import AudioCache, open_cache
from linnet.data.dataset import SpeechDataset
from linnet.data.examples import Example, TextEncoder, load_examples
from linnet.data.mixture import sequential_batches
from linnet.data.stream import BatchStream, StreamPlace
from linnet.text.tokenizer import build_tokenizer
from linnet.training.config import TrainConfig


class SpeechData(LightningDataModule):
    """The train mixture, drawn anew for every epoch, and the dev sets in order of length.

    Lightning sees one endless epoch, so that a resumed run has a single number to agree on: the batches done.
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = text_encoder(config) if config.objective.needs_texts else None
        self.examples: list[Example] = []
        self.dev_examples: list[Example] = []
        self._cache: AudioCache | None = None
        self._place = StreamPlace()
        self._stream: BatchStream | None = None

    def prepare_data(self) -> None:
        """Fill the cache of audio in one process before the others open it."""
        if self.config.data.cache is not None:
            self.setup("fit")

    def setup(self, stage: str) -> None:
        """Read the manifests, and open the cache of audio."""
        if self.examples:
            return
        data = self.config.data
        self.examples = load_examples(data.train, self.encoder, data)
        dev_examples = load_examples(data.dev, self.encoder, data)
        if data.cache is None:
            _refuse_archives(self.examples, "Name a folder of this machine: data.cache=DIR")
        _refuse_archives(dev_examples, "Unpack the dev set: linnet prepare nemo FOLDER --output NEW")
        # What trains the auxiliary head alone has no reference that the model's own could be scored against.
        self.dev_examples = [
            example for example in dev_examples if example.tokens is not None or self.encoder is None
        ]
        if data.cache is not None:
            self._cache = open_cache(
                self.examples,
                data.train,
                data.cache,
                self.config.model.frontend.sample_rate_hz,
                num_workers=data.num_workers,
            )

    def train_dataloader(self) -> DataLoader[Batch]:
        """Give the batches of the run from the place on that `load_state_dict` was told, without end."""
        data, options, trainer = self.config.data, self.config.trainer, self.trainer
        assert trainer is not None
        self._stream = BatchStream(
            self.examples,
            data,
            seed=options.seed,
            run_batches=options.max_steps * options.accumulate_batches,
            place=self._place,
        )
        dataset = SpeechDataset(
            self.examples,
            self.config.model.frontend.sample_rate_hz,
            augment=WaveformAugment(data.augment),
            seed=options.seed,
            cache=self._cache,
        )
        return DataLoader(
            dataset,
            sampler=self._stream,
            batch_size=None,
            num_workers=data.num_workers,
            worker_init_fn=_leave_signals_to_the_main_process,
            pin_memory=trainer.strategy.root_device.type == "cuda",
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the place of the batch to be trained on next, for a checkpoint."""
        if self._stream is None or self.trainer is None:
            return {}
        return asdict(self._stream.place_after(self.trainer.fit_loop.total_batch_idx + 1))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the place in a checkpoint."""
        self._place = StreamPlace(**state_dict)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Give the dev sets without augmentation."""
        dataset = SpeechDataset(self.dev_examples, self.config.model.frontend.sample_rate_hz)
        batches = sequential_batches(self.dev_examples, self.config.data.batch_s)
        return DataLoader(dataset, sampler=batches, batch_size=None)


def _refuse_archives(examples: Sequence[Example], remedy: str) -> None:
    for example in examples:
        if member := as_member(example.utterance.audio):
            raise ConfigError(
                "the recordings of a tar archive are read through the cache of training data alone",
                where=member.archive,
                remedy=remedy,
            )


def _leave_signals_to_the_main_process(worker: int) -> None:
    """Ctrl-C reaches every process of a terminal, and what ends a job each of its processes.

    But the step under way may need more batches.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def text_encoder(config: TrainConfig) -> TextEncoder:
    """Build the tokenizers that a run needs."""
    tokenizer = config.model.tokenizer
    return TextEncoder(
        normalizer=config.model.normalizer,
        strict=build_tokenizer(tokenizer),
        skipping=build_tokenizer(tokenizer.model_copy(update={"skip_unknown": True})),
        auxiliary=build_tokenizer(config.auxiliary.tokenizer) if config.auxiliary else None,
    )
