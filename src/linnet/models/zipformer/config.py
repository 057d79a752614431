"""The values that make a Zipformer."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEDULE_BATCHES = 20_000  # batches of ten minutes in which most schedules of the paper end
Count = Annotated[int, Field(ge=1, le=8192)]
Counts = tuple[Count, ...]


class ZipformerValues(BaseModel):
    """All that makes a Zipformer; the defaults are those of the paper's small one (table 1).

    Lists have a value for each stack. Frames are those after the embedding, one every two features.

    Attributes:
        num_layers: blocks.
        widths: D.
        feed_forward: hidden values of the second feed-forward module; the first has 3/4 and the third 5/4.
        unmasked_widths: channels that are never dropped as a whole.
        downsampling: frames that a stack joins into one, powers of two.
        num_heads: attention heads.
        kernels: taps of the depthwise convolutions, odd.
        query_width, value_width, position_head_width: values a head has for queries and keys, for values, and
            for queries to positions.
        position_width: of the position table.
        embed_channels: of the three convolutions before the stacks.
        causal: convolutions that look ahead within their chunk only, so that `chunk_frames` may be given.
        chunk_frames: frames of a chunk in use; attention sees its own and those before. 0: all frames.
        left_context_frames: frames before the chunk that attention sees in use, as whole chunks; 0: all.
        training_chunks: chunk lengths that training draws from, one for each batch; 0: all frames.
        training_left_contexts: the same for what lies before the chunk.
        first_dropout, dropout: at the first step and at the end of the schedule.
        position_dropout: of the position table.
        output_dropout: of what leaves the encoder.
        schedule_steps: optimizer steps in which dropout, skipped layers, limits and balances reach their
            end; the authors took 20,000 batches of ten minutes. 0: they are there from the start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["zipformer"] = "zipformer"
    num_layers: Counts = (2, 2, 2, 2, 2, 2)
    widths: Counts = (192, 256, 256, 256, 256, 256)
    feed_forward: Counts = (512, 768, 768, 768, 768, 768)
    unmasked_widths: Counts = (192, 192, 192, 192, 192, 192)
    downsampling: Counts = (1, 2, 4, 8, 4, 2)
    num_heads: Counts = (4, 4, 4, 8, 4, 4)
    kernels: Counts = (31, 31, 15, 15, 15, 31)
    query_width: Count = 32
    value_width: Count = 12
    position_head_width: Count = 4
    position_width: Count = 48
    embed_channels: tuple[Count, Count, Count] = (8, 32, 128)
    causal: bool = False
    chunk_frames: int = Field(default=0, ge=0)
    left_context_frames: int = Field(default=0, ge=0)
    training_chunks: tuple[Annotated[int, Field(ge=0)], ...] = (16, 32, 64, 0)
    training_left_contexts: tuple[Annotated[int, Field(ge=0)], ...] = (64, 128, 256, 0)
    first_dropout: float = Field(default=0.3, ge=0.0, lt=1.0)
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    position_dropout: float = Field(default=0.15, ge=0.0, lt=1.0)
    output_dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    schedule_steps: int = Field(default=SCHEDULE_BATCHES, ge=0)

    @model_validator(mode="after")
    def _check(self) -> "ZipformerValues":
        self._check_stacks()
        if any(number.bit_count() != 1 for number in self.downsampling):
            raise ValueError(f"downsampling must be powers of two, not {list(self.downsampling)}")
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"kernels must be odd, not {list(self.kernels)}")
        if any(width % 4 for width in self.widths):
            raise ValueError(f"widths must be multiples of 4, not {list(self.widths)}")
        if self.position_width % 2:
            raise ValueError(f"position_width must be even, not {self.position_width}")
        self._check_chunks()
        return self

    def _check_stacks(self) -> None:
        number = len(self.num_layers)
        for name in ("widths", "feed_forward", "unmasked_widths", "downsampling", "num_heads", "kernels"):
            if len(getattr(self, name)) != number:
                raise ValueError(
                    f"num_layers gives {number} stacks, {name} {len(getattr(self, name))} values"
                )

    def _check_chunks(self) -> None:
        if not self.causal:
            if self.chunk_frames:
                raise ValueError("chunk_frames needs causal: true")
            return
        coarsest = max(2, *self.downsampling)
        if not self.training_chunks or not self.training_left_contexts:
            raise ValueError("training_chunks and training_left_contexts need a value each")
        for chunk in (self.chunk_frames, *self.training_chunks):
            if chunk % coarsest:
                raise ValueError(f"chunks must be multiples of {coarsest} frames, not {chunk}")
        if not self.chunk_frames:
            raise ValueError("causal needs chunk_frames, those of a chunk in use, such as 32")

    @property
    def output_width(self) -> int:
        """Values per output frame."""
        return max(self.widths)

    @property
    def subsampling(self) -> int:
        """Features per output frame."""
        return 4

    @property
    def batches_per_step(self) -> float:
        """Batches of the authors' size that a step counts as in the schedules."""
        return SCHEDULE_BATCHES / self.schedule_steps if self.schedule_steps else math.inf
