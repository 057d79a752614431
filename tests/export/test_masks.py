"""Wide masks: no value changes, products share them, and narrowing takes them back."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from linnet.core.arrays import Features
from linnet.export.masks import narrow_masks, widen_masks

CHANNELS = 32
LENGTHS = np.array([50, 20])


def write_graph(path: Path, height: int = 1) -> None:
    """x → convolution → ReLU → mask → convolution → mask → ReLU, the input masked as well, and a sum."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.standard_normal((CHANNELS, channels, 1, 3), np.float32), name)
        for name, channels in (("first", 4), ("second", CHANNELS))
    ]
    axes = numpy_helper.from_array(np.array([1, 2]), "axes")
    last_axis = numpy_helper.from_array(np.array([-1]), "last_axis")
    last = numpy_helper.from_array(np.array([1]), "last")
    frames = numpy_helper.from_array(np.arange(50)[None], "frames")
    pads: dict[str, Any] = {"pads": [0, 1, 0, 1]}
    nodes = [
        helper.make_node("Unsqueeze", ["length", "last"], ["lengths"]),
        helper.make_node("Less", ["frames", "lengths"], ["valid"]),
        helper.make_node("Unsqueeze", ["valid", "axes"], ["valid_4d"]),
        helper.make_node("Cast", ["valid_4d"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["x", "mask"], ["x_masked"]),
        helper.make_node("Conv", ["x_masked", "first"], ["a"], **pads),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Mul", ["b", "mask"], ["c"]),
        helper.make_node("Conv", ["c", "second"], ["d"], **pads),
        helper.make_node("Mul", ["d", "mask"], ["e"]),
        helper.make_node("Relu", ["e"], ["y"]),
        helper.make_node("Mul", ["d", "mask"], ["f"]),
        helper.make_node("ReduceSum", ["f", "last_axis"], ["sum"], keepdims=1),
    ]
    graph = helper.make_graph(
        nodes,
        "masked",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, height, 50]),
            helper.make_tensor_value_info("length", TensorProto.INT64, ["batch"]),
        ],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", CHANNELS, height, 50]),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["batch", CHANNELS, height, 1]),
        ],
        [*weights, axes, last, last_axis, frames],
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(onnx.shape_inference.infer_shapes(content), path)


def run(path: Path) -> Features:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((2, 4, 1, 50), np.float32)
    y, sums = session.run(None, {"x": x, "length": LENGTHS})
    return np.concatenate([y, sums], axis=-1)


def test_a_wide_mask_changes_no_value(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_graph(path)
    before = run(path)
    widen_masks(path)
    np.testing.assert_array_equal(run(path), before)
    assert np.all(before[1, ..., LENGTHS[1] : -1] == 0)
    assert np.any(before[0, ..., LENGTHS[1] : -1] != 0)


def test_products_behind_convolutions_share_one_wide_mask(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_graph(path)
    widen_masks(path)
    graph = onnx.load(path).graph
    factors = {node.output[0]: node.input[1] for node in graph.node if node.op_type == "Mul"}
    assert factors["x_masked"] == "mask"
    assert factors["c"] == factors["e"] != "mask"
    assert factors["f"] == "mask"  # read by a sum alone
    onnx.checker.check_model(path, full_check=True)


def test_masks_over_time_and_frequency_stay(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_graph(path, height=2)
    before = path.read_bytes()
    widen_masks(path)
    assert onnx.load(path) == onnx.load_from_string(before)


@pytest.mark.parametrize("renamed", [False, True])
def test_narrowing_takes_it_back(tmp_path: Path, renamed: bool) -> None:  # an import gives all another name
    path = tmp_path / "model.onnx"
    write_graph(path)
    content = onnx.load(path)
    widen_masks(path)
    wide = onnx.load(path)
    if renamed:
        content, wide = (onnx.compose.add_prefix(each, "source/") for each in (content, wide))
    narrow = narrow_masks(wide)
    assert list(narrow.graph.node) == list(content.graph.node)
    assert list(narrow.graph.initializer) == list(content.graph.initializer)
