"""A stack over wav2vec 1.0 gives under onnxruntime what it gives in torch, for any batch and any length."""

from pathlib import Path

import numpy as np
import pytest
import torch

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
