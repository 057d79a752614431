"""The block table of Wave2Letter+ (OpenSeq2Seq, arXiv:1805.10387; after Wav2Letter, arXiv:1609.03193)."""

from linnet.models.jasper import JasperBlockConfig, JasperConfig

# Channels, kernel, layers, dropout.
_LARGE = (
    (256, 11, 3, 0.2),
    (384, 13, 3, 0.2),
    (512, 17, 3, 0.2),
    (640, 21, 3, 0.3),
    (768, 25, 3, 0.3),
)
_SMALL = ((96, 11, 2, 0.1), (128, 13, 2, 0.1), (192, 17, 2, 0.1))
_TABLES = {"small": (_SMALL, 29, 256, 384, 0.2), "large": (_LARGE, 29, 896, 1024, 0.4)}
VARIANTS = tuple(_TABLES)


def wave2letter(variant: str) -> JasperConfig:
    """Return the table of a named variant.

    `large` is OpenSeq2Seq's: full convolutions without residuals, batch norm and an activation clipped at
    20; a first layer with stride 2, five groups of three layers, a dilated and a 1x1 layer. `small` is the
    same with fewer and narrower layers, for small corpora.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    rows, dilated_kernel, dilated_width, last_width, dropout = _TABLES[variant]
    first_width, first_kernel, _, first_dropout = rows[0]
    blocks = [_layer(first_width, first_kernel, first_dropout, stride=2)]
    for width, kernel, num_layers, row_dropout in rows:
        blocks += [_layer(width, kernel, row_dropout)] * num_layers
    blocks.append(_layer(dilated_width, dilated_kernel, dropout, dilation=2))
    blocks.append(_layer(last_width, 1, dropout))
    return JasperConfig(blocks=tuple(blocks), activation="clipped_relu")


def _layer(
    width: int, kernel: int, dropout: float, *, stride: int = 1, dilation: int = 1
) -> JasperBlockConfig:
    return JasperBlockConfig(
        filters=width,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        separable=False,
        residual=False,
        dropout=dropout,
    )
