"""Gives Lightning the batches of each epoch."""

import logging
from collections.abc import Sequence

from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from linnet.core.arrays import Array
from linnet.data.augment.waveform import WaveformAugment
from linnet.data.batch import Batch
from linnet.data.dataset import SpeechDataset, decode_all
from linnet.data.examples import Example, TextEncoder, load_examples
from linnet.data.mixture import bucketing_sampler, epoch_copies, sequential_batches
from linnet.text.tokenizer import build_tokenizer
from linnet.training.config import TrainConfig

logger = logging.getLogger(__name__)


class SpeechData(LightningDataModule):
    """The train mixture, drawn anew for every epoch, and the dev sets in order of length."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = text_encoder(config)
        self.examples: list[Example] = []
        self.dev_examples: list[Example] = []
        self._cache: Sequence[Array | None] | None = None

    def setup(self, stage: str) -> None:
        """Read the manifests, and the audio if it is to be kept in memory."""
        if self.examples:
            return
        data = self.config.data
        self.examples = load_examples(data.train, self.encoder, data)
        dev_examples = load_examples(data.dev, self.encoder, data)
        # What trains the auxiliary head alone has no reference that the model's own could be scored against.
        self.dev_examples = [example for example in dev_examples if example.tokens is not None]
        if data.cache_audio:
            logger.info("decoding %d recordings into memory", len(self.examples))
            self._cache = decode_all(self.examples, self.config.model.frontend.sample_rate_hz)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Draw the mixture of the current epoch."""
        data, trainer = self.config.data, self.trainer
        assert trainer is not None
        seed = self.config.trainer.seed
        copies = epoch_copies(
            self.examples,
            data.train,
            progress=trainer.global_step / self.config.trainer.max_steps,
            seed=seed,
            epoch=trainer.current_epoch,
        )
        sampler = bucketing_sampler(
            self.examples,
            copies,
            batch_s=data.batch_s,
            num_buckets=data.num_buckets,
            seed=seed + trainer.current_epoch,
        )
        dataset = SpeechDataset(
            self.examples,
            self.config.model.frontend.sample_rate_hz,
            augment=WaveformAugment(data.augment),
            seed=seed,
            epoch=trainer.current_epoch,
            cache=self._cache,
        )
        return DataLoader(
            dataset,
            sampler=sampler,
            batch_size=None,
            num_workers=data.num_workers,
            pin_memory=trainer.strategy.root_device.type == "cuda",
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Give the dev sets without augmentation."""
        dataset = SpeechDataset(self.dev_examples, self.config.model.frontend.sample_rate_hz)
        batches = sequential_batches(self.dev_examples, self.config.data.batch_s)
        return DataLoader(dataset, sampler=batches, batch_size=None)


def text_encoder(config: TrainConfig) -> TextEncoder:
    """Build the tokenizers that a run needs."""
    tokenizer = config.model.tokenizer
    return TextEncoder(
        normalizer=config.model.normalizer,
        strict=build_tokenizer(tokenizer),
        skipping=build_tokenizer(tokenizer.model_copy(update={"skip_unknown": True})),
        auxiliary=build_tokenizer(config.auxiliary.tokenizer) if config.auxiliary else None,
    )
