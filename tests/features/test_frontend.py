"""The front end as a whole: reference values, lengths, silence and very short input."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features

OLD_NEMO = {"pad_mode": "reflect"}
WIDE = {"num_mels": 80, "window_ms": 25.0}
KALDI = {"kind": "kaldi_fbank"}
ICEFALL = {"kind": "kaldi_fbank", "sample_scale": 1.0, "snip_edges": False, "high_hz": 7600.0}
N2 = {
    "kind": "spectrogram",
    "compression": "sqrt",
    "n_fft": 384,
    "window_ms": 16.0,
    "periodic_window": True,
    "preemphasis": 0.0,
    "normalize": "per_frame",
    "pad_mode": "reflect",
}
DEEPSPEECH2 = {
    "kind": "spectrogram",
    "n_fft": 320,
    "num_bins": 160,
    "preemphasis": 0.0,
    "normalize": "all_features",
    "pad_mode": "reflect",
    "log_guard": 1e-30,
    "log_guard_mode": "clamp",
}
EVERY_KIND = [
    {},
    OLD_NEMO,
    WIDE,
    {"normalize": "all_features"},
    {"kind": "mfcc"},
    {"kind": "spectrogram"},
    N2,
    KALDI,
    ICEFALL,
    {"kind": "waveform"},
]


@pytest.fixture(scope="module")
def reference_signal() -> np.ndarray:
    """A steady tone, a rising one and a little noise from a linear congruential generator; 1 s at 16 kHz."""
    state, noise = 0, []
    for _ in range(16123):
        state = (1103515245 * state + 12345) % 2**31
        noise.append(state / 2**30 - 1)
    position = np.arange(16123)
    steady = 0.4 * np.sin(2 * np.pi * 220 * position / 16000)
    rising = 0.2 * np.sin(2 * np.pi * (500 + 0.05 * position) * position / 16000)
    return np.asarray(steady + rising + 0.01 * np.array(noise), dtype=np.float32)


def test_reference_signal_is_the_published_one(reference_signal: np.ndarray) -> None:
    np.testing.assert_allclose(reference_signal[:3], [-0.0099999, 0.0766395, 0.1414191], atol=1e-7)
    assert reference_signal.sum(dtype=np.float64) == pytest.approx(7.8397097, abs=1e-5)


# Values that the original code (NeMo 2.5 and 1.23, kaldi-native-fbank) computed from the reference signal.
@pytest.mark.parametrize(
    ("settings", "shape", "num_frames", "expected"),
    [
        ({"normalize": "none"}, (64, 112), 100, {(0, 0): -6.5658, (0, 50): -12.12738, (31, 99): -10.99841}),
        ({}, (64, 112), 100, {(0, 0): 8.73839, (0, 50): -0.06753, (31, 99): -0.7769, (63, 50): 1.03114}),
        (
            {"normalize": "all_features"},
            (64, 112),
            100,
            {(0, 0): 0.68623, (31, 99): -0.80471, (63, 50): 0.4566},
        ),
        (WIDE, (80, 112), 100, {(0, 0): 7.30957, (0, 50): 0.33531, (31, 99): -0.64679, (63, 50): 0.14002}),
        (
            OLD_NEMO,
            (64, 112),
            101,
            {(0, 0): 8.47877, (0, 50): -0.10421, (31, 99): -0.7671, (63, 50): 0.97881},
        ),
        (OLD_NEMO | WIDE, (80, 112), 101, {(0, 0): 6.50603, (0, 50): 0.18951, (63, 50): 0.13704}),
        (KALDI, (80, 112), 99, {(0, 0): 15.20388, (40, 50): 15.03038, (20, 98): 12.36969}),
        # Bands 79 to 87 dB below the loudest one, where the roundings of the reference show.
        (KALDI, (80, 112), 99, {(1, 24): 5.03762, (1, 74): 6.32567, (1, 94): 8.36836}),
        (ICEFALL, (80, 112), 101, {(0, 0): -3.49935, (40, 50): -6.02478, (20, 100): -2.63182}),
    ],
)
def test_reference_values(
    settings: dict[str, Any],
    shape: tuple[int, int],
    num_frames: int,
    expected: dict[tuple[int, int], float],
    reference_signal: np.ndarray,
) -> None:
    features, num_valid = compute_features(reference_signal, FrontendConfig(pad_to=16, **settings))
    assert features.shape == shape
    assert features.dtype == np.float32
    assert num_valid == num_frames
    assert not features[:, num_valid:].any()
    for position, value in expected.items():
        assert features[position] == pytest.approx(value, abs=1e-4)


def test_spectrogram_is_the_log_power_of_each_bin() -> None:
    samples = np.random.default_rng(0).standard_normal(1600, dtype=np.float32)
    config = FrontendConfig(kind="spectrogram", n_fft=320, preemphasis=0.0, normalize="none", window="ones")
    features, _ = compute_features(samples, config)
    assert features.shape == (161, 10)
    expected = np.log(np.abs(np.fft.rfft(samples[640:960].astype(np.float64))) ** 2 + 2.0**-24)
    np.testing.assert_allclose(features[:, 5], expected, atol=1e-4)


def reflected_frames(samples: np.ndarray, fft_size: int) -> np.ndarray:
    """Frames (T, fft_size) around each 160th sample, with the ends reflected once."""
    half = fft_size // 2
    padded = np.concatenate([samples[half:0:-1], samples, samples[-2 : -half - 2 : -1]]).astype(np.float64)
    return np.stack([padded[start : start + fft_size] for start in range(0, len(samples) + 1, 160)])


def test_n2_reads_the_root_of_each_magnitude_normalized_over_the_frame(reference_signal: np.ndarray) -> None:
    window = np.zeros(384)
    window[64:320] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)
    spectrum = np.abs(np.fft.rfft(reflected_frames(reference_signal, 384) * window)) ** 0.5
    mean, std = spectrum.mean(axis=1, keepdims=True), spectrum.std(axis=1, ddof=1, keepdims=True)
    features, num_frames = compute_features(reference_signal, FrontendConfig(**N2))
    assert (features.shape, num_frames) == ((193, 101), 101)
    np.testing.assert_allclose(features.T, (spectrum - mean) / (std + 1e-10), atol=1e-4)


def test_deepspeech2_reads_the_normalized_decibels_of_the_lower_bins(reference_signal: np.ndarray) -> None:
    loudest = reference_signal / np.abs(reference_signal).max()  # normalization takes this off again
    spectrum = np.fft.rfft(reflected_frames(loudest, 320) * np.hanning(320))
    decibels = 10 * np.log10(np.maximum(np.abs(spectrum) ** 2, 1e-30))[:, :160]
    features, _ = compute_features(reference_signal, FrontendConfig(**DEEPSPEECH2))
    assert features.shape == (160, 101)
    # OpenSeq2Seq divides by the biased deviation; the window is rounded to float32 here.
    np.testing.assert_allclose(features.T, (decibels - decibels.mean()) / decibels.std(), atol=2e-3)


@pytest.mark.parametrize("settings", EVERY_KIND)
@pytest.mark.parametrize("num_samples", [0, 1, 2, 159, 160, 161, 257, 399, 400, 481])
def test_short_input_is_finite_and_has_its_length(settings: dict[str, Any], num_samples: int) -> None:
    config = FrontendConfig(**settings)
    samples = np.random.default_rng(0).standard_normal(num_samples, dtype=np.float32)
    features, num_frames = compute_features(samples, config)
    assert num_frames == config.num_frames(num_samples)
    assert features.shape == (config.num_features, num_frames)
    assert np.isfinite(features).all()


@pytest.mark.parametrize("settings", EVERY_KIND)
@pytest.mark.parametrize("level", [0.0, 0.3, 1e-30])
def test_constant_input_is_finite(settings: dict[str, Any], level: float) -> None:
    features, _ = compute_features(np.full(8000, level, np.float32), FrontendConfig(**settings))
    assert np.isfinite(features).all()


@pytest.mark.parametrize("settings", [{}, OLD_NEMO, WIDE, {"kind": "spectrogram"}, N2, {"kind": "waveform"}])
def test_digital_silence_is_normalized_to_zeros(settings: dict[str, Any]) -> None:
    features, _ = compute_features(np.zeros(8000, np.float32), FrontendConfig(**settings))
    assert not features.any()


def test_a_waveform_is_normalized_as_transformers_does() -> None:
    samples = np.random.default_rng(0).standard_normal(4000, dtype=np.float32) * 0.01 + 0.2
    wide = samples.astype(np.float64)
    expected = (wide - wide.mean()) / np.sqrt(wide.var() + 1e-7)  # its `zero_mean_unit_var_norm`
    features, num_frames = compute_features(samples, FrontendConfig(kind="waveform"))
    assert num_frames == 4000
    np.testing.assert_allclose(features[0], expected, atol=1e-5)


def test_a_waveform_too_short_for_the_network_has_no_frames() -> None:
    config = FrontendConfig(kind="waveform")
    assert [config.num_frames(length) for length in (0, 399, 400)] == [0, 0, 400]


def test_input_is_not_changed() -> None:
    samples = np.random.default_rng(0).standard_normal(4000, dtype=np.float32)
    before = samples.copy()
    for settings in EVERY_KIND:
        compute_features(samples, FrontendConfig(**settings))
    np.testing.assert_array_equal(samples, before)


def test_a_batch_of_channels_is_refused() -> None:
    with pytest.raises(AssertionError, match="one mono utterance"):
        compute_features(np.zeros((2, 100), np.float32), FrontendConfig())


def test_threads_do_not_disturb_each_other() -> None:
    rng = np.random.default_rng(0)
    waveforms = [rng.standard_normal(48_000, dtype=np.float32) for _ in range(8)]
    expected = [compute_features(samples, FrontendConfig())[0] for samples in waveforms]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda samples: compute_features(samples, FrontendConfig())[0], waveforms * 3))
    for features, wanted in zip(found, expected * 3, strict=True):
        np.testing.assert_array_equal(features, wanted)


def test_settings_of_one_window_leave_no_trace_in_another() -> None:
    samples = np.random.default_rng(0).standard_normal(8000, dtype=np.float32)
    before, _ = compute_features(samples, FrontendConfig())
    compute_features(samples, FrontendConfig(window_ms=30.0))
    np.testing.assert_array_equal(compute_features(samples, FrontendConfig())[0], before)
