"""Citrinet's tables: exact parameter counts, kernels, strides and the quarter-width variants."""

import pytest
import torch

from linnet.models.citrinet import VARIANTS, citrinet, citrinet_table
from linnet.models.ctc import ModelConfig
from linnet.models.jasper import JasperConfig

NUM_PIECES = 1025  # 1024 and the blank


def count(config: JasperConfig) -> int:
    with torch.device("meta"):  # shapes without memory
        encoder = config.build(80)
    head = NUM_PIECES * (config.output_width + 1)
    return sum(parameter.numel() for parameter in encoder.parameters()) + head


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("256", 10_259_729),
        ("384", 21_472_529),
        ("512", 36_994_321),
        ("768", 80_964_881),
        ("1024", 143_118_737),
        ("256-gamma025", 9_786_129),
    ],
)
def test_parameter_counts(variant: str, parameters: int) -> None:
    assert count(citrinet(variant)) == parameters


def test_the_widest_one_with_a_narrow_end() -> None:
    assert count(citrinet_table(1024, 640)) == 142_171_409


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_subsamples_by_eight(variant: str) -> None:
    config = citrinet(variant)
    assert config.subsampling == 8
    assert [index for index, block in enumerate(config.blocks) if block.stride == 2] == [1, 7, 14]
    assert all(block.se and block.separable for block in config.blocks)


def test_quarter_kernels_are_odd_and_leave_the_first_block_alone() -> None:
    kernels = [block.kernel for block in citrinet("256-gamma025").blocks]
    assert kernels[:7] == [5, 3, 3, 3, 5, 5, 5]
    assert kernels[-4:] == [9, 9, 9, 11]


def test_a_configuration_names_one_by_its_width() -> None:
    config = ModelConfig.model_validate(
        {"name": "named", "encoder": {"citrinet": 160}, "tokenizer": {"kind": "char"}}
    )
    assert config.encoder == citrinet("160")


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="200"):
        citrinet("200")
