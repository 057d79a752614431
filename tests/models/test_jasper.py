"""The block table: what it computes, what it refuses, what padding and masks change."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from linnet.core.config import load_config
from linnet.core.errors import ConfigError
from linnet.models.ctc import CtcModel
from linnet.models.jasper import JasperBlock, JasperBlockConfig, JasperConfig, JasperEncoder, SubBlock
from linnet.models.layers.convolution import TimeBatchNorm

Batch = Callable[..., tuple[Tensor, Tensor]]


def normalized(x: Tensor, norm: TimeBatchNorm) -> Tensor:
    return functional.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-3)


def by_hand(block: JasperBlock, config: JasperBlockConfig, x: Tensor) -> Tensor:
    """The equations of a block for one utterance without padding, in torch's own operations."""
    y = x
    for index, sub_block in enumerate(block.sub_blocks):
        assert isinstance(sub_block, SubBlock)
        stride = config.stride if index == 0 else 1
        padding = config.dilation * (config.kernel - 1) // 2
        if config.separable:
            weight = sub_block.depthwise.weight
            y = functional.conv1d(y, weight, None, stride, padding, config.dilation, groups=y.shape[1])
            y = functional.conv1d(y, sub_block.mixing.weight)
        else:
            y = functional.conv1d(y, sub_block.mixing.weight, None, stride, padding, config.dilation)
        y = normalized(y, sub_block.norm)
        if index + 1 < config.repeat:
            y = y.relu()
    if block.residual is not None:
        y = y + normalized(functional.conv1d(x, block.residual[0].weight), block.residual[1])
    return y.relu()


def test_every_kind_of_block_follows_its_equations(tiny_model: CtcModel, padded_batch: Batch) -> None:
    x, lengths = padded_batch(31)
    configs = tiny_model.config.encoder.blocks
    for block, config in zip(tiny_model.encoder.blocks, configs, strict=True):
        y, lengths = block(x, lengths)
        torch.testing.assert_close(y, by_hand(block, config, x), atol=1e-5, rtol=1e-5)
        assert lengths.tolist() == [y.shape[-1]]
        x = y


@pytest.mark.parametrize("training", [True, False])
def test_what_lies_beyond_a_length_is_never_looked_at(
    tiny_model: CtcModel, padded_batch: Batch, training: bool
) -> None:
    features, lengths = padded_batch(40, 17, 1)
    clean = features * (torch.arange(40) < lengths[:, None, None])
    encoder = tiny_model.encoder.train(training)
    dirty, dirty_lengths = encoder(features, lengths)
    expected, expected_lengths = encoder(clean, lengths)
    assert dirty_lengths.tolist() == expected_lengths.tolist() == [20, 9, 1]
    for ours, reference, length in zip(dirty, expected, dirty_lengths.tolist(), strict=True):
        torch.testing.assert_close(ours[:, :length], reference[:, :length], atol=1e-6, rtol=0)


@pytest.mark.parametrize("separable", [True, False])
def test_in_training_a_block_looks_at_valid_frames_alone(padded_batch: Batch, separable: bool) -> None:
    features, lengths = padded_batch(12, 5)
    config = JasperBlockConfig(filters=4, kernel=5, separable=separable)
    torch.manual_seed(0)
    block = JasperBlock(6, config)
    dirty, _ = block(features, lengths)
    clean, _ = block(features * (torch.arange(12) < lengths[:, None, None]), lengths)
    torch.testing.assert_close(dirty, clean)


def test_dropout_acts_in_training_only() -> None:
    config = JasperConfig.model_validate({"blocks": [{"filters": 64, "kernel": 3, "dropout": 0.5}]})
    encoder = JasperEncoder(config, 4)
    x, lengths = torch.randn(1, 4, 30), torch.tensor([30])
    torch.manual_seed(0)
    dropped = (encoder(x, lengths)[0] == 0).float().mean()
    kept = (encoder.eval()(x, lengths)[0] == 0).float().mean()
    assert dropped > kept + 0.1


def test_the_table_tells_its_width_and_subsampling() -> None:
    rows = [
        {"filters": 8, "kernel": 3, "stride": 2, "residual": False},
        {"filters": 9, "kernel": 3, "stride": 4, "residual": False},
        {"filters": 5, "kernel": 3},
    ]
    config = JasperConfig.model_validate({"blocks": rows})
    assert (config.output_width, config.subsampling) == (5, 8)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{filters: 8, kernel: 4}", r"blocks\.0: kernel must be odd, not 4"),
        ("{filters: 8, kernel: 3, stride: 2}", r"blocks\.0: a block with stride > 1 .* nor a residual"),
        ("{filters: 8, kernel: 3, stride: 2, dilation: 2, residual: false}", r"neither dilation > 1"),
        ("{filters: 0, kernel: 3}", r"blocks\.0\.filters: 0 should be greater than or equal to 1"),
        ("{filters: 8, kernel: 3, dropout: 1.0}", r"blocks\.0\.dropout: 1\.0 should be less than 1"),
        (
            "{filters: 8, kernel: 3, dilatation: 2}",
            r"blocks\.0\.dilatation: .*did you mean blocks\.0\.dilation",
        ),
        ("{kernel: 3}", r"blocks\.0\.filters: is missing; give int"),
        ("{filters: 8, kernel: wide}", r"blocks\.0\.kernel: 'wide' should be a valid integer"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    path = tmp_path / "encoder.yaml"
    path.write_text(f"blocks: [{row}]")
    with pytest.raises(ConfigError, match=message):
        load_config(JasperConfig, path)


def test_a_table_has_at_least_one_row(tmp_path: Path) -> None:
    path = tmp_path / "encoder.yaml"
    path.write_text("blocks: []")
    with pytest.raises(ConfigError, match=r"blocks: .* at least 1 item"):
        load_config(JasperConfig, path)
