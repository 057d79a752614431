"""Random spans that training masks, in the time or in the channels of an encoding.

B batch, P places: frames or channels.
"""

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor


class SpanMaskConfig(BaseModel):
    """How much of an axis is masked.

    Attributes:
        share: length of all spans together, as a share of the places; spans may overlap, so less is masked
            (0.65 in spans of 10 masks about 49 %). 0 masks nothing.
        length: places in a span; at most half of those that there are.
        min_spans: spans at least, where any are drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(default=0.0, ge=0.0, le=1.0)
    length: int = Field(ge=1, le=10_000)
    min_spans: int = Field(default=0, ge=0, le=1000)


def span_mask(lengths: Tensor, num_places: int, config: SpanMaskConfig) -> Tensor:
    """Draw masks (arXiv:2006.11477, §3.1): spans that start at different places, uniformly chosen.

    An utterance of n places gets share · n / length spans, rounded up or down at random so that the mean is
    right.

    Args:
        lengths: (B,) valid places.
        num_places: P.
        config: how much.

    Returns:
        (B, P) of bool, true where something is masked: valid places alone.
    """
    places = torch.arange(num_places, device=lengths.device)
    if not config.share:
        return torch.zeros(len(lengths), num_places, dtype=torch.bool, device=lengths.device)
    span_lengths = torch.minimum(lengths // 2, lengths.new_tensor(config.length)).unsqueeze(1)  # (B, 1)
    expected = config.share * lengths / config.length
    num_spans = (
        (expected + torch.rand(len(lengths), device=lengths.device)).floor().clamp(min=config.min_spans)
    )
    may_start = (places <= lengths.unsqueeze(1) - span_lengths) & (span_lengths > 0)
    order = torch.rand(len(lengths), num_places, device=lengths.device).masked_fill(~may_start, 2.0)
    ranks = order.argsort(dim=1).argsort(dim=1)
    starts = (ranks < num_spans.unsqueeze(1)) & may_start
    begun = torch.nn.functional.pad(starts.cumsum(1), (1, 0))  # (B, P + 1): spans begun before each place
    earlier = (places + 1 - span_lengths).clamp(min=0)
    return (begun[:, 1:] > begun.gather(1, earlier)) & (places < lengths.unsqueeze(1))
