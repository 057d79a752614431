"""A stranger's ONNX graph of a CTC model, brought to the inputs and outputs that the runtime asks for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.bundle.reader import MAX_MODEL_BYTES
from linnet.core.errors import CheckpointError
from linnet.core.optional import require

MAX_METADATA_BYTES = 1 << 20

_INPUT, _LENGTH, _OUTPUT, _OUTPUT_LENGTH = "audio_signal", "length", "logprobs", "logprobs_length"
_OURS = "linnet/"  # begins the names of what is added
_THEIRS = "source/"  # and of what was there
_REMEDY = "Export it from NeMo as a CTC model: inputs audio_signal and length, output logprobs"


@dataclass(frozen=True, slots=True)
class ForeignGraph:
    """An ONNX file, read and not yet run.

    Attributes:
        path: where it was read from.
        proto: the model.
        signal: the name of its features (B, F, T).
        length: the name of their lengths (B,); None in graphs that ask for none.
        log_probs: the name of its output (B, S, V).
        metadata: what its author wrote into it.
    """

    path: Path
    proto: Any
    signal: str
    length: str | None
    log_probs: str
    metadata: dict[str, str]

    @property
    def num_features(self) -> int | None:
        """F, or None where the graph leaves it open."""
        return _fixed(_named(self.proto.graph.input, self.signal), axis=1)

    @property
    def opset(self) -> int:
        """The version of the standard operators."""
        return max(
            (each.version for each in self.proto.opset_import if each.domain in ("", "ai.onnx")), default=1
        )

    @property
    def num_parameters(self) -> int:
        """How many numbers its weights are."""
        total = 0
        for tensor in self.proto.graph.initializer:
            size = 1
            for dimension in tensor.dims:
                size *= dimension
            total += size
        return total


def read_graph(path: Path) -> ForeignGraph:
    """Read an ONNX file; nothing in it is run, and no other file is opened.

    Raises:
        CheckpointError: when it is no ONNX model, keeps its weights in other files, or is no CTC model over
            features.
        MissingDependencyError: when the package onnx is not installed.
    """
    onnx = require("onnx", extra="train", purpose="importing an ONNX model")
    where = str(path)
    if not path.is_file():
        raise CheckpointError("there is no such file", where=where, remedy="Check the path")
    if (size := path.stat().st_size) > MAX_MODEL_BYTES:
        raise CheckpointError(f"has {size} bytes, at most {MAX_MODEL_BYTES} are read", where=where)
    try:
        proto = onnx.load_model(path, load_external_data=False)
    except Exception as error:  # protobuf's errors share no base with onnx's
        raise CheckpointError(
            f"is no ONNX model ({type(error).__name__})", where=where, remedy="Copy the file again"
        ) from None
    if not proto.graph.node:
        raise CheckpointError(
            "is no ONNX model: it computes nothing", where=where, remedy="Copy the file again"
        )
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(proto.graph)):
        raise CheckpointError(
            "keeps its weights in other files, which are not opened",
            where=where,
            remedy="Save it as one file: onnx.save(onnx.load(path), new_path)",
        )
    return ForeignGraph(path, proto, *_signature(onnx, proto.graph, where), _metadata(proto, where))


def to_contract(graph: ForeignGraph, path: Path, subsampling: int, *, log_softmax: bool = False) -> None:
    """Write the graph with the runtime's inputs and outputs.

    Args:
        graph: what was read.
        path: the file to write.
        subsampling: frames of features for one of log-probs; of T frames, ceil(T / subsampling) come out.
        log_softmax: whether its outputs are scores, which a log-softmax has to follow.
    """
    onnx = require("onnx", extra="train", purpose="importing an ONNX model")
    model = onnx.compose.add_prefix(graph.proto, _THEIRS)
    inner, node, int64 = model.graph, onnx.helper.make_node, onnx.TensorProto.INT64
    before = [node("Identity", [_INPUT], [_THEIRS + graph.signal])]
    if graph.length is not None:
        elem_type = _named(graph.proto.graph.input, graph.length).type.tensor_type.elem_type
        before.append(node("Cast", [_LENGTH], [_THEIRS + graph.length], to=elem_type))
    scores = _THEIRS + graph.log_probs
    after = [
        node("LogSoftmax", [scores], [_OUTPUT], axis=-1)
        if log_softmax
        else node("Identity", [scores], [_OUTPUT]),
        node("Add", [_LENGTH, f"{_OURS}rest"], [f"{_OURS}rounded_up"]),
        node("Div", [f"{_OURS}rounded_up", f"{_OURS}subsampling"], [_OUTPUT_LENGTH]),
    ]
    nodes = [*before, *inner.node, *after]
    declared = onnx.helper.make_tensor_value_info
    shape = _shape(_named(inner.input, _THEIRS + graph.signal))
    out_shape = _shape(_named(inner.output, scores))
    del inner.node[:], inner.input[:], inner.output[:], inner.value_info[:], model.metadata_props[:]
    inner.node.extend(nodes)
    inner.input.extend(
        [declared(_INPUT, onnx.TensorProto.FLOAT, ["B", shape[1], "T"]), declared(_LENGTH, int64, ["B"])]
    )
    inner.output.extend(
        [
            declared(_OUTPUT, onnx.TensorProto.FLOAT, ["B", "S", out_shape[2]]),
            declared(_OUTPUT_LENGTH, int64, ["B"]),
        ]
    )
    for name, value in (("rest", subsampling - 1), ("subsampling", subsampling)):
        inner.initializer.append(onnx.helper.make_tensor(_OURS + name, int64, [], [value]))
    onnx.save(model, path)


def _signature(onnx: Any, graph: Any, where: str) -> tuple[str, str | None, str]:
    """Find the features, their lengths and the log-probs among the inputs and outputs."""
    weights = {tensor.name for tensor in graph.initializer}  # old graphs list these as inputs too
    inputs = [value for value in graph.input if value.name not in weights]
    integers = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
    signals = [value.name for value in inputs if _is(value, (onnx.TensorProto.FLOAT,), 3)]
    lengths = [value.name for value in inputs if _is(value, integers, 1)]
    outputs = [value.name for value in graph.output if _is(value, (onnx.TensorProto.FLOAT,), 3)]
    fits = len(signals) == 1 and len(lengths) <= 1 and len(inputs) == len(signals) + len(lengths)
    if not fits or not outputs:
        raise CheckpointError(
            f"its inputs are {_listed(inputs)} and its outputs {_listed(graph.output)}; read are models with "
            "one float input (B, F, T), at most one of lengths (B,), and an output (B, S, V)",
            where=where,
            remedy=_REMEDY,
        )
    return signals[0], lengths[0] if lengths else None, outputs[0]


def _is(value: Any, kinds: Sequence[int], rank: int) -> bool:
    tensor = value.type.tensor_type
    return tensor.elem_type in kinds and len(tensor.shape.dim) == rank


def _listed(values: Sequence[Any]) -> str:
    return (
        ", ".join(f"{value.name} of rank {len(value.type.tensor_type.shape.dim)}" for value in values[:8])
        or "none"
    )


def _named(values: Sequence[Any], name: str) -> Any:
    return next(value for value in values if value.name == name)


def _shape(value: Any) -> list[int | str]:
    """Give the sizes of a value; a name where one is open."""
    dimensions = enumerate(value.type.tensor_type.shape.dim)
    return [each.dim_value if each.HasField("dim_value") else f"D{axis}" for axis, each in dimensions]


def _fixed(value: Any, axis: int) -> int | None:
    size = _shape(value)[axis]
    return size if isinstance(size, int) and size > 0 else None


def _metadata(proto: Any, where: str) -> dict[str, str]:
    if sum(len(each.key) + len(each.value) for each in proto.metadata_props) > MAX_METADATA_BYTES:
        raise CheckpointError(
            f"has more than {MAX_METADATA_BYTES} bytes of metadata",
            where=where,
            remedy="Export the model again without it",
        )
    return {each.key: each.value for each in proto.metadata_props}


def _tensors(graph: Any) -> Iterator[Any]:
    """Yield the tensors of a graph, and of the graphs inside of it."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from _tensors(inner)
