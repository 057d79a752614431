"""DeepSpeech2 and N2: published sizes, and no trace of padding in what they compute or learn."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.deepspeech2 import DeepSpeech2Config, DeepSpeech2Encoder, FrameBatchNorm

Batch = Callable[..., tuple[Tensor, Tensor]]
TINY: dict[str, Any] = {
    "convolutions": [
        {"filters": 3, "kernel": [5, 3], "stride": [2, 2]},
        {"filters": 4, "kernel": [3, 3]},
    ],
    "hidden": 7,
    "num_layers": 2,
    "width": 5,
}
BINS_160 = {"kind": "spectrogram", "n_fft": 320, "num_bins": 160}
BINS_96 = BINS_160 | {"num_bins": 96}
BINS_193 = {"kind": "spectrogram", "n_fft": 384, "window_ms": 16.0}
N2_PIECES = [*"abcdefghijklmnopqrstuvwxyz'?!", "_"]  # with the space and the blank 32 outputs


def build(**changes: Any) -> DeepSpeech2Encoder:
    """In evaluation mode, with batch norms that have seen data."""
    torch.manual_seed(0)
    encoder = DeepSpeech2Config.model_validate(TINY | changes).build(num_features=6)
    for module in encoder.modules():
        if isinstance(module, FrameBatchNorm):
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.bias)
    return encoder.eval()


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


@torch.inference_mode()
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_padding_and_company_change_nothing(cell: str, padded_batch: Batch) -> None:
    encoder = build(cell=cell)
    features, lengths = padded_batch(61, 40, 39, 33, 8, 5, 2, 1)
    together, output_lengths = encoder(features, lengths)
    longer, _ = encoder(torch.nn.functional.pad(features, (0, 70), value=9.0), lengths)
    tall, _ = encoder(features.unsqueeze(2), lengths)
    assert output_lengths.tolist() == [31, 20, 20, 17, 4, 3, 1, 1]
    assert tall.shape == (8, 5, 1, 31)
    for row, length, *encoded, num_frames in zip(
        features, lengths, together, longer, tall.squeeze(2), output_lengths, strict=True
    ):
        alone, _ = encoder(row[None, :, :length], length[None])
        assert alone.shape[2] == num_frames
        for each in encoded:
            torch.testing.assert_close(each[:, :num_frames], alone[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_training_reaches_every_parameter_and_sees_no_padding(cell: str, padded_batch: Batch) -> None:
    first, second = (build(cell=cell, dropout=0.0).train() for _ in range(2))
    features, lengths = padded_batch(30, 21, 1)
    encoded, output_lengths = first(features, lengths)
    longer, _ = second(torch.nn.functional.pad(features, (0, 40), value=-7.0), lengths)
    for row, row_longer, length in zip(encoded, longer, output_lengths, strict=True):
        torch.testing.assert_close(row[:, :length], row_longer[:, :length], atol=1e-5, rtol=0)
    for name, buffer in first.named_buffers():
        torch.testing.assert_close(buffer, second.get_buffer(name))
    valid = torch.arange(encoded.shape[2]) < output_lengths[:, None, None]
    (encoded * valid).square().sum().backward()
    silent = [name for name, weight in first.named_parameters() if not weight.grad.abs().sum() > 0]
    assert silent == []


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
        build(convolutions=[{"filters": 3, "kernel": [4, 3]}])
