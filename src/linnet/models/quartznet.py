"""The block tables of QuartzNet (arXiv:1910.10261, table 1) and of its small relatives."""

from collections.abc import Sequence

from linnet.models.jasper import JasperBlockConfig, JasperConfig


def quartznet(variant: str) -> JasperConfig:
    """Return the table of a named variant.

    `5x5`, `10x5` and `15x5` are the paper's: five block shapes repeated one, two or three times, R = 5.
    `5x3` is NVIDIA's experimental table with dropout 0.2 (NeMo v0.10.1). `5x1` and `5x3-paper-rows` are
    tables of mdigits (github.com/AntonOkhotnikov/mdigits) with 2.0 and 4.6 M parameters; the latter is the
    paper's 5x5 with R = 3.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    return JasperConfig(blocks=tuple(_TABLES[variant]))


def _stack(rows: Sequence[tuple[int, int]], repeat: int, dropout: float = 0.0) -> list[JasperBlockConfig]:
    return [JasperBlockConfig(filters=f, kernel=k, repeat=repeat, dropout=dropout) for f, k in rows]


def _table(body: list[JasperBlockConfig], last_width: int, dropout: float = 0.0) -> list[JasperBlockConfig]:
    """Put the strided first layer before the body, and the dilated and the 1x1 layer behind it."""
    widest = body[-1].filters
    return [
        JasperBlockConfig(filters=256, kernel=33, stride=2, residual=False, dropout=dropout),
        *body,
        JasperBlockConfig(filters=widest, kernel=87, dilation=2, residual=False, dropout=dropout),
        JasperBlockConfig(filters=last_width, kernel=1, separable=False, residual=False, dropout=dropout),
    ]


_PAPER_ROWS = ((256, 33), (256, 39), (512, 51), (512, 63), (512, 75))


def _paper(groups: int) -> list[JasperBlockConfig]:
    rows = [row for row in _PAPER_ROWS for _ in range(groups)]
    return _table(_stack(rows, repeat=5), 1024)


_TABLES = {
    "5x1": _table(_stack([(256, 39), (336, 51), (512, 63), (512, 75)], repeat=1), 768),
    "5x3-paper-rows": _table(_stack(_PAPER_ROWS, repeat=3), 1024),
    "5x3": _table(_stack([(512, 63)] * 2 + [(512, 75)] * 3, repeat=3, dropout=0.2), 1024, dropout=0.2),
    "5x5": _paper(1),
    "10x5": _paper(2),
    "15x5": _paper(3),
}
VARIANTS = tuple(_TABLES)
