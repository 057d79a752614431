"""The Conformer family: parameters of the published sizes, no leaks of the future, refused values."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.models.conformer import ConformerConfig, ConformerEncoder
from linnet.models.ctc import CtcModel, ModelConfig

Batch = Callable[..., tuple[Tensor, Tensor]]
PIECES = [chr(0x4E00 + index) for index in range(127)]  # with the space and the blank 129 outputs
SIZE = {"num_layers": 2, "width": 8, "num_heads": 2, "expansion": 2, "subsampling_channels": 4, "kernel": 3}
STREAMING = {
    "kernel": 4,
    "lookahead_frames": 0,
    "causal_subsampling": True,
    "conv_norm": "layer",
    "context_frames": [4, 1],
    "chunked": True,
}
ABSOLUTE = {"positions": "absolute", "context_frames": [2, 3]}


def build(**values: Any) -> ConformerEncoder:
    """In evaluation mode."""
    torch.manual_seed(0)
    return ConformerConfig.model_validate(SIZE | values).build(num_features=6).eval()


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


def test_dropout_acts_in_training_only(padded_batch: Batch) -> None:
    encoder, (features, lengths) = build(), padded_batch(30)
    assert torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])
    encoder.train()
    assert not torch.equal(encoder(features, lengths)[0], encoder(features, lengths)[0])


@torch.inference_mode()
@pytest.mark.parametrize(
    ("values", "changed_from", "first_seen"),
    [(STREAMING, 28, 6), (STREAMING, 29, 8), (ABSOLUTE, 60, 7)],
)
def test_no_frame_sees_beyond_its_context(
    values: dict[str, Any], changed_from: int, first_seen: int, padded_batch: Batch
) -> None:
    """Frame s takes the features up to 4 s, or 4 s + 3; then it sees its chunk, or 2 · (3 + 1) frames."""
    encoder, (features, lengths) = build(**values), padded_batch(61)
    changed = features.clone()
    changed[..., changed_from:] += 100.0
    before, after = (encoder(each, lengths)[0][0] for each in (features, changed))
    same = (before - after).abs().amax(0) < 1e-6
    assert same[:first_seen].all()
    assert not same[first_seen]


def test_tied_biases_are_one_parameter() -> None:
    first, second = (block.attention.module for block in build(tie_position_biases=True).blocks)
    assert first.content_bias is second.content_bias
    assert first.position_bias is second.position_bias


@torch.inference_mode()
def test_a_full_context_model_becomes_local_by_its_configuration_alone(padded_batch: Batch) -> None:
    full, (features, lengths) = build(subsampling=2), padded_batch(40, 21)
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
