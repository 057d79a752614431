"""Squeezeformer: sizes of the paper, a U-Net over any number of frames, exact masks, refused values."""

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

PIECES = [chr(0x4E00 + index) for index in range(127)]  # with the space and the blank 129 outputs
SIZE = {"num_layers": 3, "width": 8, "num_heads": 2, "expansion": 2, "kernel": 15, "subsampling_channels": 4}
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {"reduce_at": 1},
    "early": {
        "num_layers": 2,
        "reduce_at": 0,
        "recover_at": 1,
        "subsampling": 2,
        "kernel": 3,
        "conv_norm": "layer",
    },
    "flat": {"adaptive_scale": False, "separable_subsampling": False, "scale_input": False, "kernel": 5},
}
LENGTHS = (61, 40, 39, 33, 32, 8, 5, 2, 1)


def tiny_model(variant: str) -> CtcModel:
    torch.manual_seed(0)
    values = {
        "name": "tiny",
        "frontend": {"num_mels": 6, "dither": 0.0},
        "encoder": {"kind": "squeezeformer", **SIZE, **VARIANTS[variant]},
        "tokenizer": {"kind": "char", "pieces": ["a", "b", "c"]},
    }
    model = CtcModel(ModelConfig.model_validate(values))
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:  # no value that an error could hide behind
            torch.nn.init.normal_(parameter, 0.0 if name.endswith("bias") else 1.0, 0.5)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
    return model.eval()


def batch(*lengths: int) -> tuple[Tensor, Tensor]:
    """Features (B, 6, T) with garbage behind each length, and the lengths."""
    features = torch.randn(len(lengths), 6, max(lengths), generator=torch.Generator().manual_seed(1))
    for row, length in zip(features, lengths, strict=True):
        row[:, length:] = 50.0
    return features, torch.tensor(lengths)


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


@torch.inference_mode()
@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_and_company_change_nothing(variant: str) -> None:
    model = tiny_model(variant)
    features, lengths = batch(*LENGTHS)
    together, output_lengths = model(features, lengths)
    longer, longer_lengths = model(functional.pad(features, (0, 70), value=9.0), lengths)
    assert longer_lengths.tolist() == output_lengths.tolist()
    for row, length, *scored, num_frames in zip(
        features, lengths, together, longer, output_lengths, strict=True
    ):
        alone, alone_lengths = model(row[None, :, :length], length[None])
        assert alone_lengths.tolist() == [alone.shape[1]] == [num_frames]
        for log_probs in scored:
            torch.testing.assert_close(log_probs[:num_frames], alone[0], atol=1e-5, rtol=0)
            assert log_probs[:num_frames].argmax(-1).tolist() == alone[0].argmax(-1).tolist()


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_reaches_every_parameter_and_sees_no_padding(variant: str) -> None:
    encoder = tiny_model(variant).encoder.train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    features, lengths = batch(61, 33, 1)
    clean = features * (torch.arange(61) < lengths[:, None, None])
    encoded, output_lengths = encoder(features, lengths)
    expected, _ = encoder(clean, lengths)
    valid = torch.arange(encoded.shape[-1]) < output_lengths[:, None, None]
    torch.testing.assert_close(encoded * valid, expected * valid)
    (encoded * valid).pow(3).sum().backward()  # behind a layer norm the sum of squares is almost constant
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # A bias of all keys moves every score of a query alike: softmax does not see it.
        assert parameter.grad.any() or name.endswith("key.bias"), name


def test_dropout_acts_in_training_only() -> None:
    encoder, (features, lengths) = tiny_model("paper").encoder, batch(30)
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
def test_the_u_net_adds_what_entered_it() -> None:
    encoder = tiny_model("paper").encoder
    assert isinstance(encoder, SqueezeformerEncoder)
    seen: dict[str, Tensor] = {}
    for name in ("reduction", "recovery"):
        module = encoder.get_submodule(name)
        module.register_forward_hook(lambda _, x, y, name=name: seen.update({name: x[0], f"{name} out": y}))
    last = encoder.blocks[-1]
    last.register_forward_hook(lambda _, x, y: seen.update({"last": x[0]}))
    encoder(*batch(40))
    assert seen["recovery"].shape[1] == seen["reduction out"].shape[1] == 5
    torch.testing.assert_close(seen["last"], seen["reduction"] + seen["recovery out"])


@torch.inference_mode()
def test_a_block_follows_its_equations() -> None:
    """Each part: scale, module, its input added, layer norm."""
    encoder = tiny_model("paper").encoder
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
