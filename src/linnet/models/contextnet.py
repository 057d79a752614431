"""The block tables of ContextNet (arXiv:2005.03191, table 1 and §3), the paper's and NeMo's."""

from linnet.models.jasper import JasperBlockConfig, JasperConfig

_KERNEL = 5
_NUM_BLOCKS = 23  # C0 … C22
_STRIDED = (3, 7, 14)
_WIDENED = 11  # the first of the blocks twice as wide as those before

# Paper: how wide the channels are (α). NeMo: one width for all blocks but the last.
_ALPHAS = {"s": 0.5, "m": 1.0, "l": 2.0}
_NEMO_WIDTHS = {"nemo-128": 128, "nemo-256": 256, "nemo-512": 512, "nemo-1024": 1024}
VARIANTS = (*_ALPHAS, *_NEMO_WIDTHS)


def contextnet(variant: str) -> JasperConfig:
    """Return the table of a named variant, an encoder with a CTC head in place of the transducer's.

    `s`, `m` and `l` are the paper's: 256α channels up to C10, then 512α, at last 640α, with biases in
    squeeze-and-excitation. `nemo-…` are NVIDIA's: one width, at last 640, without biases.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    if variant in _ALPHAS:
        alpha = _ALPHAS[variant]
        narrow, wide, last = (int(width * alpha) for width in (256, 512, 640))
        return _table([narrow] * _WIDENED + [wide] * (_NUM_BLOCKS - 1 - _WIDENED) + [last], se_bias=True)
    return _table([_NEMO_WIDTHS[variant]] * (_NUM_BLOCKS - 1) + [640], se_bias=False)


def _table(widths: list[int], *, se_bias: bool) -> JasperConfig:
    last = len(widths) - 1
    blocks = tuple(
        JasperBlockConfig(
            filters=width,
            kernel=_KERNEL,
            repeat=1 if index in (0, last) else 5,
            stride=2 if index in _STRIDED else 1,
            stride_at="last",
            residual=index not in (0, last),
            se=True,
            se_bias=se_bias,
            dropout=0.0 if index in (0, last) else 0.1,
        )
        for index, width in enumerate(widths)
    )
    return JasperConfig(blocks=blocks, activation="swish", init="tds_uniform")
