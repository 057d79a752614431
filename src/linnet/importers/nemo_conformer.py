"""NeMo's ConformerEncoder, from 1.0 to 3.0: its configuration and the names of its weights in our terms.

FastConformer, its long-form and its cache-aware streaming models are values of the same class.
"""

import re
from typing import Any

from linnet.core.config_error import shorten
from linnet.core.errors import CheckpointError
from linnet.importers.section import Section
from linnet.models.conformer import ConformerConfig

_NORMS = {"batch_norm": "batch", "layer_norm": "layer"}
_SUBSAMPLINGS = ("striding", "dw_striding")
_FULL = (None, None)
# What only training reads, what only limits memory, and what the weights or the other keys say as well.
_HARMLESS = (
    "feat_in",
    "pos_emb_max_len",
    "sync_max_audio_length",
    "subsampling_conv_chunking_factor",
    "use_pytorch_sdpa",
    "use_pytorch_sdpa_backends",
    "att_context_probs",
    "att_chunk_context_size",
    "conv_context_style",
    "conv_dual_mode",
    "stochastic_depth_drop_prob",
    "stochastic_depth_mode",
    "stochastic_depth_start_layer",
    "reduction_position",
    "global_tokens_spacing",  # of one token
)


def translate_encoder(section: Section) -> ConformerConfig:
    """Turn the section of a ConformerEncoder into our configuration; a missing key has NeMo's default.

    Raises:
        CheckpointError: for a key or a value that linnet does not implement.
    """
    width = section.take("d_model", int)
    projection = section.take("feat_out", int, -1)
    channels = section.take("subsampling_conv_channels", int, -1)
    section.expect("subsampling", _SUBSAMPLINGS)
    section.expect("conv_norm_type", _NORMS)
    section.expect("reduction", [None])
    section.expect("reduction_factor", [None, 1])
    values: dict[str, Any] = {
        "num_layers": section.take("n_layers", int),
        "width": width,
        "num_heads": section.take("n_heads", int, 4),
        "expansion": section.take("ff_expansion_factor", int, 4),
        "kernel": section.take("conv_kernel_size", int, 31),
        "conv_norm": _NORMS[section.take("conv_norm_type", str, "batch_norm")],
        "bias": section.take("use_bias", bool, True),
        "subsampling": section.take("subsampling_factor", int, 4),
        "subsampling_channels": None if channels == -1 else channels,
        "separable_subsampling": section.take("subsampling", str, "striding") == "dw_striding",
        "causal_subsampling": section.take("causal_downsampling", bool, False),
        "scale_input": section.take("xscaling", bool, True),
        "dropout": section.take("dropout", float, 0.1),
        "attention_dropout": section.take("dropout_att", float, 0.0),
        "position_dropout": section.take("dropout_emb", float, 0.1),
        "projection": None if projection in (-1, 0, width) else projection,
    }
    section.ignore("dropout_pre_encoder")  # like `dropout` in every published configuration
    values["lookahead_frames"] = _lookahead(section, values["kernel"])
    values.update(_attention(section))
    section.ignore(*_HARMLESS)
    section.finish()
    return ConformerConfig.model_validate(values)


def _lookahead(section: Section, kernel: int) -> int | None:
    """Read how far the depthwise convolution looks ahead: "causal", a number for both sides, or a pair."""
    context = section.get("conv_context_size")
    if context is None:
        return None
    if context == "causal":
        return 0
    before, behind = context if _is_pair(context) else (context, context)
    if not isinstance(before, int) or not isinstance(behind, int) or before + behind + 1 != kernel:
        raise CheckpointError(
            f"conv_context_size: {shorten(context)} does not fit the kernel of {kernel}", where=section.where
        )
    return behind


def _attention(section: Section) -> dict[str, Any]:
    """Read what each frame attends to. Of several contexts for training, NeMo recognizes with the first."""
    section.expect("self_attention_model", ["rel_pos", "rel_pos_local_attn", "abs_pos"])
    section.expect("att_context_style", ["regular", "chunked_limited", "chunked_limited_with_rc"])
    model = section.take("self_attention_model", str, "rel_pos")
    style = section.take("att_context_style", str, "regular")
    # Trained with chunks drawn at random, recognizes with all it has, whatever att_context_size says.
    left, right = _FULL if style == "chunked_limited_with_rc" else _context(section)
    values: dict[str, Any] = {
        "positions": "absolute" if model == "abs_pos" else "relative",
        "tie_position_biases": model == "rel_pos" and not section.take("untie_biases", bool, True),
        "context_frames": (left, right),
        "chunked": style == "chunked_limited" and right is not None and model != "rel_pos_local_attn",
    }
    section.ignore("untie_biases", "att_context_size")
    if model == "rel_pos_local_attn":
        values.update(_local_attention(section, left, right))
    section.ignore("global_tokens", "global_attn_separate")  # of local attention alone
    return values


def _context(section: Section) -> tuple[int | None, int | None]:
    context = section.get("att_context_size") or [-1, -1]
    first = context[0] if isinstance(context, list) and isinstance(context[0], list) else context
    if not _is_pair(first) or not all(isinstance(side, int) and side >= -1 for side in first):
        raise CheckpointError(
            f"att_context_size: {shorten(context)} is no pair of frames", where=section.where
        )
    left, right = (None if side == -1 else side for side in first)
    return left, right


def _local_attention(section: Section, left: int | None, right: int | None) -> dict[str, Any]:
    if left is None or left != right or left == 0:
        raise CheckpointError(
            "att_context_size: local attention needs the same number of frames before and behind; for others "
            "NeMo adds positions to the wrong frames",
            where=section.where,
        )
    section.expect("global_tokens", [0, 1])
    has_token = section.take("global_tokens", int, 0) == 1
    return {
        "global_token": has_token,
        "global_layers": has_token and section.take("global_attn_separate", bool, False),
    }


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


LAYER_NAMES = {
    "linear_q": "query",
    "linear_k": "key",
    "linear_v": "value",
    "linear_out": "output",
    "linear_pos": "position",
    "global_q": "global_layers.query",
    "global_k": "global_layers.key",
    "global_v": "global_layers.value",
    "pos_bias_u": "content_bias",
    "pos_bias_v": "position_bias",
    "linear1": "expand",
    "linear2": "contract",
    "pointwise_conv1": "expand",
    "depthwise_conv": "depthwise",
    "batch_norm": "norm",
    "pointwise_conv2": "contract",
}
_MODULES = {
    "feed_forward1": "feed_forward.module",
    "self_attn": "attention.module",
    "conv": "convolution.module",
    "feed_forward2": "last_feed_forward.module",
    "norm_feed_forward1": "feed_forward.norm",
    "norm_self_att": "attention.norm",
    "norm_conv": "convolution.norm",
    "norm_feed_forward2": "last_feed_forward.norm",
    "norm_out": "norm",
}
_OUTSIDE = {"pre_encode.out": "subsampling.output", "out_proj": "projection"}


def rename(key: str, config: ConformerConfig) -> str | None:
    """Turn a key of NeMo's state dict, without "encoder.", into ours; None where linnet has no use for it.

    Raises:
        KeyError: when NeMo's encoder has no such key.
    """
    if key in ("seq_range", "pos_enc.pe"):
        return None
    if layer := re.fullmatch(r"layers\.(\d+)\.(\w+)\.(\w+)(\.\w+)?", key):
        number, part, name, value = layer.groups("")
        inner = name if part.startswith("norm_") else LAYER_NAMES[name]
        return f"blocks.{number}.{_MODULES[part]}.{inner}{value}"
    if convolution := re.fullmatch(r"pre_encode\.conv\.(\d+)(\.\w+)", key):
        place, value = convolution.groups()
        return f"subsampling.{subsampling_layer(int(place), separable=config.separable_subsampling)}{value}"
    part, _, value = key.rpartition(".")
    return f"{_OUTSIDE[part]}.{value}"


def subsampling_layer(place: int, *, separable: bool) -> str:
    """Name the convolution at a place among NeMo's, which count the activations between them."""
    if not separable:
        return f"stages.{place // 2}"
    stage, layer = divmod(place + 1, 3)  # convolution, activation; depthwise, pointwise, activation; …
    return f"{'mixings' if place and layer == 1 else 'stages'}.{stage if place else 0}"
