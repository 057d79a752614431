"""The CTC loss (Graves et al. 2006), averaged over utterances, and the consistency of two views."""

import torch
from torch import Tensor
from torch.nn import functional


def ctc_loss(log_probs: Tensor, lengths: Tensor, tokens: Tensor, token_lengths: Tensor) -> Tensor:
    """Negative log-likelihood per utterance, blank last.

    Args:
        log_probs: (B, S, V).
        lengths: (B,) valid frames.
        tokens: (B, L).
        token_lengths: (B,) valid tokens; a negative length leaves the utterance out.

    Returns:
        (B,) nats: 0 for utterances left out and for those whose labels do not fit their frames
        (`zero_infinity`).
    """
    used = token_lengths >= 0
    losses = functional.ctc_loss(
        log_probs.float().transpose(0, 1),
        tokens,
        lengths,
        token_lengths.clamp(min=0),
        blank=log_probs.shape[-1] - 1,
        reduction="none",
        zero_infinity=True,
    )
    return torch.where(used, losses, losses.new_zeros(()))


def consistency_loss(log_probs: Tensor, lengths: Tensor) -> Tensor:
    """Kullback-Leibler divergence between two views of each utterance, both ways, halved (CR-CTC, eq. 3).

    Each view is the fixed target of the other: https://arxiv.org/abs/2410.05101, §3.1.

    Args:
        log_probs: (2 B, S, V), all first views before all second ones.
        lengths: (2 B,) valid frames.

    Returns:
        (B,) nats, summed over the frames.
    """
    first, second = log_probs.float().chunk(2)
    there = functional.kl_div(first, second.detach(), reduction="none", log_target=True)
    back = functional.kl_div(second, first.detach(), reduction="none", log_target=True)
    valid = torch.arange(first.shape[1], device=first.device) < lengths[: len(first), None]
    return ((there + back).sum(-1) * valid).sum(-1) / 2


def mean_over_used(losses: Tensor, token_lengths: Tensor) -> Tensor:
    """Average over the utterances with a target, not over their labels (NeMo's `mean_batch`)."""
    return losses.sum() / (token_lengths >= 0).sum().clamp(min=1)
