"""One training step and one validation step, as Lightning wants them."""

import logging
from typing import Any, ClassVar, Self

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from linnet.core.errors import ConfigError, TrainingError
from linnet.data.augment.spectrogram import FeatureAugment
from linnet.data.batch import Batch
from linnet.decoding.greedy import greedy_decode
from linnet.metrics.error_rate import character_errors, word_errors
from linnet.models.checkpoint import PREFIX, describe_model
from linnet.models.ctc import CtcModel
from linnet.models.layers.convolution import TimeConv
from linnet.optim.config import build_optimizer
from linnet.optim.groups import ParameterGroup, encoder_layers, parameter_groups
from linnet.optim.schedule import build_schedule
from linnet.text.tokenizer import build_tokenizer
from linnet.training.config import TrainConfig
from linnet.training.freezing import (
    always_frozen_names,
    evaluate_frozen,
    freeze,
    frozen_names,
    unfreeze,
)
from linnet.training.intermediate import IntermediateOutputs
from linnet.training.loss import consistency_loss, ctc_loss, mean_over_used
from linnet.training.measure import CER, WER, Measure

logger = logging.getLogger(__name__)


class ModelTraining(LightningModule):
    """What every objective shares: the model, what of it is frozen, the optimizer, and the checkpoint.

    Attributes:
        measure: what decides between checkpoints.
    """

    measure: ClassVar[Measure]

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config
        self.model = CtcModel(config.model)
        init = config.init
        self.always_frozen = always_frozen_names(self.model, init) if init else frozenset()
        self.frozen = frozen_names(self.model, init) if init else frozenset()
        freeze(self.model, self.frozen)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Switch to training, but for what is frozen; or to evaluation."""
        super().train(mode)
        if mode:
            evaluate_frozen(self.model)
        return self

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Tell the model the step, and unfreeze it at the one that `init.unfreeze_after_steps` names."""
        self.model.at_step(self.global_step)
        init = self.config.init
        if self.frozen == self.always_frozen or init is None or init.unfreeze_after_steps is None:
            return
        if self.global_step >= init.unfreeze_after_steps:
            waited = self.frozen - self.always_frozen
            logger.info("step %d: %d frozen tensors are trained from here on", self.global_step, len(waited))
            unfreeze(self.model, waited)
            self.frozen = self.always_frozen
            self.train()

    def seed_step(self, batch_index: int) -> None:
        """Let random numbers depend on seed, batch and rank alone: a resumed run draws the same."""
        torch.manual_seed(_seed_of(self.config.trainer.seed, batch_index, self.global_rank))

    def configure_optimizers(self) -> Any:
        """Return the optimizer and a schedule that is stepped with it."""
        groups = self.parameter_groups()
        if len(groups) > 1 and self.global_rank == 0:
            for group in groups:
                logger.info("learning rate %.3g: %s (%d tensors)", group.lr, group.label, len(group.names))
        optimizer = build_optimizer(
            self.config.optimizer, [{"params": list(group.parameters), "lr": group.lr} for group in groups]
        )
        schedule = build_schedule(self.config.schedule, optimizer, self.config.trainer.max_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def parameter_groups(self) -> list[ParameterGroup]:
        """Sort by learning rate what is trained, now or once it is unfrozen; the rest gets no optimizer."""
        init = self.config.init
        waits = init is not None and init.unfreeze_after_steps is not None
        never = self.always_frozen if waits else self.frozen
        named = ((name.removeprefix(PREFIX), parameter) for name, parameter in self.named_parameters())
        trained = [(name, parameter) for name, parameter in named if name not in never]
        return parameter_groups(
            self.config.optimizer, trained, encoder_layers(self.model.encoder, prefix="encoder")
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on with other parameters or groups than those that the optimizer's state is of.

        Raises:
            ConfigError: when they differ.
        """
        saved = [len(group["params"]) for group in checkpoint["optimizer_states"][0]["param_groups"]]
        if saved != [len(group.parameters) for group in self.parameter_groups()]:
            raise ConfigError(
                "init.freeze or the groups of the optimizer differ from those of the run to resume",
                where=str(self.config.output_dir),
                remedy="Take them from the config.yaml there, or give another output_dir=…",
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say in the checkpoint which model it holds."""
        checkpoint["linnet"] = describe_model(self.config.model)


class CtcTraining(ModelTraining):
    """Trains a CtcModel, with an auxiliary head beside its own where the configuration asks for one."""

    measure = WER

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.augment = FeatureAugment(config.feature_augment)
        self.num_views = 1 if config.cr_ctc is None else 2
        self.auxiliary_head: TimeConv | None = None
        if config.auxiliary is not None:
            width = config.model.encoder.output_width
            self.auxiliary_head = TimeConv(
                width, build_tokenizer(config.auxiliary.tokenizer).vocabulary.size, bias=True
            )
        self.intermediate: IntermediateOutputs | None = None
        if config.intermediate is not None:
            self.intermediate = IntermediateOutputs(self.model.encoder, config.intermediate.blocks)
        self._dev_counts = torch.zeros(2, 2, dtype=torch.long)  # of words and characters

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of a batch: its mean over utterances, plus what the configuration adds.

        Args:
            batch: what to train on.
            batch_index: its number in the run, which its random numbers depend on.
        """
        self.seed_step(batch_index)
        with torch.no_grad():
            features, lengths = self.model.frontend(batch.samples, batch.lengths)
            features, lengths = features.repeat(self.num_views, 1, 1), lengths.repeat(self.num_views)
            features = self.augment(features, lengths, self._mask_generator(batch_index))
        encoded, lengths = self.model.encoder(features, lengths)
        log_probs = self.model.score(encoded, lengths)
        loss = self._mean_loss(log_probs, lengths, batch, batch.tokens, batch.token_lengths)
        if self.intermediate is not None and self.config.intermediate is not None:
            weight = self.config.intermediate.weight
            loss = (1 - weight) * loss + weight * self._intermediate_loss(encoded.shape[-1], lengths, batch)
        if self.config.cr_ctc is not None:
            divergence = mean_over_used(
                consistency_loss(log_probs, lengths) * (batch.token_lengths >= 0), batch.token_lengths
            )
            self.log("divergence", divergence, batch_size=len(batch.names))
            loss = loss + self.config.cr_ctc.weight * divergence
        if self.auxiliary_head is not None and self.config.auxiliary is not None:
            weight = self.config.auxiliary.weight
            loss = (1 - weight) * loss + weight * self._auxiliary_loss(encoded, lengths, batch)
        self.log("loss", loss, prog_bar=True, batch_size=len(batch.names))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Decode a batch greedily and count its errors in words and in characters."""
        features, lengths = self.model.frontend(batch.samples, batch.lengths)
        log_probs, lengths = self.model(features, lengths)
        vocabulary = self.model.vocabulary
        for row, length, text in zip(
            log_probs.float().cpu().numpy(), lengths.tolist(), batch.texts, strict=True
        ):
            spans = greedy_decode(row[:length], vocabulary.blank_id)
            read = vocabulary.decode([span.token_id for span in spans])
            counts = (word_errors(text, read), character_errors(text, read))
            self._dev_counts += torch.tensor([[each.errors, each.reference_length] for each in counts])

    def on_validation_epoch_end(self) -> None:
        """Log the error rates over all dev sets and processes."""
        gathered = self.all_gather(self._dev_counts.to(self.device))
        assert isinstance(gathered, Tensor)
        counts = gathered.view(-1, 2, 2).sum(0).tolist()
        self._dev_counts.zero_()
        for measure, (errors, length) in zip((WER, CER), counts, strict=True):
            self.log(measure.key, errors / max(length, 1), prog_bar=True, sync_dist=False)

    def _intermediate_loss(self, num_frames: int, lengths: Tensor, batch: Batch) -> Tensor:
        assert self.intermediate is not None
        losses = []
        for output, output_lengths in self.intermediate.take(num_frames, lengths):
            log_probs = self.model.score(output, output_lengths)
            losses.append(
                self._mean_loss(log_probs, output_lengths, batch, batch.tokens, batch.token_lengths)
            )
        return torch.stack(losses).mean()

    def _auxiliary_loss(self, encoded: Tensor, lengths: Tensor, batch: Batch) -> Tensor:
        assert self.auxiliary_head is not None
        log_probs = self.auxiliary_head(encoded).transpose(1, 2).log_softmax(-1)
        return self._mean_loss(
            log_probs, lengths, batch, batch.auxiliary_tokens, batch.auxiliary_token_lengths
        )

    def _mean_loss(
        self, log_probs: Tensor, lengths: Tensor, batch: Batch, tokens: Tensor, token_lengths: Tensor
    ) -> Tensor:
        """Average the CTC loss over all views of the utterances with a target."""
        tokens, token_lengths = tokens.repeat(self.num_views, 1), token_lengths.repeat(self.num_views)
        losses = ctc_loss(log_probs, lengths, tokens, token_lengths)
        self._refuse_nan(losses.reshape(self.num_views, len(batch.names)).sum(0), batch)
        return mean_over_used(losses, token_lengths)

    def _refuse_nan(self, losses: Tensor, batch: Batch) -> None:
        finite = torch.isfinite(losses)
        if bool(finite.all()):
            return
        # A NaN weight spoils the whole batch: then no single utterance is to blame, and all are named.
        names = [name for name, good in zip(batch.names, finite.tolist(), strict=True) if not good]
        raise TrainingError(
            f"the loss of {len(names)} of {len(batch.names)} utterances is not a number: {', '.join(names)}",
            where=f"step {self.global_step}",
            remedy="Listen to them; if they are sound, lower optimizer.lr or trainer.gradient_clip "
            "and resume from the last checkpoint with trainer.resume=true",
        )

    def _mask_generator(self, batch_index: int) -> torch.Generator:
        """Random numbers that depend on seed, batch and rank alone: a resumed run draws the same ones."""
        generator = torch.Generator(device=self.device)
        return generator.manual_seed(
            (self.config.trainer.seed * 1_000_003 + batch_index) * 4096 + self.global_rank
        )


def _seed_of(seed: int, batch_index: int, rank: int) -> int:
    """Return the seed of the dither and dropout of a batch."""
    return int(np.random.SeedSequence((seed, batch_index, rank)).generate_state(1, np.uint64)[0])
