"""Masks as wide as what they multiply, so that onnxruntime keeps the layout in which it convolves fastest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

_WIDE = "wide mask "  # how the name of a node that makes one begins
_UNCHANGED = ("Cast", "Unsqueeze")  # what a mask goes through between its comparison and the product
_BLOCKED = ("Relu", "Add", "Mul")  # what stays in the layout of the convolution before it


def widen_masks(path: Path) -> None:
    """Give each mask (B, 1, 1, T) behind a convolution all of its C channels, in the graph at `path`.

    onnxruntime convolves in blocks of channels (NCHWc), and goes on in blocks only through sums and
    products of equal shapes: each narrower mask costs the way out of blocks and back. A convolution with
    ones widens a mask, once for all products that share it; no value changes. Products that only leave the
    blocks, into a sum over frames, keep theirs: it would take memory for nothing.

    Args:
        path: an ONNX file, constants folded, weights inside; written over.
    """
    content = onnx.load(path)
    graph = content.graph
    makers = {name: node for node in graph.node for name in node.output}
    weights = {each.name: each for each in graph.initializer}
    read_in_blocks = {
        name for node in graph.node if node.op_type in ("Conv", *_BLOCKED) for name in node.input
    }
    staying = read_in_blocks & {each.name for each in graph.value_info if _is_row(each)}
    nodes: list[Any] = []
    shapes: dict[str, list[str | int]] = {}
    for node in graph.node:
        convolution = _masked(node, makers) if node.output[0] in staying else None
        if convolution is not None and convolution.input[1] in weights:
            mask, channels = node.input[1], weights[convolution.input[1]].dims[0]
            wide = f"{mask}_{channels}"
            if wide not in shapes:
                ones = np.ones((channels, 1, 1, 1), np.float32)
                graph.initializer.append(numpy_helper.from_array(ones, f"{wide}_ones"))
                nodes.append(helper.make_node("Conv", [mask, f"{wide}_ones"], [wide], _WIDE + wide))
            node.input[1] = wide
            # What tells onnxruntime that all have the same frames.
            shapes |= {name: ["batch", channels, 1, mask] for name in (*node.input, *node.output)}
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _declare(graph, shapes)
    onnx.save(content, path)


def narrow_masks(content: Any) -> Any:
    """Take back what `widen_masks` did to a graph, and return it.

    Its nodes are known by what they do: in a graph that was exported and imported again their names differ.
    """
    graph = content.graph
    makers = {name: node for node in graph.node for name in node.output}
    values = {each.name: each for each in graph.initializer}
    elsewhere = {name for node in graph.node if node.op_type != "Mul" for name in node.input}
    wide = {
        node.output[0]: node
        for node in graph.node
        if _widens(node, makers, values) and node.output[0] not in elsewhere
    }
    nodes = [node for node in graph.node if node.output[0] not in wide]
    for node in nodes:
        for place, name in enumerate(node.input):
            if name in wide:
                node.input[place] = wide[name].input[0]
    ones = {node.input[1] for node in wide.values()}
    weights = [each for each in graph.initializer if each.name not in ones]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)
    return content


def _is_row(value: Any) -> bool:
    """Tell whether a tensor is known to be (B, C, 1, T): those of 2-D convolutions have other masks."""
    dims = value.type.tensor_type.shape.dim
    return len(dims) == 4 and dims[2].dim_value == 1


def _widens(node: Any, makers: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Tell whether a node is a convolution of a mask with ones."""
    if node.op_type != "Conv" or len(node.input) != 2 or not _is_mask(node.input[0], makers):
        return False
    kernel = values.get(node.input[1])
    if kernel is None or list(kernel.dims[1:]) != [1, 1, 1]:
        return False
    return bool(np.all(numpy_helper.to_array(kernel) == 1))


def _masked(node: Any, makers: Mapping[str, Any]) -> Any | None:
    """Find the convolution whose output, in its layout still, a node multiplies by a mask."""
    if node.op_type != "Mul" or not _is_mask(node.input[1], makers):
        return None
    before = makers.get(node.input[0])
    while before is not None and before.op_type in _BLOCKED:
        before = makers.get(before.input[0])
    return before if before is not None and before.op_type == "Conv" else None


def _is_mask(name: str, makers: Mapping[str, Any]) -> bool:
    """Tell whether a tensor compares frames with lengths."""
    node = makers.get(name)
    while node is not None and node.op_type in _UNCHANGED:
        node = makers.get(node.input[0])
    return node is not None and node.op_type == "Less"


def _declare(graph: Any, shapes: Mapping[str, list[str | int]]) -> None:
    """Say the shapes of tensors in place of what was inferred."""
    others = [each for each in graph.value_info if each.name not in shapes]
    told = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in shapes.items()
    ]
    del graph.value_info[:]
    graph.value_info.extend([*others, *told])
