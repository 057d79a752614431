"""The Conformer family: parameters of the published sizes, no leaks of padding or future, refused values."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.models.conformer import ConformerConfig, ConformerEncoder
from linnet.models.ctc import CtcModel, ModelConfig

PIECES = [chr(0x4E00 + index) for index in range(127)]  # with the space and the blank 129 outputs
SIZE = {"num_layers": 2, "width": 8, "num_heads": 2, "expansion": 2, "subsampling_channels": 4}
VARIANTS: dict[str, dict[str, Any]] = {
    "paper": {"kernel": 7, "subsampling": 2},
    "fast": {
        "kernel": 5,
        "separable_subsampling": True,
        "bias": False,
        "scale_input": False,
        "projection": 5,
    },
    "tied": {"kernel": 3, "tie_position_biases": True, "context_frames": [2, None]},
    "absolute": {"kernel": 3, "positions": "absolute", "context_frames": [2, 3]},
    "local": {"kernel": 3, "context_frames": [3, 2]},
    "global": {"kernel": 3, "context_frames": [2, 2], "global_token": True},
    "own global layers": {"context_frames": [1, 3], "global_token": True, "global_layers": True},
    "streaming": {
        "kernel": 4,
        "lookahead_frames": 0,
        "causal_subsampling": True,
        "conv_norm": "layer",
        "context_frames": [4, 1],
        "chunked": True,
    },
}


def build(variant: str) -> ConformerEncoder:
    torch.manual_seed(0)
    encoder = ConformerConfig.model_validate(SIZE | VARIANTS[variant]).build(num_features=6)
    for name, parameter in encoder.named_parameters():
        if "bias" in name or "norm" in name:  # no value that an error could hide behind
            torch.nn.init.normal_(parameter, 1.0 if name.endswith("norm.weight") else 0.0, 0.5)
    for name, buffer in encoder.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_()
    return encoder.eval()


def batch(*lengths: int) -> tuple[Tensor, Tensor]:
    """Features (B, 6, T) with garbage behind each length, and the lengths."""
    features = torch.randn(len(lengths), 6, max(lengths), generator=torch.Generator().manual_seed(1))
    for row, length in zip(features, lengths, strict=True):
        row[:, length:] = 50.0
    return features, torch.tensor(lengths)


@pytest.mark.parametrize(
    ("encoder", "parameters"),
    [
        ({"conformer": "s"}, 12_995_441),
        ({"conformer": "m"}, 30_538_625),
        ({"conformer": "l"}, 121_501_313),
        ({"conformer": "xl"}, 635_442_305),  # "635M" in NeMo's configuration
        ({"fastconformer": "l17", "num_layers": 18}, 115_140_737),
    ],
)
def test_parameter_counts(encoder: dict[str, Any], parameters: int) -> None:
    config = ModelConfig.model_validate(
        {
            "name": "counted",
            "frontend": {"num_mels": 80},
            "encoder": encoder,
            "tokenizer": {"kind": "char", "pieces": PIECES},
        }
    )
    with torch.device("meta"):  # shapes without memory
        assert CtcModel(config).num_parameters() == parameters


@torch.inference_mode()
@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_and_company_change_nothing(variant: str) -> None:
    encoder = build(variant)
    features, lengths = batch(61, 40, 39, 33, 8, 5, 2, 1)
    together, output_lengths = encoder(features, lengths)
    longer, longer_lengths = encoder(torch.nn.functional.pad(features, (0, 70), value=9.0), lengths)
    assert longer_lengths.tolist() == output_lengths.tolist()
    for row, length, *encoded, num_frames in zip(
        features, lengths, together, longer, output_lengths, strict=True
    ):
        alone, alone_lengths = encoder(row[None, :, :length], length[None])
        assert alone_lengths.tolist() == [alone.shape[-1]] == [num_frames]
        for each in encoded:
            torch.testing.assert_close(each[:, :num_frames], alone[0], atol=1e-5, rtol=1e-5)
            assert each[:, :num_frames].argmax(0).tolist() == alone[0].argmax(0).tolist()


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_reaches_every_parameter_and_sees_no_padding(variant: str) -> None:
    encoder = build(variant).train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    features, lengths = batch(61, 33, 1)
    clean = features * (torch.arange(61) < lengths[:, None, None])
    encoded, output_lengths = encoder(features, lengths)
    expected, _ = encoder(clean, lengths)
    valid = torch.arange(encoded.shape[-1]) < output_lengths[:, None, None]
    torch.testing.assert_close(encoded * valid, expected * valid)
    (encoded * valid).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # A bias of all keys moves every score of a query alike: softmax does not see it.
        assert parameter.grad.any() or name.endswith("key.bias"), name


def test_dropout_acts_in_training_only() -> None:
    encoder, (features, lengths) = build("paper"), batch(30)
    assert torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])
    encoder.train()
    assert not torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])


@torch.inference_mode()
@pytest.mark.parametrize(
    ("variant", "changed_from", "first_seen"),
    [("streaming", 28, 6), ("streaming", 29, 8), ("absolute", 60, 7)],
)
def test_no_frame_sees_beyond_its_context(variant: str, changed_from: int, first_seen: int) -> None:
    """Frame s takes the features up to 4 s, or 4 s + 3; then it sees its chunk, or 2 · (3 + 1) frames."""
    encoder, (features, lengths) = build(variant), batch(61)
    changed = features.clone()
    changed[..., changed_from:] += 100.0
    before, after = (encoder(each, lengths)[0][0] for each in (features, changed))
    same = (before - after).abs().amax(0) < 1e-6
    assert same[:first_seen].all()
    assert not same[first_seen]


def test_tied_biases_are_one_parameter() -> None:
    first, second = (block.attention.module for block in build("tied").blocks)
    assert first.content_bias is second.content_bias
    assert first.position_bias is second.position_bias


@torch.inference_mode()
def test_a_full_context_model_becomes_local_by_its_configuration_alone() -> None:
    full, (features, lengths) = build("paper"), batch(40, 21)
    config = full.config.model_copy(update={"context_frames": (30, 30)})  # wider than the utterance
    local = config.build(num_features=6).eval()
    local.load_state_dict(full.state_dict())
    for ours, expected in zip(local(features, lengths)[0], full(features, lengths)[0], strict=True):
        torch.testing.assert_close(ours[:, :11], expected[:, :11], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 9}, "width must be even and a multiple of num_heads, not 9"),
        ({"width": 10, "num_heads": 4}, "a multiple of num_heads, not 10"),
        ({"kernel": 4}, "kernel must be odd where lookahead_frames is not given, not 4"),
        ({"kernel": 5, "lookahead_frames": 5}, "lookahead_frames must be less than kernel, not 5"),
        ({"context_frames": [-1, 3]}, "context_frames must be 0 or more, or null"),
        ({"context_frames": [5, 1], "chunked": True}, r"whole chunks, chunk - 1.*not \[5, 1\]"),
        ({"context_frames": [4, None], "chunked": True}, r"not \[4, None\]"),
        ({"global_token": True}, "global_token needs relative positions and both context_frames"),
        ({"global_layers": True}, "global_layers needs global_token"),
    ],
)
def test_values_that_do_not_go_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ConformerConfig.model_validate(SIZE | values)
