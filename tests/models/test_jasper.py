"""The block table: what it computes, what it refuses, what padding and masks change."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.core.config import load_config
from linnet.core.errors import ConfigError
from linnet.models.ctc import CtcModel
from linnet.models.jasper import JasperBlock, JasperBlockConfig, JasperConfig, JasperEncoder, SubBlock
from linnet.models.layers.convolution import TimeBatchNorm
from linnet.models.layers.squeeze_excite import SqueezeExcite

Batch = Callable[..., tuple[Tensor, Tensor]]


def normalized(x: Tensor, norm: TimeBatchNorm) -> Tensor:
    return functional.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=1e-3)


def squeezed(x: Tensor, layer: SqueezeExcite, activation: nn.Module) -> Tensor:
    hidden = activation(functional.linear(x.mean(-1), layer.reduce.weight, layer.reduce.bias))
    return x * functional.linear(hidden, layer.expand.weight, layer.expand.bias).sigmoid()[..., None]


def by_hand(
    block: JasperBlock, config: JasperBlockConfig, inputs: Sequence[Tensor], activation: nn.Module
) -> Tensor:
    """The equations of a block for one utterance without padding, in torch's own operations.

    `inputs` are those of the dense blocks before it and its own.
    """
    y = inputs[-1]
    for index, sub_block in enumerate(block.sub_blocks):
        assert isinstance(sub_block, SubBlock)
        stride = config.strides[index]
        reach = config.dilation * (config.kernel - 1)
        right = reach // 2 if config.lookahead_frames is None else config.lookahead_frames * config.dilation
        y = functional.pad(y, (reach - right, right))
        if config.separable:
            weight = sub_block.depthwise.weight
            y = functional.conv1d(y, weight, None, stride, 0, config.dilation, groups=y.shape[1])
            y = functional.conv1d(y, sub_block.mixing.weight)
        else:
            y = functional.conv1d(y, sub_block.mixing.weight, None, stride, 0, config.dilation)
        y = normalized(y, sub_block.norm)
        if index + 1 < config.repeat:
            y = activation(y)
    if block.squeeze_excite is not None:
        y = squeezed(y, block.squeeze_excite, activation)
    if block.residual is not None:
        for path, x in zip([*block.dense, block.residual], inputs, strict=True):
            y = y + normalized(functional.conv1d(x, path[0].weight, stride=config.stride), path[1])
    return activation(y)


def stacked_by_hand(encoder: JasperEncoder, x: Tensor, activation: nn.Module) -> Tensor:
    inputs: list[Tensor] = []
    for block, row in zip(encoder.blocks, encoder.config.blocks, strict=True):
        inputs = [*inputs, x] if row.dense else [x]
        x = by_hand(block, row, inputs, activation)
        inputs = inputs if row.dense else []
    return x


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("relu", nn.ReLU()),
        ("clipped_relu", nn.Hardtanh(0.0, 20.0)),
        ("swish", nn.SiLU()),
        ("hardtanh", nn.Hardtanh(-1.0, 1.0)),
        ("gelu", nn.GELU()),
        ("selu", nn.SELU()),
    ],
)
def test_every_kind_of_block_follows_its_equations(
    tiny_model: CtcModel, padded_batch: Batch, name: str, activation: nn.Module
) -> None:
    config = tiny_model.config.encoder.model_copy(update={"activation": name})
    encoder = config.build(6).eval()
    encoder.load_state_dict(tiny_model.encoder.state_dict())
    features, lengths = padded_batch(31)
    features = 30 * features  # so that the clipped activation clips
    y, lengths = encoder(features, lengths)
    torch.testing.assert_close(y, stacked_by_hand(encoder, features, activation), atol=1e-4, rtol=1e-5)
    assert lengths.tolist() == [y.shape[-1]]


@pytest.mark.parametrize(
    ("stride_at", "residual", "strides"),
    [("first", True, (2, 1, 1)), ("last", True, (1, 1, 2)), ("every", False, (2, 2, 2))],
)
def test_the_stride_lies_where_the_row_says(
    padded_batch: Batch, stride_at: str, residual: bool, strides: tuple[int, ...]
) -> None:
    row = {"filters": 8, "kernel": 3, "stride": 2, "repeat": 3, "stride_at": stride_at, "residual": residual}
    config = JasperConfig.model_validate({"blocks": [row]})
    assert config.blocks[0].strides == strides
    torch.manual_seed(0)
    encoder = config.build(6).eval()
    features, lengths = padded_batch(31)
    y, lengths = encoder(features, lengths)
    torch.testing.assert_close(y, stacked_by_hand(encoder, features, nn.ReLU()))
    assert [y.shape[-1]] == lengths.tolist() == [-(-31 // config.subsampling)]


def test_without_masks_padding_passes_for_sound_and_lengths_still_shrink(padded_batch: Batch) -> None:
    rows = [{"filters": 8, "kernel": 5, "stride": 2, "repeat": 2}, {"filters": 5, "kernel": 7}]
    torch.manual_seed(0)
    masked = JasperConfig.model_validate({"blocks": rows}).build(6).eval()
    unmasked = JasperConfig.model_validate({"blocks": rows, "conv_mask": False}).build(6).eval()
    unmasked.load_state_dict(masked.state_dict())
    features, lengths = padded_batch(31, 17)
    y, y_lengths = unmasked(features, lengths)
    assert y_lengths.tolist() == [16, 9]
    torch.testing.assert_close(y, masked(features, torch.tensor([31, 31]))[0])


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
    config = JasperConfig(blocks=(JasperBlockConfig(filters=4, kernel=5, separable=separable),))
    torch.manual_seed(0)
    encoder = config.build(6)
    dirty, _ = encoder(features, lengths)
    clean, _ = encoder(features * (torch.arange(12) < lengths[:, None, None]), lengths)
    torch.testing.assert_close(dirty, clean)


def test_dropout_acts_in_training_only() -> None:
    config = JasperConfig.model_validate({"blocks": [{"filters": 64, "kernel": 3, "dropout": 0.5}]})
    encoder = JasperEncoder(config, 4)
    x, lengths = torch.randn(1, 4, 30), torch.tensor([30])
    torch.manual_seed(0)
    dropped = (encoder(x, lengths)[0] == 0).float().mean()
    kept = (encoder.eval()(x, lengths)[0] == 0).float().mean()
    assert dropped > kept + 0.1


def test_contextnet_starts_from_wide_uniform_weights() -> None:
    rows = [{"filters": 64, "kernel": 5, "se": True}]
    torch.manual_seed(0)
    encoder = JasperConfig.model_validate({"blocks": rows, "init": "tds_uniform"}).build(64)
    sub_block = encoder.blocks[0].sub_blocks[0]
    for weight, fan_in in [(sub_block.depthwise.weight, 5), (sub_block.mixing.weight, 64)]:
        bound = 2 / fan_in**0.5
        assert 0.9 * bound < weight.abs().max() <= bound


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
        ("{filters: 8, kernel: 3, stride: 2, dilation: 2}", r"blocks\.0: .* cannot have dilation > 1"),
        ("{filters: 8, kernel: 3, stride: 2, stride_at: every, repeat: 2}", r"stride_at first or last"),
        ("{filters: 8, kernel: 3, dense: true, residual: false}", r"a dense block needs a residual"),
        ("{filters: 8, kernel: 3, dense: true, stride: 2}", r"a dense block needs .* stride 1"),
        ("{filters: 8, kernel: 3, lookahead_frames: 3}", r"less than the kernel's 3 taps"),
        ("{filters: 4, kernel: 3, se: true}", r"se_reduction must be at most filters, 4"),
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
