"""Wave2Letter+'s tables: the exact parameter count, no residuals, an activation clipped at 20."""

import pytest
import torch

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.wave2letter import VARIANTS, wave2letter


def test_parameter_count() -> None:
    config = ModelConfig.model_validate(
        {"name": "counted", "encoder": {"wave2letter": "large"}, "tokenizer": {"kind": "char"}}
    )
    with torch.device("meta"):  # shapes without memory
        assert CtcModel(config).num_parameters() == 106_496_285


def test_the_large_table_row_by_row() -> None:
    rows = [(block.filters, block.kernel, block.dropout) for block in wave2letter("large").blocks]
    assert rows == [
        (256, 11, 0.2),
        *[(256, 11, 0.2)] * 3,
        *[(384, 13, 0.2)] * 3,
        *[(512, 17, 0.2)] * 3,
        *[(640, 21, 0.3)] * 3,
        *[(768, 25, 0.3)] * 3,
        (896, 29, 0.4),
        (1024, 1, 0.4),
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_a_plain_stack(variant: str) -> None:
    config = wave2letter(variant)
    assert (config.subsampling, config.activation) == (2, "clipped_relu")
    assert not any(block.residual or block.separable for block in config.blocks)


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="tiny"):
        wave2letter("tiny")
