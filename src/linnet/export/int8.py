"""A graph in int8 by onnxruntime's tools: activations by calibration, weights by channel (static QDQ)."""

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from linnet.core.arrays import Features
from linnet.runtime.session import INT8, PRECISION_KEY

Method = Literal["minmax", "percentile", "entropy"]
METHODS: tuple[Method, ...] = get_args(Method)
PERCENTILE = 99.99  # of the values of a tensor that its range holds, where the method is "percentile"

WEIGHTED = ("Conv", "MatMul", "Gemm")  # what multiplies by weights, and so what is worth int8
# What stands between convolutions of block tables: in int8 too, values need not go to float32 and back.
BETWEEN = ("Relu", "Add", "Mul")
_ATTENTION = ("LayerNormalization", "Softmax")  # in graphs with these, sums keep float32


class GraphInt8:
    """Makes int8 graphs of one float32 graph; each calibration method runs over the recordings once.

    Only products with weights become int8: of two activations, as in attention, both would lose, and gain
    little. Weights have a scale for each output channel, activations one for each tensor.

    Args:
        graph: the float32 graph, constants folded.
        folder: where the ranges found by calibration are kept.
        features: (F, T) of real recordings, from which the ranges of activations come.

    Attributes:
        layers: names of the nodes that can be quantized, in the order of the graph.
    """

    def __init__(self, graph: Path, folder: Path, features: Sequence[Features]) -> None:
        import onnx

        content = onnx.load(graph)
        weights = {each.name for each in content.graph.initializer}
        found = [node for node in content.graph.node if node.op_type in WEIGHTED and node.input[1] in weights]
        self.layers = tuple(node.name for node in found)
        kinds = {node.op_type for node in content.graph.node}
        self._kinds = [*WEIGHTED, *(() if kinds & set(_ATTENTION) else BETWEEN)]
        self._graph, self._folder, self._features = graph, folder, features

    def write(self, path: Path, method: Method, *, kept: Sequence[str] = (), only: str | None = None) -> None:
        """Write an int8 graph.

        Args:
            path: the file.
            method: how the ranges of activations follow from the recordings.
            kept: layers that stay in float32.
            only: the one layer to quantize; None quantizes all but `kept`.
        """
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

        methods = {
            "minmax": CalibrationMethod.MinMax,
            "percentile": CalibrationMethod.Percentile,
            "entropy": CalibrationMethod.Entropy,
        }
        with _quiet():
            quantize_static(
                self._graph,
                path,
                _recordings(self._features),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=self._kinds,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_quantize=None if only is None else [only],
                nodes_to_exclude=list(kept),
                calibrate_method=methods[method],
                calibration_cache_path=self._folder / f"{method}.json",
                extra_options={
                    "CalibPercentile": PERCENTILE,
                    "CalibStridedMinMax": 1,  # one recording after another, so that memory is bounded
                    "MatMulConstBOnly": True,
                    "OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"],
                },
            )
        _mark(path)


def _mark(path: Path) -> None:
    """Say in the metadata what the graph is, and drop where the quantizer left its own marks."""
    import onnx

    content = onnx.load(path)
    del content.metadata_props[:]
    onnx.helper.set_model_props(content, {PRECISION_KEY: INT8})
    onnx.save(content, path)


def _recordings(features: Sequence[Features]) -> Any:
    """Give the recordings as onnxruntime's calibration asks for them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Recordings(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self.feeds: Iterator[Features] = iter(features)

        def __len__(self) -> int:
            return len(features)

        def set_range(self, start_index: int, end_index: int) -> None:
            self.feeds = iter(features[start_index:end_index])

        def get_next(self) -> dict[str, Any] | None:
            each = next(self.feeds, None)
            return None if each is None else {"audio_signal": each[None], "length": np.array([each.shape[1]])}

    return Recordings()


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
