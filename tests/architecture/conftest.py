"""A sound bundle of a few hundred weights, for tests that need a model but not a good one."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from linnet.bundle.schema import BundleSpec
from linnet.bundle.writer import write_bundle
from linnet.features.config import FrontendConfig
from linnet.text.vocabulary import Vocabulary

OPSET = 18
SUBSAMPLING = 2


def _tiny_graph(num_features: int, vocabulary_size: int) -> onnx.ModelProto:
    """Score frames by one random 1x1 convolution with stride 2."""
    weight = np.random.default_rng(0).normal(size=(vocabulary_size, num_features, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["audio_signal", "weight"], ["scores"], strides=[SUBSAMPLING]),
        helper.make_node("Transpose", ["scores"], ["by_frame"], perm=[0, 2, 1]),
        helper.make_node("LogSoftmax", ["by_frame"], ["logprobs"], axis=-1),
        helper.make_node("Add", ["length", "one"], ["rounded_up"]),
        helper.make_node("Div", ["rounded_up", "two"], ["logprobs_length"]),
    ]
    constants = {"weight": weight, "one": np.int64(1), "two": np.int64(SUBSAMPLING)}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("audio_signal", TensorProto.FLOAT, ["B", num_features, "T"]),
            helper.make_tensor_value_info("length", TensorProto.INT64, ["B"]),
        ],
        [
            helper.make_tensor_value_info("logprobs", TensorProto.FLOAT, ["B", "S", vocabulary_size]),
            helper.make_tensor_value_info("logprobs_length", TensorProto.INT64, ["B"]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a bundle that writes nonsense in two words."""
    folder = tmp_path_factory.mktemp("tiny")
    vocabulary, frontend = Vocabulary(("▁zero", "▁one")), FrontendConfig()
    onnx.save(_tiny_graph(frontend.num_features, vocabulary.size), folder / "graph.onnx")
    spec = BundleSpec(
        name="tiny",
        language="en",
        license="Apache-2.0",
        sample_rate_hz=frontend.sample_rate_hz,
        frontend=frontend,
        normalizer="basic",
        vocabulary="word",
        subsampling=SUBSAMPLING,
        blank_id=vocabulary.blank_id,
        opset=OPSET,
        parameters=0,
        created_with="0.1.0",
    )
    write_bundle(folder / "bundle", spec, folder / "graph.onnx", vocabulary, "# tiny\n")
    return folder / "bundle"
