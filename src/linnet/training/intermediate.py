"""CTC on the way: the model's own head on the output of blocks inside the encoder (arXiv:2102.03216)."""

from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from linnet.core.errors import ConfigError
from linnet.models.conformer import ConformerEncoder
from linnet.models.squeezeformer import SqueezeformerEncoder


class IntermediateConfig(BaseModel):
    """Intermediate CTC (Lee and Watanabe 2021, equation 9): it regularizes, and gets deep encoders going.

    Attributes:
        blocks: the blocks, counted from 1, behind which the head listens in.
        weight: their share of the loss together, w in the paper.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: tuple[int, ...] = Field(min_length=1)
    weight: float = Field(default=0.3, gt=0.0, lt=1.0)


class IntermediateOutputs:
    """Keeps what the chosen blocks of an encoder gave in the last forward pass of training.

    Args:
        encoder: a Conformer or Squeezeformer; their blocks give (B, S', D), D the encoder's width.
        blocks: which of them, counted from 1.

    Raises:
        ConfigError: when the encoder has no such blocks.
    """

    def __init__(self, encoder: nn.Module, blocks: Sequence[int]) -> None:
        if not isinstance(encoder, ConformerEncoder | SqueezeformerEncoder):
            raise ConfigError(
                f"the blocks of {type(encoder).__name__} cannot be scored by the head",
                where="intermediate",
                remedy="Leave the section out; it is for Conformer, FastConformer and Squeezeformer",
            )
        num_blocks = len(encoder.blocks)
        if not all(1 <= block < num_blocks for block in blocks):
            raise ConfigError(
                f"the encoder has {num_blocks} blocks, the last one scored anyway; not {list(blocks)}",
                where="intermediate.blocks",
                remedy=f"Choose blocks from 1 to {num_blocks - 1}",
            )
        self._outputs: dict[int, Tensor] = {}
        for block in blocks:
            encoder.blocks[block - 1].register_forward_hook(partial(self._keep, block))

    def take(self, num_frames: int, lengths: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return each output as (B, D, S') with its valid frames (B,), and forget them.

        Args:
            num_frames: S of the encoder; blocks inside a U-Net give fewer.
            lengths: (B,) valid ones of these.
        """
        outputs, self._outputs = self._outputs, {}
        ratios = [-(-num_frames // output.shape[1]) for output in outputs.values()]
        return [
            (output.transpose(1, 2), (lengths + ratio - 1) // ratio)
            for output, ratio in zip(outputs.values(), ratios, strict=True)
        ]

    def _keep(self, block: int, module: nn.Module, inputs: object, output: Tensor) -> None:
        if module.training:
            self._outputs[block] = output
