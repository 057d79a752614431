"""NeMo's Squeezeformer sections: defaults, what is refused, and every key of a state dict."""

from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.importers.nemo_squeezeformer import rename, translate_encoder
from linnet.importers.section import Section
from linnet.models.squeezeformer import SqueezeformerConfig, squeezeformer

SIZE = {"feat_in": 80, "n_layers": 3, "d_model": 8}


def translate(**changes: Any) -> SqueezeformerConfig:
    return translate_encoder(Section(SIZE | changes, "a.nemo, encoder"))


def test_missing_keys_have_nemos_defaults() -> None:
    expected = SqueezeformerConfig(num_layers=3, width=8, attention_dropout=0.0)
    assert translate() == translate(time_recovery_idx=1) == expected  # there is nothing to recover from
    assert expected.model_dump() | {"reduce_at": 1} == translate(time_reduce_idx=1).model_dump()


def test_the_paper_s_smallest_size_in_nemos_words() -> None:
    section = {
        "feat_in": 80,
        "feat_out": -1,
        "n_layers": 16,
        "d_model": 144,
        "adaptive_scale": True,
        "time_reduce_idx": 7,
        "time_recovery_idx": None,
        "subsampling": "dw_striding",
        "subsampling_factor": 4,
        "subsampling_conv_channels": -1,
        "ff_expansion_factor": 4,
        "self_attention_model": "rel_pos",
        "n_heads": 4,
        "att_context_size": [-1, -1],
        "xscaling": True,
        "untie_biases": True,
        "pos_emb_max_len": 5000,
        "conv_kernel_size": 31,
        "conv_norm_type": "batch_norm",
        "dropout": 0.1,
        "dropout_emb": 0.0,
        "dropout_att": 0.1,
    }
    assert translate_encoder(Section(section, "encoder")) == squeezeformer("xs")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"self_attention_model": "abs_pos"}, "self_attention_model: 'abs_pos' is not supported"),
        ({"att_context_size": [64, 0]}, r"att_context_size: \[64, 0\] is not supported"),
        ({"subsampling": "vggnet"}, "subsampling: 'vggnet' is not supported"),
        ({"conv_norm_type": "group_norm8"}, "conv_norm_type: 'group_norm8' is not supported"),
        ({"feat_out": 16}, "feat_out: 16 is not supported"),
        ({"time_reduce_idx": 5}, "encoder: reduce_at=5 and recover_at=2 must be blocks in this order"),
        ({"time_reduce_idx": "one"}, "reduce_at: 'one' should be a valid integer"),
        ({"new_trick": True}, "unknown keys: new_trick"),
    ],
)
def test_what_linnet_does_not_compute_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        translate(**changes)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, {"conv.0": "stages.0", "conv.2": "stages.1", "conv.3": "mixings.1"}),
        (
            {"subsampling_factor": 8},
            {"conv.2": "stages.1", "conv.3": "mixings.1", "conv.5": "stages.2", "conv.6": "mixings.2"},
        ),
        ({"subsampling": "striding"}, {"conv.0": "stages.0", "conv.2": "stages.1"}),
    ],
)
def test_convolutions_are_found_among_the_activations(changes: dict[str, Any], keys: dict[str, str]) -> None:
    config = translate(**changes)
    ours = config.build(80).state_dict()
    for theirs, expected in keys.items():
        for value in ("weight", "bias"):
            renamed = rename(f"pre_encode.{theirs}.{value}", config)
            assert renamed == f"subsampling.{expected}.{value}"
            assert renamed in ours


def test_fixed_scales_are_kept_as_the_file_has_them() -> None:
    config = translate(adaptive_scale=False)
    name = rename("layers.2.conv_scale.scale", config)
    assert name == "blocks.2.convolution.scale.scale"
    assert torch.equal(config.build(80).state_dict()[name], torch.ones(8))


def test_keys_of_no_use_and_unknown_keys() -> None:
    config = translate()
    assert rename("pos_enc.pe", config) is None
    for key in ("layers.0.adapter.linear.weight", "layers.0.conv.norm.weight", "out_proj.weight", "weight"):
        with pytest.raises(KeyError):
            rename(key, config)
