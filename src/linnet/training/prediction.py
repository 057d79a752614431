"""The loss that wav2vec 1.0 is pre-trained with, as an objective of a run."""

from torch import Tensor, nn

from linnet.models.wav2vec import Wav2VecEncoder, Wav2VecPrediction
from linnet.training.objective_config import Wav2VecObjectiveConfig


class PredictionObjective(nn.Module):
    """What pre-training adds to an encoder of wav2vec 1.0: the predictions; not kept afterwards."""

    def __init__(self, encoder: Wav2VecEncoder, config: Wav2VecObjectiveConfig) -> None:
        super().__init__()
        self.prediction = Wav2VecPrediction(encoder.config, config.num_steps, config.num_negatives)

    def forward(
        self, encoder: Wav2VecEncoder, samples: Tensor, lengths: Tensor, step: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch.

        Args:
            encoder: what is trained.
            samples: (B, 1, N).
            lengths: (B,) valid samples.
            step: of the run, which makes no difference here.

        Returns:
            The loss for each decision, and figures by name.
        """
        latents, lengths = encoder.encode(samples, lengths)
        context = encoder.aggregate(latents, lengths)
        loss, accuracy = self.prediction(latents, context, lengths)
        return loss, {"contrastive": loss, "accuracy": accuracy}
