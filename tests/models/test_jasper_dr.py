"""Jasper DR's tables: the exact parameter count, and which blocks are dense."""

import pytest
import torch

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.jasper_dr import VARIANTS, jasper_dr


def test_parameter_count() -> None:
    config = ModelConfig.model_validate(
        {"name": "counted", "encoder": {"jasper": "dr-10x5"}, "tokenizer": {"kind": "char"}}
    )
    with torch.device("meta"):  # shapes without memory
        assert CtcModel(config).num_parameters() == 332_632_349


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_blocks_between_the_strided_and_the_dilated_layer_are_dense(variant: str) -> None:
    config = jasper_dr(variant)
    assert [block.dense for block in config.blocks] == [
        False,
        *[True] * (len(config.blocks) - 3),
        False,
        False,
    ]
    assert config.subsampling == 2


def test_each_block_gets_the_inputs_of_all_before_it() -> None:
    with torch.device("meta"):
        encoder = jasper_dr("dr-10x5").build(64)
    assert [len(block.dense) for block in encoder.blocks] == [0, *range(10), 0, 0]


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="5x3"):
        jasper_dr("5x3")
