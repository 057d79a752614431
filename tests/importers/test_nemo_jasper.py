"""NeMo's block tables: every key read or refused, and every weight under its new name."""

from typing import Any

import pytest

from linnet.core.errors import CheckpointError
from linnet.importers.nemo_jasper import rename, translate_encoder
from linnet.importers.section import Section
from linnet.models.jasper import JasperBlockConfig, JasperConfig

ROW = {
    "filters": 16,
    "repeat": 2,
    "kernel": [11],
    "stride": [1],
    "dilation": [1],
    "dropout": 0.0,
    "residual": True,
}


def translate(*rows: dict[str, Any], **values: Any) -> JasperConfig:
    section = {"activation": "relu", "jasper": [{**ROW, **row} for row in rows], **values}
    return translate_encoder(Section(section, "model.nemo, encoder"))


def test_a_plain_row_is_a_full_convolution_as_in_nemo() -> None:
    config = translate({})
    assert config.blocks == (JasperBlockConfig(filters=16, kernel=11, repeat=2, separable=False),)
    assert (config.activation, config.conv_mask, config.init) == ("relu", True, "xavier_uniform")


def test_a_row_of_citrinet() -> None:
    row = {"separable": True, "stride": [2], "stride_last": True, "residual_mode": "stride_add", "se": True}
    (block,) = translate({**row, "kernel_size_factor": 0.25, "se_context_size": -1}).blocks
    assert block == JasperBlockConfig(filters=16, kernel=3, repeat=2, stride=2, stride_at="last", se=True)


def test_the_residual_mode_stays_until_another_is_named() -> None:
    config = translate({"residual_mode": "stride_add"}, {"stride": [2], "stride_last": True})
    assert config.blocks[1].stride == 2


@pytest.mark.parametrize("kernel", [11, [11], [[11]]])
def test_a_kernel_may_lie_in_lists(kernel: Any) -> None:
    assert translate({"kernel": kernel}).blocks[0].kernel == 11


@pytest.mark.parametrize(("kernel", "expected"), [(10, 11), (1, 1), (12, 13)])
def test_an_even_kernel_becomes_the_next_odd_one(kernel: int, expected: int) -> None:
    assert translate({"kernel": kernel}).blocks[0].kernel == expected


@pytest.mark.parametrize(
    ("repeat", "last", "expected"), [(1, True, "first"), (3, True, "last"), (3, False, "every")]
)
def test_where_the_stride_lies(repeat: int, last: bool, expected: str) -> None:
    row = {"repeat": repeat, "stride": 2, "stride_last": last, "residual": False}
    assert translate(row).blocks[0].stride_at == expected


@pytest.mark.parametrize(
    ("future_context", "expected"), [(-1, None), (0, 0), (10, 10), (11, None), (50, None)]
)
def test_a_future_context_wider_than_the_kernel_means_nothing(
    future_context: int, expected: int | None
) -> None:
    assert translate({"future_context": future_context}).blocks[0].lookahead_frames == expected


def test_the_values_of_the_whole_encoder() -> None:
    config = translate({}, activation="silu", conv_mask=False, init_mode="tds_uniform", norm_groups=-1)
    assert (config.activation, config.conv_mask, config.init) == ("swish", False, "tds_uniform")


@pytest.mark.parametrize(
    ("row", "values", "message"),
    [
        ({"kernel": [3, 5]}, {}, r"jasper\.0: kernel: \[3, 5\] is not one integer"),
        ({"kernel": 2.5}, {}, r"kernel: 2\.5 is not one integer"),
        ({"groups": 4}, {}, r"groups: 4 is not supported"),
        ({"heads": 8}, {}, r"heads: 8 is not supported"),
        ({"residual_mode": "max"}, {}, r"residual_mode: 'max' is not supported"),
        ({"stride": [2], "stride_last": True}, {}, r"needs residual_mode: stride_add"),
        ({"future_context": 2, "dilation": [2]}, {}, r"future_context with a dilation"),
        ({"future_context": 2}, {"conv_mask": False}, r"future_context needs conv_mask: true"),
        ({"gating": True}, {}, r"jasper\.0: unknown keys: gating"),
        (
            {},
            {"normalization_mode": "group"},
            r"normalization_mode: 'group' is not supported; known: 'batch'",
        ),
        ({}, {"activation": "identity"}, r"activation: 'identity' is not supported"),
        ({}, {"quantize": True}, r"quantize: True is not supported"),
        ({}, {"aggregation_mode": "sum"}, r"unknown keys: aggregation_mode"),
        ({"residual_dense": True, "residual": False}, {}, r"blocks\.0: a dense block needs a residual"),
        ({"kernel": [2001]}, {}, r"blocks\.0\.kernel: 2001 should be less than or equal to 1001"),
    ],
)
def test_what_linnet_does_not_compute_is_refused(
    row: dict[str, Any], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        translate(row, **values)


def test_dense_residuals_begin_once() -> None:
    dense, plain = {"residual_dense": True}, {"residual": False}
    with pytest.raises(CheckpointError, match=r"jasper\.2: dense residuals that begin again"):
        translate(dense, plain, dense)


SEPARABLE = {"separable": True, "se": True}
TABLE = [SEPARABLE, {"se": True}, {"residual_dense": True}, {"residual_dense": True}]


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("encoder.0.mconv.0.conv.weight", "blocks.0.sub_blocks.0.depthwise.weight"),
        ("encoder.0.mconv.1.weight", "blocks.0.sub_blocks.0.mixing.weight"),  # without conv_mask
        ("encoder.0.mconv.7.running_var", "blocks.0.sub_blocks.1.norm.running_var"),
        ("encoder.0.mconv.8.fc.0.weight", "blocks.0.squeeze_excite.reduce.weight"),
        ("encoder.0.mconv.8.fc.2.weight", "blocks.0.squeeze_excite.expand.weight"),
        ("encoder.0.res.0.0.conv.weight", "blocks.0.residual.0.weight"),
        ("encoder.0.res.0.1.num_batches_tracked", "blocks.0.residual.1.num_batches_tracked"),
        ("encoder.1.mconv.4.conv.weight", "blocks.1.sub_blocks.1.mixing.weight"),
        ("encoder.1.mconv.5.bias", "blocks.1.sub_blocks.1.norm.bias"),
        ("encoder.1.mconv.6.fc.2.weight", "blocks.1.squeeze_excite.expand.weight"),
        ("encoder.2.res.0.0.conv.weight", "blocks.2.residual.0.weight"),
        ("encoder.3.res.0.0.conv.weight", "blocks.3.dense.0.0.weight"),
        ("encoder.3.res.1.1.weight", "blocks.3.residual.1.weight"),
    ],
)
def test_names_of_weights(key: str, ours: str) -> None:
    assert rename(key, translate(*TABLE)) == ours


def test_every_weight_of_a_table_has_a_name_in_nemo() -> None:
    config = translate(*TABLE)
    keys = [
        key
        for block in range(len(TABLE))
        for layer in [*(f"mconv.{index}" for index in range(10)), "res.0.0", "res.0.1", "res.1.0", "res.1.1"]
        for part in (".conv", "", ".fc.0", ".fc.2")
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        for key in [f"encoder.{block}.{layer}{part}.{name}"]
    ]
    named = set()
    for key in keys:
        try:
            named.add(rename(key, config))
        except KeyError:
            continue
    assert set(config.build(8).state_dict()) <= named


@pytest.mark.parametrize(
    "key",
    [
        "encoder.9.mconv.0.conv.weight",
        "encoder.0.mconv.3.weight",
        "encoder.0.mconv.2.fc.0.weight",
        "encoder.0.adapter_layer.x.weight",
        "layers.0.norm.weight",
    ],
)
def test_a_key_of_another_encoder_is_unknown(key: str) -> None:
    with pytest.raises(KeyError):
        rename(key, translate(*TABLE))
