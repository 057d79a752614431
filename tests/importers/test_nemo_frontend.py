"""NeMo's preprocessor settings become front ends; stored tables must be the ones that linnet computes."""

from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.features.config import FrontendConfig
from linnet.features.logmel import filterbank_of
from linnet.features.spectrum import window_of
from linnet.importers.nemo_frontend import translate_preprocessor, with_stored_tables
from linnet.importers.section import Section

MEL = "AudioToMelSpectrogramPreprocessor"
MFCC = "AudioToMFCCPreprocessor"


def translate(class_name: str = MEL, version: str | None = "3.0.0", **values: Any) -> FrontendConfig:
    return translate_preprocessor(class_name, Section(values, "x"), version)


def test_missing_keys_have_nemos_defaults() -> None:
    assert translate() == FrontendConfig(pad_to=16)
    assert translate(MFCC) == FrontendConfig(kind="mfcc")


@pytest.mark.parametrize(
    ("version", "pad_mode"),
    [
        (None, "reflect"),
        ("1.0.0b4", "reflect"),
        ("1.10.0rc0", "reflect"),
        ("2.4.0", "reflect"),
        ("2.5.0rc0", "zeros"),
        ("2.10.0", "zeros"),
        ("3.0.0", "zeros"),
    ],
)
def test_the_ends_follow_the_version(version: str | None, pad_mode: str) -> None:
    assert translate(version=version).pad_mode == pad_mode
    assert translate(MFCC, version=version).pad_mode == "reflect"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"window_size": 0.025, "features": 80, "n_fft": None}, {"window_ms": 25.0, "num_mels": 80}),
        (
            {"window_size": None, "n_window_size": 401, "n_window_stride": 161, "sample_rate": 16000},
            {"window_samples": 401, "hop_samples": 161, "fft_size": 512},
        ),
        ({"sample_rate": 8000, "window_size": 0.02}, {"window_samples": 160, "fft_size": 256}),
        ({"sample_rate": 22050, "window_size": 0.02, "n_fft": 1024}, {"window_samples": 441, "n_fft": 1024}),
        ({"preemph": None}, {"preemphasis": 0.0}),
        ({"preemph": 0.9, "dither": 0}, {"preemphasis": 0.9, "dither": 0.0}),
        ({"lowfreq": 20, "highfreq": 7600}, {"low_hz": 20.0, "high_hz": 7600.0}),
        ({"highfreq": 0}, {"high_hz": None}),
        ({"normalize": None}, {"normalize": "none"}),
        ({"normalize": "NA"}, {"normalize": "none"}),
        ({"normalize": "all_features"}, {"normalize": "all_features"}),
        (
            {"features": 2, "normalize": {"fixed_mean": [1.0, 2.0], "fixed_std": [3.0, 4.0]}},
            {"normalize": "fixed", "fixed_mean": (1.0, 2.0), "fixed_std": (3.0, 4.0)},
        ),
        ({"log_zero_guard_type": "clamp", "log_zero_guard_value": "eps"}, {"log_guard": 2.0**-23}),
        ({"log_zero_guard_value": "tiny"}, {"log_guard": 2.0**-126, "log_guard_mode": "add"}),
        ({"pad_to": 0, "window": "hamming"}, {"pad_to": 0, "window": "hamming"}),
        ({"stft_conv": True, "nb_augmentation_prob": 0.5, "rng": None}, {"pad_to": 16}),
    ],
)
def test_log_mel_settings(values: dict[str, Any], expected: dict[str, Any]) -> None:
    config = translate(**values)
    assert {key: getattr(config, key) for key in expected} == expected


def test_mfcc_settings() -> None:
    config = translate(MFCC, n_mels=40, n_mfcc=20, window=None, dct_type=2)
    assert (config.num_mels, config.num_features, config.window) == (40, 20, "ones")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mag_power": 1.0}, r"mag_power: 1\.0 is not supported"),
        ({"exact_pad": True}, "exact_pad: True is not supported"),
        ({"frame_splicing": 3}, "frame_splicing: 3 is not supported"),
        ({"use_torchaudio": True}, "use_torchaudio: True"),
        ({"mel_norm": None}, "mel_norm: None"),
        ({"log": False}, "log: False"),
        ({"pad_to": "max"}, "pad_to: 'max' is not int"),
        ({"window": "none"}, "window: 'none' is not one of 'hann'"),
        ({"normalize": "per_channel"}, "normalize: 'per_channel' is not one of"),
        ({"normalize": {"fixed_mean": [1.0], "fixed_std": [1.0]}}, "fixed_mean has 1 values"),
        ({"window_size": float("inf")}, "window_size makes inf samples"),
        ({"n_window_stride": 10**400}, "window_stride makes"),
        ({"preemph": 10**400}, "preemphasis"),
        ({"sample_rate": 0}, "sample_rate: 0 is no sample rate"),
        ({"sample_rate": 10**400}, "is no sample rate"),
        ({"new_trick": 1}, "unknown keys: new_trick"),
    ],
)
def test_what_is_not_computed_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        translate(**values)


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
def test_stored_tables(precision: str) -> None:
    config = FrontendConfig()
    window, filterbank = torch.tensor(window_of(config)), torch.tensor(filterbank_of(config))
    tables = {
        "preprocessor.featurizer.window": window.to(getattr(torch, precision)).float(),
        "preprocessor.featurizer.fb": filterbank[None].to(getattr(torch, precision)).float(),
        "encoder.weight": torch.zeros(1),
    }
    read = with_stored_tables(tables, config, "x")
    assert read == config.model_copy(update={"table_precision": precision})
    assert torch.equal(torch.tensor(window_of(read)).float(), tables["preprocessor.featurizer.window"])
    assert torch.equal(torch.tensor(filterbank_of(read))[None], tables["preprocessor.featurizer.fb"])
    periodic = torch.hann_window(config.window_samples)
    htk = torch.tensor(filterbank_of(FrontendConfig(kind="mfcc")))[None]
    for name, table in (("window", periodic), ("fb", htk), ("fb", filterbank[None, :-1])):
        with pytest.raises(CheckpointError, match=f"featurizer.{name} is not what its configuration says"):
            with_stored_tables(tables | {f"preprocessor.featurizer.{name}": table}, config, "x")
    with pytest.raises(CheckpointError, match="a table unknown to linnet"):
        with_stored_tables({"preprocessor.featurizer.cmvn": window}, config, "x")


def test_stored_tables_of_mfcc_are_torchaudios() -> None:
    config = FrontendConfig(kind="mfcc", num_mels=40, num_ceps=20)
    start = "preprocessor.featurizer."
    tables = {
        f"{start}MelSpectrogram.spectrogram.window": torch.hann_window(320),
        f"{start}MelSpectrogram.mel_scale.fb": torch.tensor(filterbank_of(config)).T,
    }
    assert with_stored_tables(tables, config, "x") == config
    with pytest.raises(CheckpointError, match=r"spectrogram\.window is not"):
        with_stored_tables(
            {f"{start}MelSpectrogram.spectrogram.window": torch.hann_window(320, periodic=False)}, config, "x"
        )
