"""The loss that wav2vec 2.0 is pre-trained with (arXiv:2006.11477, §3.2), and its codebooks.

B batch, S frames, C channels of the latent speech, M masked frames of the whole batch, G codebooks of E
entries, K negatives, Q width of a quantized frame.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.masking import frame_mask
from linnet.models.layers.spans import span_mask
from linnet.models.wav2vec2 import Wav2Vec2Encoder
from linnet.training.objective_config import Wav2Vec2ObjectiveConfig

PERPLEXITY_EPS = 1e-7


class Quantized(NamedTuple):
    """Quantized frames.

    Attributes:
        values: (M, Q).
        entries: (M, G), which entry of each codebook.
        perplexity: of the mean probabilities of the batch, summed over the codebooks.
        used_perplexity: of the entries that were taken.
    """

    values: Tensor
    entries: Tensor
    perplexity: Tensor
    used_perplexity: Tensor


class GumbelQuantizer(nn.Module):
    """Takes one entry of each codebook for a frame, so that gradients pass (equation 1; arXiv:1611.01144)."""

    def __init__(self, num_inputs: int, config: Wav2Vec2ObjectiveConfig) -> None:
        super().__init__()
        self.shape = (config.num_groups, config.num_entries)
        self.scores = nn.Linear(num_inputs, config.num_groups * config.num_entries)
        self.codebooks = nn.Parameter(torch.rand(*self.shape, config.width // config.num_groups))
        nn.init.normal_(self.scores.weight)
        nn.init.zeros_(self.scores.bias)

    def forward(self, x: Tensor, temperature: float) -> Quantized:
        """Quantize x (M, C): in training by drawing, in evaluation by the best entry."""
        scores = self.scores(x).float().view(-1, *self.shape)  # (M, G, E)
        best = functional.one_hot(scores.argmax(-1), self.shape[1]).to(scores.dtype)
        taken = functional.gumbel_softmax(scores, temperature, hard=True) if self.training else best
        return Quantized(
            torch.einsum("mge,geq->mgq", taken, self.codebooks).flatten(1),
            taken.argmax(-1),
            perplexity(scores.softmax(-1)),
            perplexity(best),
        )


def perplexity(shares: Tensor) -> Tensor:
    """Tell how many entries of all codebooks are in use: (M, G, E) probabilities → from G to G · E."""
    mean = shares.mean(0)
    return torch.exp(-(mean * (mean + PERPLEXITY_EPS).log()).sum(-1)).sum()


def contrastive_losses(
    predicted: Tensor, quantized: Tensor, entries: Tensor, counts: Tensor, config: Wav2Vec2ObjectiveConfig
) -> tuple[Tensor, Tensor]:
    """Hold the right quantized frame against others of its utterance (equation 3).

    Args:
        predicted: (M, Q), utterance after utterance.
        quantized: (M, Q), the right ones.
        entries: (M, G) of these; one with the same entries is no negative.
        counts: (B,) how many of the M frames belong to each utterance.
        config: number of negatives and temperature.

    Returns:
        The losses in nats of frames with negatives, and whether the right one was the likeliest.
    """
    owners = counts.repeat_interleave(counts)  # (M,) how many frames the utterance of each has
    first = (counts.cumsum(0) - counts).repeat_interleave(counts)
    place = torch.arange(len(owners), device=counts.device) - first
    drawn = torch.rand(len(owners), config.num_negatives, device=counts.device) * (owners - 1).unsqueeze(1)
    others = drawn.long()
    others = (others + (others >= place.unsqueeze(1))).clamp(max=(owners - 1).unsqueeze(1))
    negatives = first.unsqueeze(1) + others  # (M, K)
    left, right = (functional.normalize(each.float(), dim=1) for each in (predicted, quantized))
    similarity = left @ right.T  # (M, M): less than the negatives of each frame one by one
    same = (entries[negatives] == entries.unsqueeze(1)).all(-1)
    wrong = similarity.gather(1, negatives).masked_fill(same, -torch.inf)
    scores = torch.cat((similarity.diagonal().unsqueeze(1), wrong), dim=1) / config.logit_temperature
    usable = ~same.all(1)
    losses = functional.cross_entropy(scores, torch.zeros_like(owners), reduction="none")
    return losses[usable], (scores.argmax(1) == 0)[usable]


class Objective(nn.Module):
    """What pre-training adds to an encoder: codebooks, and a projection onto them; not kept afterwards."""

    def __init__(self, encoder: Wav2Vec2Encoder, config: Wav2Vec2ObjectiveConfig) -> None:
        super().__init__()
        self.config = config
        num_inputs = encoder.config.convolutions[-1].channels
        self.dropout = nn.Dropout(config.quantizer_dropout)
        self.quantizer = GumbelQuantizer(num_inputs, config)
        self.project = nn.Linear(config.width, config.width)
        self.predict = nn.Linear(encoder.config.width, config.width)

    def forward(
        self, encoder: Wav2Vec2Encoder, samples: Tensor, lengths: Tensor, step: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch (equation 2).

        Args:
            encoder: what is trained.
            samples: (B, 1, N).
            lengths: (B,) valid samples.
            step: of the run, for the temperature.

        Returns:
            The loss for each masked frame, and its parts and figures by name.
        """
        config = self.config
        latent, lengths = encoder.latent(samples, lengths)  # (B, S, C)
        latent = scale_gradient(latent, config.feature_gradient)
        valid = frame_mask(lengths, latent.transpose(1, 2)).squeeze(1).bool()  # (B, S)
        times = span_mask(lengths, latent.shape[1], encoder.config.time_mask)
        normed = encoder.input_norm(latent)
        x = encoder.masked(encoder.input_dropout(encoder.projection(normed)), times)
        predicted = self.predict(encoder.contextualize(x, lengths)[times])  # (M, Q)
        temperature = config.temperature_at(step)
        target = self.quantizer(self.dropout(normed[times]), temperature)
        losses, right = contrastive_losses(
            predicted, self.project(target.values), target.entries, times.sum(1), config
        )
        contrastive = losses.sum() / max(1, len(losses))
        num_codes = config.num_groups * config.num_entries
        diversity = (num_codes - target.perplexity) / num_codes
        penalty = latent[valid].float().square().mean()
        loss = contrastive + config.diversity_weight * diversity + config.penalty_weight * penalty
        return loss, {
            "contrastive": contrastive,
            "accuracy": right.sum() / max(1, len(right)),
            "code_perplexity": target.used_perplexity,
            "probability_perplexity": target.perplexity,
            "feature_penalty": penalty,
            "temperature": loss.new_tensor(temperature),
        }


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """Give x itself, whose gradient is multiplied by `factor`."""
    return x if factor == 1.0 else x.detach() + factor * (x - x.detach())
