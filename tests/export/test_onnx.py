"""The exported graph: height-1 convolutions, masks inside, any batch and any length."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from linnet.export.onnx import OPSET
from linnet.models.ctc import CtcModel
from linnet.runtime.session import CtcSession

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def nodes(graph: Path) -> Any:
    return onnx.load(graph)


def random_features(model: CtcModel, *lengths: int) -> tuple[Any, Any]:
    """Features (B, F, T) with garbage behind each length, and the lengths."""
    features = np.random.default_rng(0).standard_normal(
        (len(lengths), model.config.frontend.num_features, max(lengths)), np.float32
    )
    for row, length in zip(features, lengths, strict=True):
        row[:, length:] = 50.0
    return features, np.array(lengths)


@pytest.mark.parametrize("lengths", [(1,), (2,), (7,), (300,), (1, 1), (64, 33, 1), (2, 200, 128, 129, 5)])
def test_any_batch_and_length_equals_torch(model: CtcModel, graph: Path, lengths: tuple[int, ...]) -> None:
    features, valid = random_features(model, *lengths)
    log_probs, output_lengths = CtcSession(graph).log_probs(features, valid)
    assert output_lengths.tolist() == [(length + 1) // 2 for length in lengths]
    for row, length, scores, num_scores in zip(features, lengths, log_probs, output_lengths, strict=True):
        with torch.inference_mode():  # each utterance alone, so that a missing mask would show
            alone, _ = model(torch.from_numpy(row[None, :, :length]), torch.tensor([length]))
        np.testing.assert_allclose(scores[:num_scores], alone[0], atol=TOLERANCE)


def test_every_convolution_is_2d_with_height_one(nodes: Any, model: CtcModel) -> None:
    shapes = {each.name: list(each.dims) for each in nodes.graph.initializer}
    convolutions = [node for node in nodes.graph.node if node.op_type == "Conv"]
    kernels = [shapes[node.input[1]] for node in convolutions if not node.name.startswith("wide mask")]
    blocks = model.config.encoder.blocks
    expected = sum(block.repeat * (1 + block.separable) + block.residual for block in blocks) + 1
    assert len(kernels) == expected
    assert all(len(kernel) == 4 and kernel[2] == 1 for kernel in kernels)


def test_the_opset_is_the_one_that_bundles_record(nodes: Any) -> None:
    assert [(each.domain, each.version) for each in nodes.opset_import] == [("", OPSET)]


def test_the_weights_lie_inside_the_file(nodes: Any, graph: Path) -> None:
    assert graph.stat().st_size > 4 * sum(np.prod(each.dims) for each in nodes.graph.initializer)
    assert all(each.data_location == onnx.TensorProto.DEFAULT for each in nodes.graph.initializer)


def test_batch_norms_are_folded_into_the_convolutions(nodes: Any) -> None:
    assert "BatchNormalization" not in {node.op_type for node in nodes.graph.node}


def test_inputs_and_outputs_have_the_names_of_the_contract(nodes: Any) -> None:
    def described(values: Any) -> dict[str, tuple[int, int]]:
        return {
            each.name: (each.type.tensor_type.elem_type, len(each.type.tensor_type.shape.dim))
            for each in values
        }

    kinds = onnx.TensorProto
    assert described(nodes.graph.input) == {"audio_signal": (kinds.FLOAT, 3), "length": (kinds.INT64, 1)}
    assert described(nodes.graph.output) == {
        "logprobs": (kinds.FLOAT, 3),
        "logprobs_length": (kinds.INT64, 1),
    }
