"""The named tables have exactly the parameters that their papers and original programs count."""

import pytest
import torch

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.quartznet import VARIANTS, quartznet

LETTERS = {"kind": "char"}  # 27 letters and the space, with the blank 29 outputs
DIGITS = {"kind": "char", "pieces": [*"0123456789"]}  # with space and blank 12 outputs


@pytest.mark.parametrize(
    ("variant", "tokenizer", "parameters"),
    [
        ("5x5", LETTERS, 6_713_181),
        ("10x5", LETTERS, 12_818_781),
        ("15x5", LETTERS, 18_924_381),
        ("5x1", DIGITS, 1_991_228),
        ("5x3", DIGITS, 6_389_580),
        ("5x3-paper-rows", DIGITS, 4_622_156),
    ],
)
def test_parameter_counts(variant: str, tokenizer: dict[str, object], parameters: int) -> None:
    config = ModelConfig.model_validate(
        {"name": "counted", "encoder": {"quartznet": variant}, "tokenizer": tokenizer}
    )
    with torch.device("meta"):  # shapes without memory
        assert CtcModel(config).num_parameters() == parameters


def test_every_variant_subsamples_by_two() -> None:
    assert {variant: quartznet(variant).subsampling for variant in VARIANTS} == dict.fromkeys(VARIANTS, 2)


def test_the_digits_table_row_by_row() -> None:
    rows = [
        (block.filters, block.kernel, block.repeat, block.stride, block.dilation)
        for block in quartznet("5x1").blocks
    ]
    assert rows == [
        (256, 33, 1, 2, 1),
        (256, 39, 1, 1, 1),
        (336, 51, 1, 1, 1),
        (512, 63, 1, 1, 1),
        (512, 75, 1, 1, 1),
        (512, 87, 1, 1, 2),
        (768, 1, 1, 1, 1),
    ]


def test_the_paper_repeats_each_shape_in_place() -> None:
    kernels = [block.kernel for block in quartznet("10x5").blocks]
    assert kernels == [33, 33, 33, 39, 39, 51, 51, 63, 63, 75, 75, 87, 1]
    assert {block.repeat for block in quartznet("10x5").blocks[1:-2]} == {5}


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="6x6"):
        quartznet("6x6")
