"""NeMo's SqueezeformerEncoder: its configuration and the names of its weights in our terms."""

import re

from pydantic import ValidationError

from linnet.core.config_error import config_error
from linnet.core.errors import CheckpointError
from linnet.importers.nemo_conformer import LAYER_NAMES, subsampling_layer
from linnet.importers.section import Section
from linnet.models.squeezeformer import SqueezeformerConfig

_NORMS = {"batch_norm": "batch", "layer_norm": "layer"}


def translate_encoder(section: Section) -> SqueezeformerConfig:
    """Turn the section of a SqueezeformerEncoder (NeMo 1.11 to 2.7.3) into our configuration.

    A key that is missing has NeMo's default.

    Raises:
        CheckpointError: for a key or a value that linnet does not implement.
    """
    width = section.take("d_model", int)
    section.expect("self_attention_model", ["rel_pos"])
    section.expect("att_context_size", [None, [-1, -1]])
    section.expect("feat_out", [None, -1, width])
    section.expect("subsampling", ["dw_striding", "striding"])
    section.expect("conv_norm_type", _NORMS)
    channels = section.take("subsampling_conv_channels", int, -1)
    reduce_at, recover_at = section.get("time_reduce_idx"), section.get("time_recovery_idx")
    values = {
        "num_layers": section.take("n_layers", int),
        "width": width,
        "num_heads": section.take("n_heads", int, 4),
        "reduce_at": reduce_at,
        "recover_at": None if reduce_at is None else recover_at,
        "expansion": section.take("ff_expansion_factor", int, 4),
        "kernel": section.take("conv_kernel_size", int, 31),
        "conv_norm": _NORMS[section.take("conv_norm_type", str, "batch_norm")],
        "adaptive_scale": section.take("adaptive_scale", bool, True),
        "subsampling": section.take("subsampling_factor", int, 4),
        "subsampling_channels": None if channels == -1 else channels,
        "separable_subsampling": section.take("subsampling", str, "dw_striding") == "dw_striding",
        "scale_input": section.take("xscaling", bool, True),
        "dropout": section.take("dropout", float, 0.1),
        "attention_dropout": section.take("dropout_att", float, 0.0),
    }
    # Tied position biases lie in the file once for each layer; the table of positions grows as needed.
    section.ignore("feat_in", "untie_biases", "pos_emb_max_len", "dropout_emb")
    section.finish()
    try:
        return SqueezeformerConfig.model_validate(values)
    except ValidationError as error:
        problem = config_error(error, SqueezeformerConfig, section.where)
        raise CheckpointError(problem.what, where=section.where) from None


_LAYER_PARTS = {
    "self_attn": "attention.module",
    "feed_forward1": "feed_forward1.module",
    "conv": "convolution.module",
    "feed_forward2": "feed_forward2.module",
    "self_attn_scale": "attention.scale",
    "feed_forward1_scale": "feed_forward1.scale",
    "conv_scale": "convolution.scale",
    "feed_forward2_scale": "feed_forward2.scale",
    "norm_self_att": "attention.norm",
    "norm_feed_forward1": "feed_forward1.norm",
    "norm_conv": "convolution.norm",
    "norm_feed_forward2": "feed_forward2.norm",
}
_OUTSIDE = {
    "pre_encode.out": "subsampling.output",
    "pre_ln": "norm",
    "time_reduce_layer.dw_conv": "reduction.depthwise",
    "time_reduce_layer.pw_conv": "reduction.pointwise",
    "time_recovery_layer": "recovery.linear",
}


def rename(key: str, config: SqueezeformerConfig) -> str | None:
    """Turn a key of NeMo's state dict, without "encoder.", into ours; None where linnet has no use for it.

    Raises:
        KeyError: when NeMo's encoder has no such key.
    """
    if key in ("seq_range", "pos_enc.pe", "time_reduce_pos_enc.pe"):
        return None
    if layer := re.fullmatch(r"layers\.(\d+)\.(\w+)\.(\w+)(\.\w+)?", key):
        number, part, name, value = layer.groups("")
        ours = LAYER_NAMES[name] if part in ("self_attn", "conv") or value else name
        return f"blocks.{number}.{_LAYER_PARTS[part]}.{ours}{value}"
    if convolution := re.fullmatch(r"pre_encode\.conv\.(\d+)(\.\w+)", key):
        place, value = convolution.groups()
        return f"subsampling.{subsampling_layer(int(place), separable=config.separable_subsampling)}{value}"
    part, _, value = key.rpartition(".")
    return f"{_OUTSIDE[part]}.{value}"
