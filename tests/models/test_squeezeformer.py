"""Squeezeformer: sizes of the paper, a U-Net over any number of frames, refused values."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.layers.masking import frame_mask
from linnet.models.squeezeformer import (
    FrameContext,
    SqueezeformerConfig,
    SqueezeformerEncoder,
    TimeRecovery,
    TimeReduction,
    squeezeformer,
)

Batch = Callable[..., tuple[Tensor, Tensor]]
PIECES = [chr(0x4E00 + index) for index in range(127)]  # with the space and the blank 129 outputs
SIZE = {"num_layers": 3, "width": 8, "num_heads": 2, "expansion": 2, "kernel": 15, "subsampling_channels": 4}


def build() -> SqueezeformerEncoder:
    """One whose time is halved before the second of three blocks, in evaluation mode."""
    torch.manual_seed(0)
    encoder = SqueezeformerConfig.model_validate(SIZE | {"reduce_at": 1}).build(num_features=6)
    for parameter in encoder.parameters():
        if parameter.dim() == 1:  # no scale or bias that an error could hide behind
            torch.nn.init.normal_(parameter, 1.0, 0.5)
    return encoder.eval()


@pytest.mark.parametrize(
    ("variant", "parameters", "paper"),
    [
        ("xs", 9_031_953, 9.0),
        ("s", 18_565_837, 18.6),
        ("sm", 28_184_961, 28.2),
        ("m", 55_622_181, 55.6),
        ("ml", 125_025_921, 125.1),
        ("l", 236_254_209, 236.3),
    ],
)
def test_parameter_counts(variant: str, parameters: int, paper: float) -> None:
    config = ModelConfig.model_validate(
        {
            "name": "counted",
            "frontend": {"num_mels": 80},
            "encoder": {"squeezeformer": variant},
            "tokenizer": {"kind": "char", "pieces": PIECES},
        }
    )
    with torch.device("meta"):  # shapes without memory
        model = CtcModel(config)
    assert model.num_parameters() == parameters
    # The paper counts the running statistics of batch norm, as its Keras program does; else ml has 125.0 M.
    statistics = sum(value.numel() for name, value in model.named_buffers() if "running_" in name)
    assert round((parameters + statistics) / 1e6, 1) == paper


@pytest.mark.parametrize(("variant", "blocks"), [("xs", (7, 15)), ("m", (9, 19)), ("l", (10, 21))])
def test_the_u_net_lies_where_the_paper_has_it(variant: str, blocks: tuple[int, int]) -> None:
    config = squeezeformer(variant)
    assert (config.reduce_at, config.recovers_at, config.subsampling) == (*blocks, 4)


def test_dropout_acts_in_training_only(padded_batch: Batch) -> None:
    encoder, (features, lengths) = build(), padded_batch(30)
    assert torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])
    encoder.train()
    assert not torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])


@torch.inference_mode()
@pytest.mark.parametrize("num_frames", [1, 2, 3, 8, 9])
def test_time_is_halved_and_given_back_frame_by_frame(num_frames: int) -> None:
    """Frame i inside sees frames 2 i − 3 to 2 i + 1; frames 2 i and 2 i + 1 get it back."""
    torch.manual_seed(0)
    reduction, recovery = TimeReduction(4).eval(), TimeRecovery(4).eval()
    x = torch.randn(1, num_frames, 4)
    halved = reduction(x, torch.ones(1, 1, num_frames))
    padded = functional.pad(x.transpose(1, 2), (3, 2))
    for index in range((num_frames + 1) // 2):
        window = padded[0, :, 2 * index : 2 * index + 5]
        depthwise = (window * reduction.depthwise.weight[:, 0]).sum(-1) + reduction.depthwise.bias
        by_hand = reduction.pointwise.weight[..., 0] @ depthwise + reduction.pointwise.bias
        torch.testing.assert_close(halved[0, index], by_hand)
    expected = recovery.linear(halved).repeat_interleave(2, dim=1)[:, :num_frames]
    torch.testing.assert_close(recovery(halved, num_frames), expected)


@torch.inference_mode()
def test_the_u_net_adds_what_entered_it(padded_batch: Batch) -> None:
    encoder = build()
    seen: dict[str, Tensor] = {}
    for name in ("reduction", "recovery"):
        module = encoder.get_submodule(name)
        module.register_forward_hook(lambda _, x, y, name=name: seen.update({name: x[0], f"{name} out": y}))
    last = encoder.blocks[-1]
    last.register_forward_hook(lambda _, x, y: seen.update({"last": x[0]}))
    encoder(*padded_batch(40))
    assert seen["recovery"].shape[1] == seen["reduction out"].shape[1] == 5
    torch.testing.assert_close(seen["last"], seen["reduction"] + seen["recovery out"])


@torch.inference_mode()
def test_a_block_follows_its_equations() -> None:
    """Each part: scale, module, its input added, layer norm."""
    encoder = build()
    block, x = encoder.blocks[0], torch.randn(1, 6, 8)
    context = FrameContext(x, torch.tensor([6]))
    expected = x
    for part, needed in (
        (block.attention, (context.positions, context.attention_mask)),
        (block.feed_forward1, ()),
        (block.convolution, (frame_mask(torch.tensor([6]), x.transpose(1, 2)),)),
        (block.feed_forward2, ()),
    ):
        scaled = expected * part.scale.scale + part.scale.bias
        expected = functional.layer_norm(
            expected + part.module(scaled, *needed), (8,), part.norm.weight, part.norm.bias
        )
    torch.testing.assert_close(block(x, context), expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 9}, "width must be even and a multiple of num_heads, not 9"),
        ({"num_heads": 3}, "a multiple of num_heads, not 8"),
        ({"kernel": 4}, "kernel must be odd, not 4"),
        ({"recover_at": 2}, "recover_at needs reduce_at"),
        ({"reduce_at": 3}, "reduce_at=3 and recover_at=2 must be blocks in this order, counted from 0 to 2"),
        ({"reduce_at": 1, "recover_at": 3}, "reduce_at=1 and recover_at=3 must be"),
        ({"reduce_at": 2, "recover_at": 1}, "reduce_at=2 and recover_at=1 must be"),
    ],
)
def test_values_that_do_not_go_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SqueezeformerConfig.model_validate(SIZE | values)


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="xxl"):
        squeezeformer("xxl")
