"""The block tables of Jasper DR (arXiv:1904.03288, table 1): full convolutions in dense residual blocks."""

from linnet.models.jasper import JasperBlockConfig, JasperConfig

# The rows' channels, kernels and dropouts, blocks to a row, sub-blocks, and the dilated and the last layer.
_LARGE = ((256, 11, 0.2), (384, 13, 0.2), (512, 17, 0.2), (640, 21, 0.3), (768, 25, 0.3))
_SMALL = ((96, 11, 0.1), (144, 13, 0.1), (192, 17, 0.1))
_TABLES = {
    "dr-small": (_SMALL, 1, 2, (256, 29, 0.2), (384, 1, 0.2)),
    "dr-10x5": (_LARGE, 2, 5, (896, 29, 0.4), (1024, 1, 0.4)),
}
VARIANTS = tuple(_TABLES)


def jasper_dr(variant: str) -> JasperConfig:
    """Return the table of a named variant.

    `dr-10x5` is the paper's Jasper DR: 10 blocks of 5 sub-blocks, of which each also gets the inputs of all
    blocks before it. `dr-small` is the same with 3 narrow blocks of 2, for small corpora.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    rows, blocks_per_row, repeat, dilated, last = _TABLES[variant]
    body = [_block(*row, repeat=repeat, dense=True) for row in rows for _ in range(blocks_per_row)]
    return JasperConfig(
        blocks=(_block(*rows[0], stride=2), *body, _block(*dilated, dilation=2), _block(*last))
    )


def _block(
    width: int,
    kernel: int,
    dropout: float,
    *,
    repeat: int = 1,
    stride: int = 1,
    dilation: int = 1,
    dense: bool = False,
) -> JasperBlockConfig:
    return JasperBlockConfig(
        filters=width,
        kernel=kernel,
        repeat=repeat,
        stride=stride,
        dilation=dilation,
        separable=False,
        residual=dense,
        dense=dense,
        dropout=dropout,
    )
