"""A checkpoint of icefall's Zipformer with a CTC head as a model of linnet, by its names and shapes alone."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.core.config_error import config_error
from linnet.core.errors import CheckpointError
from linnet.importers.fitting import fitted, under_our_names
from linnet.importers.icefall_tokens import read_pieces_beside
from linnet.importers.imported_model import ImportedModel
from linnet.importers.nemo_tokenizer import normalizer_of
from linnet.importers.nemo_weights import load_checkpoint
from linnet.models.catalog import ARCHITECTURES
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.zipformer.sizes import VARIANTS, ZipformerConfig, zipformer
from linnet.text.tokenizer import TokenizerConfig
from linnet.text.wordpiece import to_bert

SUFFIX = ".pt"
POSITION_HEAD_WIDTH = 4  # icefall's default; with the heads it is one number in the file
STREAMING = {"causal": True, "chunk_frames": 32, "left_context_frames": 256}  # usual in icefall's decoding
NUM_MELS = 80

_STACK = r"encoder\.encoders\.(?P<stack>\d+)\."
_LAYER = re.compile(_STACK + r"(?:encoder\.)?layers\.(?P<layer>\d+)\.(?P<rest>.+)")
_BETWEEN = re.compile(_STACK + r"(?P<rest>.+)")
_IN_LAYER = (  # in this order: beginnings of icefall's names, and what they are here
    ("self_attn_weights.", "attention_weights."),
    ("self_attn1.", "attention1."),
    ("self_attn2.", "attention2."),
    ("nonlin_attention.", "nonlinear_attention."),
    ("conv_module1.depthwise_conv.causal_conv.", "convolution1.depthwise.causal."),
    ("conv_module2.depthwise_conv.causal_conv.", "convolution2.depthwise.causal."),
    ("conv_module1.depthwise_conv.chunkwise_conv_scale", "convolution1.depthwise.edge_scale"),
    ("conv_module2.depthwise_conv.chunkwise_conv_scale", "convolution2.depthwise.edge_scale"),
    ("conv_module1.depthwise_conv.chunkwise_conv.", "convolution1.depthwise.within."),
    ("conv_module2.depthwise_conv.chunkwise_conv.", "convolution2.depthwise.within."),
    ("conv_module1.depthwise_conv.", "convolution1.depthwise."),
    ("conv_module2.depthwise_conv.", "convolution2.depthwise."),
    ("conv_module1.", "convolution1."),
    ("conv_module2.", "convolution2."),
    ("feed_forward", "feed_forward"),
    ("norm.", "norm."),
    ("bypass_mid.bypass_scale", "middle_bypass.scale"),
    ("bypass.bypass_scale", "bypass.scale"),
    ("bypass_scale", "unused_scale"),
)
_IN_STACK = {"downsample.bias": "downsample.bias", "out_combiner.bypass_scale": "combine.scale"}
_OUTSIDE = (
    ("encoder_embed.conv.0.", "encoder.embedding.conv1."),
    ("encoder_embed.conv.4.", "encoder.embedding.conv2."),
    ("encoder_embed.conv.7.", "encoder.embedding.conv3."),
    ("encoder_embed.convnext.depthwise_conv.", "encoder.embedding.convnext.depthwise."),
    ("encoder_embed.convnext.pointwise_conv1.", "encoder.embedding.convnext.widen."),
    ("encoder_embed.convnext.pointwise_conv2.", "encoder.embedding.convnext.narrow."),
    ("encoder_embed.out.", "encoder.embedding.output."),
    ("encoder_embed.out_norm.", "encoder.embedding.norm."),
    ("encoder.downsample_output.", "encoder.downsample."),
    ("ctc_output.1.", "head."),
)
_LEFT_OUT = {
    "decoder.": "the transducer",
    "joiner.": "the transducer",
    "simple_am_proj.": "the transducer",
    "simple_lm_proj.": "the transducer",
    "attention_decoder.": "the attention decoder",
}
_EXTRA_STATE = "_extra_state"


def import_icefall(path: Path, name: str | None = None) -> ImportedModel:
    """Read a checkpoint of icefall, pretrained.pt or one of a run; nothing in it is run.

    Its sizes are those of its tensors. Its pieces are in tokens.txt or bpe.model in its folder, or in
    data/lang_bpe_…/ beside that folder. What it does not say is taken to be as in icefall's recipes: 80
    features of lhotse, 4 values a head for positions, and of a causal one chunks of 32 frames.

    Args:
        path: the file.
        name: what the model is called from now on; None takes the name of the file.

    Raises:
        CheckpointError: when it is damaged, would run code, is no Zipformer with a CTC head, or its pieces
            are not found or do not fit.
    """
    return icefall_model(load_checkpoint(path).weights, path, name)


def icefall_model(weights: Mapping[str, Tensor], path: Path, name: str | None = None) -> ImportedModel:
    """Make a model of weights that `load_checkpoint` read from `path`, as `import_icefall`.

    Raises:
        CheckpointError: when they are no Zipformer with a CTC head, or its pieces do not fit.
    """
    where = str(path)
    if not any(key.startswith("encoder.encoders.") for key in weights):
        raise CheckpointError("holds no Zipformer of icefall", where=where)
    if "ctc_output.1.weight" not in weights:
        raise CheckpointError(
            "has no CTC head", where=where, remedy="Take a model that was trained with --use-ctc 1"
        )
    config = _model_config(weights, path, name)
    renamed, left_out = under_our_names(
        weights,
        rename,
        _LEFT_OUT,
        where,
        remedy="They may belong to a recipe with other parts; linnet reads those of the recipe "
        "egs/librispeech/ASR/zipformer",
    )
    renamed = {ours: _reshaped(ours, value) for ours, value in renamed.items()}
    with torch.device("meta"):
        extra = [key for key in CtcModel(config).state_dict() if key.endswith(_EXTRA_STATE)]
    fresh = {key: torch.tensor(True) for key in extra}
    model = CtcModel(config)
    model.load_state_dict(fitted(config, renamed | fresh, where))
    return ImportedModel(model.eval(), "Zipformer of icefall", left_out)


def _model_config(weights: Mapping[str, Tensor], path: Path, name: str | None) -> ModelConfig:
    num_tokens = len(weights["ctc_output.1.weight"])
    pieces = read_pieces_beside(path, num_tokens)
    try:
        # Longest pieces first: for texts that are trained on from here. Those it writes do not depend on it.
        tokenizer = TokenizerConfig(kind="wordpiece", pieces=tuple(to_bert(piece) for piece in pieces))
        return ModelConfig(
            name=name or re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("-._")[:64] or "imported",
            frontend=ARCHITECTURES["zipformer"].frontend,
            encoder=_encoder_config(weights, str(path)),
            tokenizer=tokenizer,
            normalizer=normalizer_of(pieces),
        )
    except ValidationError as error:
        raise CheckpointError(config_error(error, ModelConfig, str(path)).what, where=str(path)) from None


def _encoder_config(weights: Mapping[str, Tensor], where: str) -> ZipformerConfig:
    """Read the sizes off the tensors."""
    try:
        return ZipformerConfig.model_validate(_sizes(weights))
    except KeyError as error:
        raise CheckpointError(f"lacks {error.args[0]}", where=where) from None
    except (IndexError, ZeroDivisionError):
        raise CheckpointError("has tensors of shapes that no Zipformer has", where=where) from None


def _sizes(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    layers: dict[int, set[int]] = {}
    for key in weights:
        if match := _LAYER.fullmatch(key):
            layers.setdefault(int(match["stack"]), set()).add(int(match["layer"]))
    stacks = range(len(layers))
    first = [_first_layer(weights, stack) for stack in stacks]

    def shape(stack: int, key: str) -> torch.Size:
        return weights[first[stack] + key].shape

    heads = [shape(s, "self_attn_weights.linear_pos.weight")[0] // POSITION_HEAD_WIDTH for s in stacks]
    scores = shape(0, "self_attn_weights.in_proj.weight")[0] - heads[0] * POSITION_HEAD_WIDTH
    causal = first[0] + "conv_module1.depthwise_conv.causal_conv.weight" in weights
    conv = "chunkwise_conv." if causal else ""
    widths = tuple(shape(s, "norm.bias")[0] for s in stacks)
    named = [size for size in map(zipformer, VARIANTS) if size.widths == widths]
    return {
        "num_layers": tuple(len(layers[s]) for s in stacks),
        "widths": widths,
        "feed_forward": tuple(shape(s, "feed_forward2.in_proj.weight")[0] for s in stacks),
        "unmasked_widths": named[0].unmasked_widths if named else widths,
        "downsampling": tuple(
            len(weights[key]) if (key := f"encoder.encoders.{s}.downsample.bias") in weights else 1
            for s in stacks
        ),
        "num_heads": tuple(heads),
        "kernels": tuple(shape(s, f"conv_module1.depthwise_conv.{conv}weight")[2] for s in stacks),
        "query_width": scores // (2 * heads[0]),
        "value_width": shape(0, "self_attn1.in_proj.weight")[0] // heads[0],
        "position_head_width": POSITION_HEAD_WIDTH,
        "position_width": shape(0, "self_attn_weights.linear_pos.weight")[1],
        "embed_channels": tuple(len(weights[f"encoder_embed.conv.{place}.weight"]) for place in (0, 4, 7)),
        **(STREAMING if causal else {}),
    }


def _first_layer(weights: Mapping[str, Tensor], stack: int) -> str:
    inner = f"encoder.encoders.{stack}.encoder.layers.0."
    return inner if inner + "norm.bias" in weights else f"encoder.encoders.{stack}.layers.0."


def rename(key: str) -> str | None:
    """Turn a key of icefall's state dict into ours; None for one that it does not have."""
    if match := _LAYER.fullmatch(key):
        inner = _replaced(match["rest"], _IN_LAYER)
        return inner and f"encoder.stacks.{match['stack']}.blocks.{match['layer']}.{inner}"
    if match := _BETWEEN.fullmatch(key):
        between = _IN_STACK.get(match["rest"])
        return between and f"encoder.stacks.{match['stack']}.{between}"
    return _replaced(key, _OUTSIDE)


def _replaced(key: str, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((ours + key.removeprefix(start) for start, ours in table if key.startswith(start)), None)


def _reshaped(ours: str, value: Tensor) -> Tensor:
    """Bring a tensor into our form: pointwise convolutions as matrices, the blank as the last token."""
    if ours.startswith("head."):
        value = torch.cat((value[1:], value[:1]))
        return value.unsqueeze(2) if value.dim() == 2 else value
    if ours.startswith(("encoder.embedding.convnext.widen", "encoder.embedding.convnext.narrow")):
        return value.flatten(1) if value.dim() == 4 else value
    return value
