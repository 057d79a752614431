"""A graph in int8 by onnxruntime's tools: activations by calibration, weights by channel (static QDQ)."""

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from linnet.core.arrays import Features
from linnet.export.masks import narrow_masks
from linnet.export.ranges import Histogram, Method, collect
from linnet.runtime.session import INT8, PRECISION_KEY

WEIGHTED = ("Conv", "MatMul", "Gemm")  # what multiplies by weights, and so what is worth int8
# What stands between convolutions of block tables: in int8 too, values need not go to float32 and back.
BETWEEN = ("Relu", "Add", "Mul")
_ATTENTION = ("LayerNormalization", "Softmax")  # in graphs with these, sums keep float32


class GraphInt8:
    """Makes int8 graphs of one float32 graph, which runs over the recordings once for all methods.

    Only products with weights become int8: of two activations, as in attention, both would lose, and gain
    little. Weights have a scale for each output channel, activations one for each tensor.

    Args:
        graph: the float32 graph, constants folded.
        folder: where ranges of calibration are kept, and the graph with narrow masks, faster in int8.
        features: (F, T) of real recordings, from which the ranges of activations come.

    Attributes:
        layers: names of the nodes that can be quantized, in the order of the graph.
    """

    def __init__(self, graph: Path, folder: Path, features: Sequence[Features]) -> None:
        import onnx

        content = narrow_masks(onnx.load(graph))
        self._graph = folder / "narrow.onnx"
        onnx.save(content, self._graph)
        weights = {each.name for each in content.graph.initializer}
        found = [node for node in content.graph.node if node.op_type in WEIGHTED and node.input[1] in weights]
        self.layers = tuple(node.name for node in found)
        kinds = {node.op_type for node in content.graph.node}
        self._kinds = [*WEIGHTED, *(() if kinds & set(_ATTENTION) else BETWEEN)]
        self._beside = _beside(found, content.graph.node)
        self._folder, self._features = folder, features
        self._histograms: dict[str, Histogram] = {}

    def write(self, path: Path, method: Method, *, kept: Sequence[str] = (), only: str | None = None) -> None:
        """Write an int8 graph.

        Args:
            path: the file.
            method: how the ranges of activations follow from the recordings.
            kept: layers that stay in float32, with the sums and products beside them.
            only: the one layer to quantize; None quantizes all but `kept`.
        """
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

        with _quiet():
            quantize_static(
                self._graph,
                path,
                None,  # the ranges say it all
                calibration_cache_path=self._ranges(method),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=self._kinds,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_quantize=None if only is None else [only],
                nodes_to_exclude=sorted({*kept, *chain.from_iterable(self._beside[each] for each in kept)}),
                extra_options={
                    "MatMulConstBOnly": True,
                    "OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"],
                },
            )
        _mark(path)

    def _ranges(self, method: Method) -> Path:
        """Write the ranges of a method once, as onnxruntime reads ranges that were found before."""
        from onnxruntime.quantization import CalibrationMethod
        from onnxruntime.quantization.calibrate import TensorData, TensorsData, save_tensors_data

        path = self._folder / f"{method}.json"
        if not path.exists():
            self._histograms = self._histograms or collect(self._graph, self._kinds, self._features)
            found = {
                name: TensorData(lowest=np.float32(lowest), highest=np.float32(highest))
                for name, (lowest, highest) in (
                    (name, each.range(method)) for name, each in self._histograms.items()
                )
            }
            save_tensors_data(TensorsData(CalibrationMethod.MinMax, found), path)
        return path


def _beside(layers: Sequence[Any], nodes: Sequence[Any]) -> dict[str, set[str]]:
    """Name what stands between each layer and those before and after it.

    In int8 it would round what the layer reads and writes, although the layer itself does not.
    """
    sources = {name: [node] for node in nodes for name in node.output}
    readers: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    return {
        layer.name: _reached(layer.input, sources, "input") | _reached(layer.output, readers, "output")
        for layer in layers
    }


def _reached(start: Iterable[str], at: Mapping[str, Sequence[Any]], onward: str) -> set[str]:
    """Name the sums and products that are reached from tensors before any product with weights."""
    found: dict[str, str] = {}
    tensors = list(start)
    while tensors:
        for node in at.get(tensors.pop(), ()):
            if node.op_type not in WEIGHTED and node.name not in found:
                found[node.name] = node.op_type
                tensors += getattr(node, onward)
    return {name for name, kind in found.items() if kind in BETWEEN}


def _mark(path: Path) -> None:
    """Say in the metadata what the graph is, and drop where the quantizer left its own marks."""
    import onnx

    content = onnx.load(path)
    del content.metadata_props[:]
    onnx.helper.set_model_props(content, {PRECISION_KEY: INT8})
    onnx.save(content, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's advice and progress to itself; it prints, and writes to the root logger."""
    logger = logging.getLogger()

    def is_foreign(record: logging.LogRecord) -> bool:
        return "onnxruntime" not in record.pathname

    logger.addFilter(is_foreign)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.removeFilter(is_foreign)
