"""NeMo's ConformerEncoder: every key read or refused, and every weight under its new name."""

from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.importers.nemo_conformer import rename, translate_encoder
from linnet.importers.section import Section
from linnet.models.conformer import ConformerConfig

SIZE = {"feat_in": 80, "n_layers": 2, "d_model": 16, "feat_out": -1}
LAYER = """
norm_feed_forward1.weight norm_feed_forward1.bias feed_forward1.linear1.weight feed_forward1.linear2.weight
norm_self_att.weight norm_self_att.bias self_attn.pos_bias_u self_attn.pos_bias_v self_attn.linear_q.weight
self_attn.linear_k.weight self_attn.linear_v.weight self_attn.linear_out.weight self_attn.linear_pos.weight
self_attn.global_q.weight self_attn.global_k.weight self_attn.global_v.weight norm_conv.weight norm_conv.bias
conv.pointwise_conv1.weight conv.depthwise_conv.weight conv.batch_norm.weight conv.batch_norm.bias
conv.batch_norm.running_mean conv.batch_norm.running_var conv.batch_norm.num_batches_tracked
conv.pointwise_conv2.weight norm_feed_forward2.weight norm_feed_forward2.bias feed_forward2.linear1.weight
feed_forward2.linear2.weight norm_out.weight norm_out.bias
"""


def translate(**values: Any) -> ConformerConfig:
    return translate_encoder(Section({**SIZE, **values}, "model.nemo, encoder"))


def test_nemos_defaults() -> None:
    expected = ConformerConfig(num_layers=2, width=16, attention_dropout=0.0, position_dropout=0.1)
    assert translate() == expected


def test_a_fastconformer_of_version_3() -> None:
    config = translate(
        subsampling="dw_striding",
        subsampling_factor=8,
        subsampling_conv_channels=256,
        subsampling_conv_chunking_factor=1,
        n_heads=8,
        att_context_size=[-1, -1],
        xscaling=False,
        use_bias=False,
        conv_kernel_size=9,
        conv_context_size=None,
        dropout_pre_encoder=0.1,
        stochastic_depth_drop_prob=0.1,
        use_pytorch_sdpa=True,
        reduction=None,
        reduction_factor=1,
        feat_out=32,
    )
    assert (config.subsampling, config.subsampling_channels, config.separable_subsampling) == (8, 256, True)
    assert (config.scale_input, config.bias, config.kernel, config.num_heads) == (False, False, 9, 8)
    assert (config.context_frames, config.projection) == ((None, None), 32)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"att_context_size": [70, 13], "att_context_style": "chunked_limited"}, ((70, 13), True)),
        ({"att_context_size": [[8, 1], [8, 3]], "att_context_style": "chunked_limited"}, ((8, 1), True)),
        ({"att_context_size": [-1, 1], "att_context_style": "chunked_limited"}, ((None, 1), True)),
        ({"att_context_size": [[6, -1], [6, 2]], "att_context_style": "chunked_limited"}, ((6, None), False)),
        ({"att_context_size": [70, 0]}, ((70, 0), False)),
        (
            {"att_context_style": "chunked_limited_with_rc", "att_context_size": [8, 2, 1]},
            ((None, None), False),
        ),
        ({"att_context_size": None}, ((None, None), False)),
    ],
)
def test_what_each_frame_attends_to(values: dict[str, Any], expected: tuple[Any, bool]) -> None:
    config = translate(**values)
    assert (config.context_frames, config.chunked) == expected


def test_local_attention_with_a_global_token() -> None:
    values = {"self_attention_model": "rel_pos_local_attn", "att_context_size": [128, 128]}
    assert translate(**values, global_tokens=0).band == (128, 128)
    config = translate(**values, global_tokens=1, global_tokens_spacing=4, global_attn_separate=True)
    assert (config.global_token, config.global_layers) == (True, True)
    assert not translate(global_tokens=4, global_attn_separate=True).global_token  # of local attention alone


@pytest.mark.parametrize(
    ("context", "expected"), [(None, None), ("causal", 0), ([6, 2], 2), ([8, 0], 0), (4, 4)]
)
def test_how_far_the_convolution_looks_ahead(context: Any, expected: int | None) -> None:
    assert translate(conv_kernel_size=9, conv_context_size=context).lookahead_frames == expected


@pytest.mark.parametrize(("model", "tied"), [("rel_pos", True), ("rel_pos_local_attn", False)])
def test_only_full_relative_attention_ties_its_biases(model: str, tied: bool) -> None:
    config = translate(self_attention_model=model, att_context_size=[4, 4], untie_biases=False)
    assert config.tie_position_biases is tied


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"subsampling": "vggnet"},
            "subsampling: 'vggnet' is not supported; known: 'striding', 'dw_striding'",
        ),
        ({"conv_norm_type": "group_norm8"}, "conv_norm_type: 'group_norm8' is not supported"),
        ({"reduction": "pooling"}, "reduction: 'pooling' is not supported"),
        ({"conv_context_size": [3, 3]}, r"conv_context_size: \[3, 3\] does not fit the kernel of 31"),
        ({"att_context_size": [4]}, r"att_context_size: \[4\] is no pair"),
        ({"att_context_size": "wide"}, r"att_context_size: 'wide' is no pair"),
        ({"self_attention_model": "rel_pos_local_attn", "att_context_size": [5, 2]}, "the same number"),
        (
            {
                "self_attention_model": "rel_pos_local_attn",
                "att_context_size": [4, 4],
                "global_tokens": 2,
            },
            "global_tokens: 2 is not supported",
        ),
        ({"remove_bias": True}, "unknown keys: remove_bias"),
    ],
)
def test_what_linnet_does_not_compute_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        translate(**values)


@pytest.mark.parametrize(
    ("subsampling", "places"), [("striding", (0, 2, 4)), ("dw_striding", (0, 2, 3, 5, 6))]
)
def test_every_weight_finds_its_place(subsampling: str, places: tuple[int, ...]) -> None:
    config = translate(
        n_layers=1,
        subsampling=subsampling,
        subsampling_factor=8,
        self_attention_model="rel_pos_local_attn",
        att_context_size=[4, 4],
        global_tokens=1,
        global_attn_separate=True,
        use_bias=False,
        feat_out=5,
    )
    keys = [f"layers.0.{key}" for key in LAYER.split()]
    keys += [f"pre_encode.conv.{place}.{value}" for place in places for value in ("weight", "bias")]
    keys += [f"{layer}.{value}" for layer in ("pre_encode.out", "out_proj") for value in ("weight", "bias")]
    with torch.device("meta"):
        expected = config.build(80).state_dict().keys()
    assert sorted(str(rename(key, config)) for key in keys) == sorted(expected)


def test_buffers_without_use_and_keys_without_place() -> None:
    config = translate()
    assert rename("pos_enc.pe", config) is None
    for key in ("layers.0.conv.gate.weight", "layers.0.adapter.weight", "pre_encode.proj.weight", "norm"):
        with pytest.raises(KeyError):
            rename(key, config)
