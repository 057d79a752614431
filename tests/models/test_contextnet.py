"""ContextNet's tables: exact parameter counts of the paper's layout and of NeMo's."""

import pytest
import torch

from linnet.models.contextnet import VARIANTS, contextnet


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("s", 5_744_520),
        ("m", 22_640_000),
        ("l", 89_885_040),
        ("nemo-256", 9_107_088),
        ("nemo-512", 35_346_064),
        ("nemo-1024", 139_531_920),
    ],
)
def test_parameter_counts_of_the_encoder(variant: str, parameters: int) -> None:
    with torch.device("meta"):  # shapes without memory
        encoder = contextnet(variant).build(80)
    assert sum(parameter.numel() for parameter in encoder.parameters()) == parameters


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_halves_the_frame_rate_three_times(variant: str) -> None:
    config = contextnet(variant)
    assert config.subsampling == 8
    assert [index for index, block in enumerate(config.blocks) if block.stride == 2] == [3, 7, 14]
    assert (config.activation, config.init) == ("swish", "tds_uniform")


def test_the_papers_widths_double_behind_c10() -> None:
    widths = [block.filters for block in contextnet("s").blocks]
    assert widths == [128] * 11 + [256] * 11 + [320]


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="xl"):
        contextnet("xl")
