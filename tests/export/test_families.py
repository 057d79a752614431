"""Every architecture gives under onnxruntime what it gives in torch, for any batch and any length."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from linnet.export.onnx import export_onnx
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.runtime.session import CtcSession

NUM_MELS = 8
TOLERANCE = 1e-4
# The exporter thinks about the number of frames at every node: the more stages have halved it, the longer.
ONE_STAGE = {"subsampling": 2}
CONFORMER = {"num_layers": 1, "width": 8, "num_heads": 2, "expansion": 2, "subsampling_channels": 4}
SHALLOW = {"kernel": 3, "filters": 6}
ENCODERS: dict[str, dict[str, Any]] = {
    "block table": {
        "activation": "swish",
        "blocks": [
            {**SHALLOW, "stride": 2, "stride_at": "last", "repeat": 2, "se": True, "se_reduction": 2},
            {**SHALLOW, "dense": True, "lookahead_frames": 0},
            {**SHALLOW, "dense": True, "separable": False},
        ],
    },
    "conformer": {"conformer": "s", **CONFORMER, "separable_subsampling": True},
    "fastconformer, local and causal": {
        "fastconformer": "s",
        **CONFORMER,
        **ONE_STAGE,
        "context_frames": [20, 2],  # an utterance of 128 frames would fit into one block
        "global_token": True,
        "lookahead_frames": 0,
        "causal_subsampling": True,
        "conv_norm": "layer",
    },
    "squeezeformer": {"squeezeformer": "xs", **CONFORMER, **ONE_STAGE, "num_layers": 2, "reduce_at": 0},
    "zipformer": {
        "zipformer": "s",
        "num_layers": [1],
        "widths": [8],
        "feed_forward": [8],
        "unmasked_widths": [8],
        "downsampling": [2],
        "num_heads": [2],
        "kernels": [3],
        "embed_channels": [2, 3, 4],
    },
}


def build(encoder: dict[str, Any]) -> CtcModel:
    torch.manual_seed(0)
    config = ModelConfig.model_validate(
        {
            "name": "tiny",
            "frontend": {"num_mels": NUM_MELS},
            "encoder": encoder,
            "tokenizer": {"kind": "char", "pieces": ["a", "b"]},
        }
    )
    return CtcModel(config).eval()


@pytest.mark.every_export
@pytest.mark.parametrize("family", ENCODERS)
def test_any_batch_and_length_equals_torch(family: str, tmp_path: Path) -> None:
    model = build(ENCODERS[family])
    export_onnx(model, tmp_path / "model.onnx")
    session = CtcSession(tmp_path / "model.onnx")
    for lengths in [(1,), (2,), (600,), (1, 1), (64, 33, 1), (2, 200, 128, 129, 5)]:
        features = np.random.default_rng(0).standard_normal(
            (len(lengths), NUM_MELS, max(lengths)), np.float32
        )
        for row, length in zip(features, lengths, strict=True):
            row[:, length:] = 50.0
        log_probs, output_lengths = session.log_probs(features, np.array(lengths))
        for row, length, scores, num_scores in zip(features, lengths, log_probs, output_lengths, strict=True):
            with torch.inference_mode():  # each utterance alone, so that a missing mask would show
                alone, alone_lengths = model(torch.from_numpy(row[None, :, :length]), torch.tensor([length]))
            assert alone_lengths.tolist() == [num_scores]
            np.testing.assert_allclose(scores[:num_scores], alone[0], atol=TOLERANCE)
