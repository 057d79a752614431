"""wav2vec under onnxruntime: a stack over 1.0 gives what it gives in torch, and 2.0 becomes int8."""

from pathlib import Path

import numpy as np
import pytest
import torch

from linnet.export.int8 import GraphInt8
from linnet.export.onnx import export_onnx
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.runtime.session import CtcSession

FIRST = {
    "kind": "wav2vec",
    "features": [
        {"filters": 5, "kernel": 20, "stride": 10},
        {"filters": 6, "kernel": 4, "stride": 2},
        {"filters": 6, "kernel": 1},
    ],
    "context_kernels": [2, 3],
    "context_padding": "first",
}
THEN = {"kind": "conformer", "num_layers": 1, "width": 8, "num_heads": 2, "kernel": 3}


@pytest.mark.every_export
def test_any_batch_and_length_equals_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    values = {
        "name": "tiny",
        "frontend": {"kind": "waveform", "window_ms": 5.0},
        "encoder": {"kind": "stack", "first": FIRST, "then": THEN},
        "tokenizer": {"kind": "char", "pieces": ["a", "b"]},
    }
    model = CtcModel(ModelConfig.model_validate(values)).eval()
    export_onnx(model, tmp_path / "model.onnx")
    session = CtcSession(tmp_path / "model.onnx")
    for lengths in [(80,), (9000,), (3000, 1600, 80), (500, 4000)]:
        samples = np.random.default_rng(0).standard_normal((len(lengths), 1, max(lengths)), np.float32)
        for row, length in zip(samples, lengths, strict=True):
            row[:, length:] = 50.0
        log_probs, output_lengths = session.log_probs(samples, np.array(lengths))
        for row, length, scores, num_scores in zip(samples, lengths, log_probs, output_lengths, strict=True):
            with torch.inference_mode():  # each utterance alone, so that a missing mask would show
                alone, alone_lengths = model(torch.from_numpy(row[None, :, :length]), torch.tensor([length]))
            assert alone_lengths.tolist() == [num_scores]
            np.testing.assert_allclose(scores[:num_scores], alone[0], atol=1e-4)


@pytest.mark.every_export
def test_every_product_with_weights_of_wav2vec_2_becomes_int8(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = {
        "kind": "wav2vec2",
        "convolutions": [[16, 10, 10], [16, 8, 8]],
        "num_layers": 1,
        "width": 16,
        "hidden": 32,
        "num_heads": 2,
        "position_kernel": 8,
        "position_groups": 2,
    }
    values = {
        "name": "tiny",
        "frontend": {"kind": "waveform", "window_ms": 6.0},
        "encoder": encoder,
        "tokenizer": {"kind": "char", "pieces": ["a", "b"]},
    }
    export_onnx(CtcModel(ModelConfig.model_validate(values)).eval(), tmp_path / "model.onnx")
    samples = [np.random.default_rng(seed).standard_normal((1, 8000), np.float32) for seed in range(3)]
    int8 = GraphInt8(tmp_path / "model.onnx", tmp_path, samples)
    inner = ("attention.key", "attention.query", "attention.value", "attention.output")
    assert set(int8.layers) == {
        *(f"encoder.features.layers.{index}.conv" for index in (0, 1)),
        *("encoder.projection", "encoder.position", "head"),
        *(f"encoder.layers.0.{part}" for part in (*inner, "feed_forward.expand", "feed_forward.contract")),
    }
    int8.write(tmp_path / "int8.onnx", "minmax")
    plain, small = (
        CtcSession(tmp_path / name).log_probs(samples[0][None], np.array([8000]))[0]
        for name in ("model.onnx", "int8.onnx")
    )
    assert CtcSession(tmp_path / "int8.onnx").precision == "int8"
    assert 0 < np.abs(plain - small).max() < 0.4
