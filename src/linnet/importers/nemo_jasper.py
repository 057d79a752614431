"""NeMo's ConvASREncoder as a block table, and the names of its weights (a stopgap for QuartzNet alone)."""

import re

from linnet.importers.section import Section
from linnet.models.jasper import JasperBlockConfig, JasperConfig


def translate_encoder(section: Section) -> JasperConfig:
    """Turn the section of a ConvASREncoder into a block table."""
    section.expect("activation", ["relu"])
    section.expect("conv_mask", [True])
    blocks = [
        _block(Section(values, f"{section.where}, jasper.{index}"))
        for index, values in enumerate(section.take("jasper", list))
    ]
    section.finish()
    return JasperConfig(blocks=tuple(blocks))


def _block(row: Section) -> JasperBlockConfig:
    values = {key: row.take(key, list)[0] for key in ("kernel", "stride", "dilation")}
    values |= {
        "filters": row.take("filters", int),
        "repeat": row.take("repeat", int),
        "dropout": row.take("dropout", float),
        "residual": row.take("residual", bool),
        "separable": row.take("separable", bool, False),
    }
    row.finish()
    return JasperBlockConfig.model_validate(values)


def rename(key: str, config: JasperConfig) -> str | None:
    """Turn a key of NeMo's state dict into ours."""
    match = re.fullmatch(r"encoder\.(\d+)\.(mconv\.(\d+)|res\.0\.(\d))(?:\.conv)?\.(\w+)", key)
    if match is None:
        raise KeyError(key)
    block, _, index, part, name = match.groups()
    if part is not None:
        return f"blocks.{block}.residual.{part}.{name}"
    separable = config.blocks[int(block)].separable
    sub_block, layer = divmod(int(index), 5 if separable else 4)
    layers = ("depthwise", "mixing", "norm") if separable else ("mixing", "norm")
    return f"blocks.{block}.sub_blocks.{sub_block}.{layers[layer]}.{name}"
