"""DeepSpeech2 and N2: published sizes, and batch norms that leave padding out."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.deepspeech2 import DeepSpeech2Config, FrameBatchNorm

BINS_160 = {"kind": "spectrogram", "n_fft": 320, "num_bins": 160}
BINS_96 = BINS_160 | {"num_bins": 96}
BINS_193 = {"kind": "spectrogram", "n_fft": 384, "window_ms": 16.0}
N2_PIECES = [*"abcdefghijklmnopqrstuvwxyz'?!", "_"]  # with the space and the blank 32 outputs


@pytest.mark.parametrize(
    ("encoder", "frontend", "tokenizer", "parameters"),
    [
        ({"deepspeech2": "large"}, BINS_160, {}, 58_971_133),
        ({"deepspeech2": "small"}, BINS_96, {}, 9_993_469),
        ({"n2": "base"}, BINS_193, {"pieces": N2_PIECES}, 74_367_872),
    ],
)
def test_parameter_counts(
    encoder: dict[str, Any], frontend: dict[str, Any], tokenizer: dict[str, Any], parameters: int
) -> None:
    config = ModelConfig.model_validate(
        {
            "name": "counted",
            "frontend": frontend,
            "encoder": encoder,
            "tokenizer": {"kind": "char", **tokenizer},
        }
    )
    with torch.device("meta"):  # shapes without memory
        assert CtcModel(config).num_parameters() == parameters


def test_batch_norm_counts_the_valid_frames_alone() -> None:
    norm = FrameBatchNorm(2, momentum=1.0).train()
    x, lengths = torch.randn(2, 2, 3, 5), torch.tensor([5, 2])
    x[1, :, :, 2:] = 1e6
    valid = torch.cat([x[0], x[1, :, :, :2]], dim=-1)  # (C, F, 7)
    y = norm(x, lengths)
    torch.testing.assert_close(norm.running_mean, valid.mean((1, 2)))
    torch.testing.assert_close(norm.running_var, valid.var((1, 2)))
    together = torch.cat([y[0], y[1, :, :, :2]], dim=-1)
    torch.testing.assert_close(together.mean((1, 2)), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(together.var((1, 2), correction=0), torch.ones(2), atol=1e-4, rtol=0)
    assert not y[1, :, :, 2:].any()


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(
        ValidationError, match=r"kernel must be odd over time and over frequency, not \[4, 3\]"
    ):
        DeepSpeech2Config.model_validate({"convolutions": [{"filters": 3, "kernel": [4, 3]}]})
