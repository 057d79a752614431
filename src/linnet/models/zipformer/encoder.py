"""The encoder of Zipformer (arXiv:2310.11230): stacks of blocks, most of them at fewer frames a second.

B batch, F mel bins, T frames in, N = ⌈T/2⌉ frames after the embedding, S = ⌈N/2⌉ frames out, D width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.layers.attention import additive_mask
from linnet.models.layers.schedule import Clock, Ramp
from linnet.models.zipformer.activations import Bypass
from linnet.models.zipformer.attention import compact_positions
from linnet.models.zipformer.block import Frames, ZipformerBlock, dropout_ramp
from linnet.models.zipformer.config import ZipformerValues
from linnet.models.zipformer.embedding import ConvEmbedding

WARMUP_BATCHES = 4000.0
FIRST_SKIP, LAST_SKIP = 0.5, 0.035  # of a block; the last times √downsampling
CHANNEL_SKIP = 0.125
Context = tuple[int, int]  # frames of a chunk, and of what is seen before it; 0: all


class Downsample(nn.Module):
    """A learned weighted sum of every few frames, the same for all channels (§3.1)."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor
        self.bias = nn.Parameter(torch.zeros(factor))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Join frames of x (B, N, D), as if the last of (B,) valid ones went on: (B, ⌈N/factor⌉, D)."""
        num_frames, width = x.shape[1:]
        last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, width)
        last = x.gather(1, last)  # (B, 1, D)
        valid = torch.arange(num_frames, device=x.device) < lengths.unsqueeze(1)
        x = torch.where(valid.unsqueeze(2), x, last)
        num_groups = (num_frames + self.factor - 1) // self.factor
        # By index, not by padding and cutting: tracing for export would compare lengths unknown to it.
        frames = torch.arange(num_groups * self.factor, device=x.device).clamp(max=num_frames - 1)
        x = x.index_select(1, frames).reshape(x.shape[0], num_groups, self.factor, width)
        return (x * self.bias.softmax(0).unsqueeze(1)).sum(2)


class Stack(nn.Module):
    """Blocks of one width and frame rate, with the frames joined before and given back behind."""

    def __init__(self, config: ZipformerValues, stack: int, clock: Clock) -> None:
        super().__init__()
        self.config = config
        self.factor = config.downsampling[stack]
        self.position_dropout = nn.Dropout(config.position_dropout)
        self.blocks = nn.ModuleList(
            ZipformerBlock(config, stack, clock, skip) for skip in _block_skips(config, stack)
        )
        if self.factor > 1:
            self.downsample = Downsample(self.factor)
            self.combine = Bypass(clock, config.widths[stack])

    def forward(self, x: Tensor, lengths: Tensor, channels: Tensor | None, context: Context) -> Tensor:
        """Transform x (B, N, D).

        Args:
            x: (B, N, D).
            lengths: (B,) valid frames.
            channels: (B, 1, D), 0 for channels that are dropped in training.
            context: of attention.
        """
        joined, lengths = (
            (x, lengths)
            if self.factor == 1
            else (self.downsample(x, lengths), (lengths + self.factor - 1) // self.factor)
        )
        y = joined if channels is None else joined * channels
        frames = self._frames(joined, lengths, context)
        for block in self.blocks:
            y = block(y, frames)
            y = y if channels is None else y * channels
        if self.factor == 1:
            return y
        sources = torch.arange(x.shape[1], device=x.device) // self.factor
        combined: Tensor = self.combine(x, y.index_select(1, sources))
        return combined

    def _frames(self, x: Tensor, lengths: Tensor, context: Context) -> Frames:
        frames = torch.arange(x.shape[1], device=x.device)
        valid = frames < lengths.unsqueeze(1)  # (B, S)
        allowed = valid[:, None, None]  # (B, 1, 1, S)
        chunk, left = context
        if chunk:
            places = frames * self.factor // chunk
            back = places.unsqueeze(1) - places  # chunks from key to query
            inside = back >= 0
            if left:
                inside = inside & (back <= max(left // chunk, 1))
            allowed = allowed & inside
        positions: Tensor = self.position_dropout(compact_positions(x, self.config.position_width))
        return Frames(
            positions=positions,
            seen=additive_mask(allowed, x.dtype),
            valid=valid.unsqueeze(2).to(x.dtype),
            chunk=chunk // self.factor,
        )


def _block_skips(config: ZipformerValues, stack: int) -> list[Ramp]:
    """Say how often each block of a stack is skipped: half of the time, until its turn to learn has come."""
    turn = WARMUP_BATCHES / (len(config.num_layers) + 1)
    share = turn / config.num_layers[stack]
    begins = [(stack + 1) * turn + layer * share for layer in range(config.num_layers[stack])]
    last = LAST_SKIP * config.downsampling[stack] ** 0.5
    return [Ramp((begin, FIRST_SKIP), (begin + share, last)) for begin in begins]


class ZipformerEncoder(nn.Module):
    """Zipformer (figure 1): (B, F, T) features → (B, D, S) encoding, D that of the widest stack.

    Each channel of the output comes from the last stack that has it.
    """

    def __init__(self, config: ZipformerValues, num_features: int) -> None:
        super().__init__()
        self.config = config
        self.clock = Clock(config.batches_per_step)
        self.embedding = ConvEmbedding(
            self.clock, num_features, config.embed_channels, config.widths[0], dropout_ramp(config)
        )
        self.stacks = nn.ModuleList(
            Stack(config, stack, self.clock) for stack in range(len(config.num_layers))
        )
        self.downsample = Downsample(2)
        self.dropout = nn.Dropout(config.output_dropout)

    def at_step(self, step: int) -> None:
        """Take note that `step` optimizer steps are done, on which the regularizers depend."""
        self.clock.at_step(step)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (B, F, T) or (B, F, 1, T) features with (B,) valid frames: (B, D, S) or (B, D, 1, S)."""
        x, lengths = self.embedding(features if features.dim() == 3 else features.squeeze(2), lengths)
        context, kept = self._context(), self._kept_channels(x)
        outputs: list[Tensor] = []
        for stack, width, channels in zip(self.stacks, self.config.widths, kept, strict=True):
            x = functional.pad(x, (0, width - x.shape[2]))  # cuts where the stack is narrower
            x = stack(x, lengths, channels, context)
            outputs.append(x)
        x = self.downsample(_full_width(outputs), lengths)
        encoded: Tensor = self.dropout(x).transpose(1, 2)  # (B, D, S)
        return encoded if features.dim() == 3 else encoded.unsqueeze(2), (lengths + 1) // 2

    def _context(self) -> Context:
        """Give the context in use, or draw one in training."""
        config = self.config
        if not (self.training and config.causal):
            return config.chunk_frames, config.left_context_frames
        chunks, lefts = config.training_chunks, config.training_left_contexts
        drawn = torch.randint(2**31, (2,)).tolist()
        return chunks[drawn[0] % len(chunks)], lefts[drawn[1] % len(lefts)]

    def _kept_channels(self, x: Tensor) -> list[Tensor | None]:
        """Draw, in training, who loses a part of the channels: (B, 1, D) for each stack, of 0 and 1.

        Of the channels beyond `unmasked_widths` some utterances lose all and as many the upper half; the
        same ones in all stacks.
        """
        if not self.training:
            return [None] * len(self.stacks)
        first, second = (torch.rand(2, x.shape[0], 1, 1, device=x.device) >= CHANNEL_SKIP).to(x.dtype)
        return [
            self._stack_channels(width, unmasked, first, second)
            for width, unmasked in zip(self.config.widths, self.config.unmasked_widths, strict=True)
        ]

    @staticmethod
    def _stack_channels(width: int, unmasked: int, first: Tensor, second: Tensor) -> Tensor | None:
        if width <= unmasked:
            return None
        half = (width - unmasked) // 2
        sizes, rows = (
            (unmasked, half, width - unmasked - half),
            (torch.ones_like(first), first, first * second),
        )
        return torch.cat([row.expand(-1, -1, size) for row, size in zip(rows, sizes, strict=True)], dim=2)


def _full_width(outputs: list[Tensor]) -> Tensor:
    """Join the outputs of all stacks: the last, then from those before it the channels that are wider."""
    pieces = [outputs[-1]]
    width = outputs[-1].shape[2]
    for output in reversed(outputs[:-1]):
        if output.shape[2] > width:
            pieces.append(output[..., width:])
            width = output.shape[2]
    return torch.cat(pieces, dim=2)
