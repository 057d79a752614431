"""A training step without texts, as Lightning wants it."""

import logging

import torch
from torch import Tensor, nn

from linnet.core.errors import TrainingError
from linnet.data.batch import Batch
from linnet.models.wav2vec import Wav2VecEncoder
from linnet.models.wav2vec2 import Wav2Vec2Encoder
from linnet.training.config import TrainConfig
from linnet.training.contrastive import Objective
from linnet.training.measure import LOSS
from linnet.training.module import CtcTraining, ModelTraining
from linnet.training.objective_config import (
    ObjectiveConfig,
    Wav2Vec2ObjectiveConfig,
    Wav2VecObjectiveConfig,
)
from linnet.training.prediction import PredictionObjective

logger = logging.getLogger(__name__)
DEV_FIGURES = ("accuracy", "code_perplexity", "probability_perplexity")  # those that an objective has


class SelfSupervisedTraining(ModelTraining):
    """Trains the encoder of a CtcModel on what it hears; the head stays as it was made.

    Checkpoints hold the model for `init.path`, and what the objective adds only for going on with the run.
    """

    measure = LOSS

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.objective = _build_objective(self.model.encoder, config.objective)
        self._dev_sums: dict[str, Tensor] = {}

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of a batch for each masked frame."""
        self.seed_step(batch_index)
        loss, figures = self._run(batch, self.global_step)
        if not loss.isfinite():
            raise TrainingError(
                f"the loss of {', '.join(batch.names)} is not a number",
                where=f"step {self.global_step}",
                remedy="Listen to them; if they are sound, lower optimizer.lr and resume the run",
            )
        self.log("loss", loss, prog_bar=True, batch_size=len(batch.names))
        self.log_dict(figures, batch_size=len(batch.names))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Add up the figures of a batch, with masks that depend on its number alone."""
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(batch_index)
            _, figures = self._run(batch, self.global_step)
        for name, value in {**figures, "batches": torch.ones_like(figures["contrastive"])}.items():
            self._dev_sums[name] = self._dev_sums.get(name, torch.zeros_like(value)) + value

    def on_validation_epoch_end(self) -> None:
        """Log the mean over all batches and processes; codebooks count by their mean use in a batch."""
        names = sorted(self._dev_sums)
        gathered = self.all_gather(torch.stack([self._dev_sums[name] for name in names]))
        assert isinstance(gathered, Tensor)
        sums = dict(zip(names, gathered.view(-1, len(names)).sum(0).tolist(), strict=True))
        self._dev_sums = {}
        means = {name: value / sums["batches"] for name, value in sums.items() if name != "batches"}
        self.log(self.measure.key, means["contrastive"], prog_bar=True, sync_dist=False)
        shown = {name: means[name] for name in DEV_FIGURES if name in means}
        self.log_dict({f"dev_{name}": value for name, value in shown.items()}, sync_dist=False)
        if self.global_rank == 0:
            parts = [f"{name.replace('_', ' ')} {value:.3g}" for name, value in shown.items()]
            logger.info(
                "step %d: dev loss %.3f, %s", self.global_step, means["contrastive"], ", ".join(parts)
            )

    def _run(self, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        samples, lengths = self.model.frontend(batch.samples, batch.lengths)
        loss, figures = self.objective(self.model.encoder, samples, lengths, step)
        return loss, {name: value.detach() for name, value in figures.items()}


def _build_objective(encoder: nn.Module, config: ObjectiveConfig) -> nn.Module:
    """Build what the objective adds; the configuration has checked that it fits the encoder."""
    if isinstance(config, Wav2VecObjectiveConfig):
        assert isinstance(encoder, Wav2VecEncoder), encoder
        return PredictionObjective(encoder, config)
    assert isinstance(config, Wav2Vec2ObjectiveConfig), config
    assert isinstance(encoder, Wav2Vec2Encoder), encoder
    return Objective(encoder, config)


def build_training(config: TrainConfig) -> ModelTraining:
    """Build the steps that the objective of a run asks for."""
    return CtcTraining(config) if config.objective.needs_texts else SelfSupervisedTraining(config)
