"""NeMo's ConvASREncoder (Jasper, QuartzNet, Citrinet, ContextNet) as a block table, with its weights."""

import re
from typing import Any

from pydantic import ValidationError

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError
from linnet.importers.section import Section
from linnet.models.jasper import JasperConfig, odd_kernel

_ACTIVATIONS = {
    "relu": "relu",
    "hardtanh": "hardtanh",
    "selu": "selu",
    "swish": "swish",
    "silu": "swish",
    "gelu": "gelu",
}
_KEY = re.compile(
    r"encoder\.(?P<block>\d+)\.(?:mconv\.(?P<layer>\d+)|res\.(?P<panel>\d+)\.(?P<part>[01]))"
    r"(?:\.conv|\.fc\.(?P<fc>[02]))?\.(?P<name>\w+)"
)


def translate_encoder(section: Section) -> JasperConfig:
    """Turn the section of a ConvASREncoder into a block table.

    Raises:
        CheckpointError: for a key or value that linnet does not compute.
    """
    section.expect("normalization_mode", ["batch"])
    section.expect("frame_splicing", [1])
    section.expect("quantize", [False])
    section.expect("activation", _ACTIVATIONS)
    section.ignore("norm_groups")  # of a group norm
    values: dict[str, Any] = {
        "activation": _ACTIVATIONS[section.take("activation", str)],
        "conv_mask": section.take("conv_mask", bool, True),
        "blocks": _blocks(section),
    }
    # Other ways to draw first weights say nothing of the weights in the file.
    if section.get("init_mode") == "tds_uniform":
        values["init"] = "tds_uniform"
    section.finish()
    try:
        config = JasperConfig.model_validate(values)
    except ValidationError as error:
        problem = config_error(error, JasperConfig, section.where)
        raise CheckpointError(problem.what, where=section.where) from None
    if not config.conv_mask and any(block.lookahead_frames is not None for block in config.blocks):
        raise CheckpointError("future_context needs conv_mask: true, in NeMo too", where=section.where)
    return config


def rename(key: str, config: JasperConfig) -> str | None:
    """Turn a key of the encoder's state dict into ours.

    In a sub-block, `mconv` counts convolutions, batch norm, activation and dropout; squeeze-and-excitation
    stands in place of the last activation. `.conv` is there with conv_mask only.

    Args:
        key: without the leading "encoder.", as in "encoder.3.mconv.5.conv.weight".
        config: what `translate_encoder` gave.

    Raises:
        KeyError: for a key that no such encoder has.
    """
    match = _KEY.fullmatch(key)
    if match is None or int(match["block"]) >= len(config.blocks):
        raise KeyError(key)
    index, name = int(match["block"]), match["name"]
    if match["panel"] is not None:
        return f"blocks.{index}.{_panel(index, int(match['panel']), config)}.{match['part']}.{name}"
    layers = ("depthwise", "mixing", "norm") if config.blocks[index].separable else ("mixing", "norm")
    sub_block, layer = divmod(int(match["layer"]), len(layers) + 2)
    if match["fc"] is not None and layer == len(layers):
        return f"blocks.{index}.squeeze_excite.{'reduce' if match['fc'] == '0' else 'expand'}.{name}"
    if match["fc"] is not None or layer >= len(layers):
        raise KeyError(key)
    return f"blocks.{index}.sub_blocks.{sub_block}.{layers[layer]}.{name}"


def _panel(index: int, panel: int, config: JasperConfig) -> str:
    """Name a residual path: NeMo counts those of the dense blocks from the oldest to the block's own."""
    num_earlier = 0
    if config.blocks[index].dense:
        while num_earlier < index and config.blocks[index - 1 - num_earlier].dense:
            num_earlier += 1
    return "residual" if panel == num_earlier else f"dense.{panel}"


def _blocks(section: Section) -> list[dict[str, Any]]:
    # A row without a residual_mode has that of the row before it.
    residual_mode = section.take("residual_mode", str, "add")
    blocks: list[dict[str, Any]] = []
    for index, values in enumerate(section.take("jasper", list)):
        row = Section(values, f"{section.where}, jasper.{index}")
        residual_mode = row.take("residual_mode", str, residual_mode)
        block = _block(row)
        if block["residual"] and residual_mode not in ("add", "stride_add"):
            raise CheckpointError(
                f"residual_mode: {shorten(residual_mode)} is not supported", where=row.where
            )
        if block["residual"] and block["stride"] > 1 and residual_mode == "add":
            raise CheckpointError("a residual over a stride needs residual_mode: stride_add", where=row.where)
        if block["dense"] and any(each["dense"] for each in blocks) and not blocks[-1]["dense"]:
            raise CheckpointError("dense residuals that begin again are not supported", where=row.where)
        blocks.append(block)
    return blocks


def _block(row: Section) -> dict[str, Any]:
    row.expect("groups", [1])
    row.expect("heads", [-1])
    # NeMo has taken the whole utterance, whatever the size, since it masks the mean; the mode has no effect.
    row.ignore("se_context_size", "se_interpolation_mode")
    kernel = odd_kernel(_single(row, "kernel"), row.take("kernel_size_factor", float, 1.0))
    stride, repeat = _single(row, "stride"), row.take("repeat", int)
    stride_at = "last" if row.take("stride_last", bool, False) else "every"
    dilation = _single(row, "dilation")
    block = {
        "filters": row.take("filters", int),
        "kernel": kernel,
        "repeat": repeat,
        "stride": stride,
        "stride_at": stride_at if stride > 1 and repeat > 1 else "first",
        "dilation": dilation,
        "lookahead_frames": _lookahead_frames(row, kernel, dilation),
        "dropout": row.take("dropout", float),
        "residual": row.take("residual", bool),
        "dense": row.take("residual_dense", bool, False),
        "separable": row.take("separable", bool, False),
        "se": row.take("se", bool, False),
        "se_reduction": row.take("se_reduction_ratio", int, 8),
    }
    row.finish()
    return block


def _lookahead_frames(row: Section, kernel: int, dilation: int) -> int | None:
    """Read the taps after the middle; a kernel that is not wider keeps half of its taps there."""
    frames = row.take("future_context", int, -1)
    if frames < 0 or frames >= kernel:
        return None
    if dilation > 1:
        raise CheckpointError("future_context with a dilation is not supported", where=row.where)
    return frames


def _single(row: Section, key: str) -> int:
    """Read an integer that may stand in lists of one: 33, [33] or [[33]]."""
    value = row.get(key)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, int) or isinstance(value, bool):
        raise CheckpointError(f"{key}: {shorten(row.get(key))} is not one integer", where=row.where)
    return value
