"""The torch front end gives what the numpy one gives: alone, in padded batches, at any length."""

from typing import Any

import numpy as np
import pytest
import torch

from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.features.kaldi import kaldi_power
from linnet.features.kaldi_fft import unit_roots
from linnet.models.frontend import TorchFrontend

ICEFALL = {"kind": "kaldi_fbank", "sample_scale": 1.0, "snip_edges": False, "high_hz": 7600.0}
N2 = {"kind": "spectrogram", "compression": "sqrt", "periodic_window": True, "normalize": "per_frame"}
EVERY_KIND: list[dict[str, Any]] = [
    {"pad_to": 16},
    {"pad_mode": "reflect", "num_mels": 80, "window_ms": 25.0},
    {"normalize": "all_features", "window": "hamming", "log_guard_mode": "clamp"},
    {"normalize": "fixed", "fixed_mean": (-8.0,) * 64, "fixed_std": (3.0,) * 64, "preemphasis": 0.0},
    {"kind": "mfcc", "num_ceps": 40},
    {"kind": "spectrogram", "n_fft": 320, "num_bins": 160, "pad_mode": "reflect"},
    N2,
    {"kind": "kaldi_fbank"},
    ICEFALL | {"remove_dc_offset": False, "normalize": "per_feature"},
    {"kind": "waveform"},
]
RANDOM_LENGTHS = np.exp(np.random.default_rng(5).uniform(0, np.log(960_000), size=12)).astype(int).tolist()


def random_speechlike(num_samples: int, seed: int = 0) -> np.ndarray:
    """Noise whose level swings over 40 dB four times a second."""
    rng = np.random.default_rng(seed)
    envelope = 10 ** (np.sin(2 * np.pi * 4 * np.arange(num_samples) / 16000) - 1)
    return np.asarray(0.3 * envelope * rng.standard_normal(num_samples), dtype=np.float32)


def padded_batch(
    lengths: list[int], padding: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor, list[np.ndarray]]:
    waveforms = [random_speechlike(length, seed=index) for index, length in enumerate(lengths)]
    batch = torch.full((len(lengths), max(lengths)), padding)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = torch.from_numpy(waveform)
    return batch, torch.tensor(lengths), waveforms


@pytest.mark.parametrize("settings", EVERY_KIND)
@pytest.mark.parametrize(
    "num_samples", [0, 1, 2, 79, 160, 161, 256, 257, 320, 399, 400, 401, *RANDOM_LENGTHS, 960_000]
)
def test_twins_agree_at_any_length(settings: dict[str, Any], num_samples: int) -> None:
    config = FrontendConfig(**settings)
    samples = random_speechlike(num_samples)
    expected, num_frames = compute_features(samples, config)
    features, frame_lengths = TorchFrontend(config).eval()(
        torch.from_numpy(samples)[None], torch.tensor([num_samples])
    )
    assert frame_lengths.tolist() == [num_frames]
    assert features.dtype == torch.float32
    np.testing.assert_allclose(features[0].numpy(), expected, atol=1e-4, rtol=0)


def test_torch_rounds_kaldi_spectra_as_numpy_does() -> None:
    config = FrontendConfig(kind="kaldi_fbank")
    columns = np.random.default_rng(0).standard_normal((512, 300), dtype=np.float32)
    columns[400:] = 0.0
    window, roots = np.hanning(400).astype(np.float32), unit_roots(512)
    arrays = [torch.tensor(array) for array in (columns, window, roots)]
    np.testing.assert_array_equal(
        kaldi_power(*arrays, config, torch).numpy(), kaldi_power(columns, window, roots, config, np)
    )


@pytest.mark.parametrize("n_fft", [400, 1024])
def test_twins_agree_at_any_fft_size_of_kaldi(n_fft: int) -> None:
    config = FrontendConfig(kind="kaldi_fbank", n_fft=n_fft)
    samples, lengths, waveforms = padded_batch([5000, 16123])
    features, frame_lengths = TorchFrontend(config).eval()(samples, lengths)
    for row, num_frames, waveform in zip(features.numpy(), frame_lengths.tolist(), waveforms, strict=True):
        np.testing.assert_allclose(row[:, :num_frames], compute_features(waveform, config)[0], atol=1e-4)


@pytest.mark.parametrize("settings", EVERY_KIND)
def test_padding_changes_no_utterance(settings: dict[str, Any]) -> None:
    config = FrontendConfig(**settings)
    lengths = [16123, 16000, 0, 1, 161, 400, 5000, 30000]
    samples, sample_lengths, waveforms = padded_batch(lengths, padding=float("nan"))
    features, frame_lengths = TorchFrontend(config).eval()(samples, sample_lengths)
    assert features.shape[2] == config.padded_frames(config.num_frames(30000))
    for row, num_frames, waveform in zip(features.numpy(), frame_lengths.tolist(), waveforms, strict=True):
        expected, num_expected = compute_features(waveform, config)
        assert num_frames == num_expected
        np.testing.assert_allclose(row[:, :num_frames], expected[:, :num_frames], atol=1e-4, rtol=0)
        assert not row[:, num_frames:].any()


def test_digital_silence_is_normalized_to_zeros_in_a_batch() -> None:
    features, _ = TorchFrontend(FrontendConfig()).eval()(torch.zeros(2, 8000), torch.tensor([8000, 3000]))
    assert not features.any()


def test_dither_is_added_in_training_only() -> None:
    samples, lengths = torch.zeros(1, 8000), torch.tensor([8000])
    frontend = TorchFrontend(FrontendConfig(normalize="none", preemphasis=0.0, dither=0.01))
    torch.manual_seed(0)
    noisy, _ = frontend.train()(samples, lengths)
    again, _ = frontend(samples, lengths)
    quiet, _ = frontend.eval()(samples, lengths)
    assert not torch.equal(noisy, again)
    np.testing.assert_allclose(quiet.numpy(), np.log(2.0**-24), rtol=1e-6)
    assert not samples.any()
    # White noise has the same power in each FFT bin, and the weights of a band sum to 1 / 31.25 Hz.
    expected = np.log(0.01**2 * (np.hanning(320) ** 2).sum() / 31.25)
    assert noisy.mean().item() == pytest.approx(expected, abs=0.5)


def test_autocast_has_no_effect() -> None:
    samples, lengths, _ = padded_batch([8000, 4000])
    frontend = TorchFrontend(FrontendConfig()).eval()
    expected, _ = frontend(samples, lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features, _ = frontend(samples, lengths)
    assert torch.equal(features, expected)


def test_it_adds_nothing_to_a_state_dict() -> None:
    frontend = TorchFrontend(FrontendConfig(kind="mfcc"))
    assert not frontend.state_dict()
    assert not list(frontend.parameters())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("settings", EVERY_KIND)
def test_gpu_agrees_with_numpy_whatever_the_matmul_precision(settings: dict[str, Any]) -> None:
    config = FrontendConfig(**settings)
    samples, lengths, waveforms = padded_batch([16123, 400, 30000])
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        features, frame_lengths = TorchFrontend(config).eval().cuda()(samples.cuda(), lengths.cuda())
    finally:
        torch.set_float32_matmul_precision(before)
    for row, num_frames, waveform in zip(
        features.cpu().numpy(), frame_lengths.tolist(), waveforms, strict=True
    ):
        expected, _ = compute_features(waveform, config)
        np.testing.assert_allclose(row[:, :num_frames], expected[:, :num_frames], atol=1e-4, rtol=0)
