"""The CTC loss (Graves et al. 2006), averaged over utterances."""

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


def mean_over_used(losses: Tensor, token_lengths: Tensor) -> Tensor:
    """Average over the utterances with a target, not over their labels (NeMo's `mean_batch`)."""
    return losses.sum() / (token_lengths >= 0).sum().clamp(min=1)
