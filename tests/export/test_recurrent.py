"""Recurrent layers become single nodes of ONNX, which agree with torch at any batch and length."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from linnet.export.onnx import export_onnx
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.runtime.session import CtcSession

TINY = {
    "name": "tiny",
    "frontend": {"num_mels": 6},
    "encoder": {
        "kind": "deepspeech2",
        "convolutions": [{"filters": 3, "kernel": [5, 3], "stride": [2, 2]}],
        "hidden": 60,  # large enough that the exporter leaves the weights unjoined
        "num_layers": 1,
        "width": 5,
    },
    "head": {"kind": "lstm", "hidden": 4},
    "tokenizer": {"kind": "char", "pieces": ["a", "b"]},
}


@pytest.fixture(scope="module")
def model() -> CtcModel:
    torch.manual_seed(0)
    return CtcModel(ModelConfig.model_validate(TINY)).eval()


@pytest.fixture(scope="module")
def graph(model: CtcModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recurrent") / "model.onnx"
    export_onnx(model, path)
    return path


@pytest.mark.parametrize("lengths", [(1,), (2,), (300,), (1, 1), (64, 33, 1), (2, 200, 128, 129, 5)])
def test_any_batch_and_length_equals_torch(model: CtcModel, graph: Path, lengths: tuple[int, ...]) -> None:
    features = np.random.default_rng(0).standard_normal((len(lengths), 6, max(lengths)), np.float32)
    for row, length in zip(features, lengths, strict=True):
        row[:, length:] = 50.0
    log_probs, output_lengths = CtcSession(graph).log_probs(features, np.array(lengths))
    assert output_lengths.tolist() == [(length + 1) // 2 for length in lengths]
    for row, length, scores, num_scores in zip(features, lengths, log_probs, output_lengths, strict=True):
        with torch.inference_mode():  # each utterance alone, so that a missing mask would show
            alone, _ = model(torch.from_numpy(row[None, :, :length]), torch.tensor([length]))
        np.testing.assert_allclose(scores[:num_scores], alone[0], atol=1e-4)


def test_an_utterance_without_frames_disturbs_no_other(graph: Path) -> None:
    features = np.random.default_rng(0).standard_normal((2, 6, 20), np.float32)
    expected, _ = CtcSession(graph).log_probs(features[:1], np.array([20]))
    log_probs, output_lengths = CtcSession(graph).log_probs(features, np.array([20, 0]))
    assert output_lengths.tolist() == [10, 0]
    np.testing.assert_allclose(log_probs[0], expected[0], atol=1e-6)


def test_each_layer_is_one_node_with_weights_ready_to_use(graph: Path) -> None:
    loaded: Any = onnx.load(graph).graph
    stored = {each.name for each in loaded.initializer}
    layers = [node for node in loaded.node if node.op_type in ("GRU", "LSTM")]
    assert [node.op_type for node in layers] == ["GRU", "LSTM"]
    assert all({*node.input[1:4]} <= stored for node in layers)
