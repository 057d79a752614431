"""NeMo's preprocessor section as a front end; its stored window and filterbank checked against ours."""

import math
import re
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.core.arrays import Array
from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError, ConfigError
from linnet.features.config import FrontendConfig, TablePrecision
from linnet.features.logmel import filterbank_of
from linnet.features.mfcc import cosine_matrix
from linnet.features.spectrum import window_of
from linnet.importers.section import Section

# From this version on the STFT pads with zeros and an utterance has N // hop frames; before, the ends were
# reflected and it had one frame more (NeMo's commit 0fd4de534b).
ZERO_PADDING_SINCE = (2, 5)

_DEFAULT_GUARD = 2.0**-24
_NAMED_GUARDS = {"tiny": float(np.finfo(np.float32).tiny), "eps": float(np.finfo(np.float32).eps)}
_NOT_NORMALIZED = (None, False, "", "NA", "none", "None")
# Stored tables may differ from ours by float32 rounding, relative to their largest value.
_TABLE_TOLERANCE = 1e-4

_MAX_RATE_HZ = 384_000
_MAX_WINDOW_SAMPLES = 1 << 20

BUFFER_PREFIX = "preprocessor."
_TABLE_PREFIX = f"{BUFFER_PREFIX}featurizer."


def translate_preprocessor(class_name: str, section: Section, version: str | None) -> FrontendConfig:
    """Turn the preprocessor of a model into a front end.

    Args:
        class_name: its class in NeMo.
        section: its keys.
        version: NeMo's, as the file says; None in files of its first betas.

    Raises:
        CheckpointError: for a preprocessor, key or value that linnet does not compute.
    """
    readers = {"AudioToMelSpectrogramPreprocessor": _log_mel, "AudioToMFCCPreprocessor": _mfcc}
    if class_name not in readers:
        raise CheckpointError(
            f"the preprocessor {class_name!r} is not supported; known: {', '.join(readers)}",
            where=section.where,
        )
    values = _framing(section) | readers[class_name](section)
    if class_name == "AudioToMelSpectrogramPreprocessor":
        values["pad_mode"] = "zeros" if pads_with_zeros(version, section.where) else "reflect"
    section.finish()
    try:
        config = FrontendConfig.model_validate(values)
    except ValidationError as error:
        problem: ConfigError = config_error(error, FrontendConfig, section.where)
        raise CheckpointError(problem.what, where=section.where) from None
    return config


def pads_with_zeros(version: str | None, where: str) -> bool:
    """Tell by NeMo's version what its STFT puts beyond the ends of an utterance.

    Raises:
        CheckpointError: when the version cannot be read.
    """
    if version is None:
        return False
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None:
        raise CheckpointError(f"nemo_version: {shorten(version)} is no version of NeMo", where=where)
    return (int(match[1]), int(match[2])) >= ZERO_PADDING_SINCE


def with_stored_tables(weights: Mapping[str, Tensor], config: FrontendConfig, where: str) -> FrontendConfig:
    """Hold the stored window, filterbank and cosines against those that linnet computes.

    Args:
        weights: the state dict; of it only what begins with BUFFER_PREFIX is looked at.
        config: the front end.
        where: what messages call the file.

    Returns:
        The front end with tables as precise as those of the file: NeMo goes on to compute with tables that
        were saved in half precision.

    Raises:
        CheckpointError: when they differ, or another table is there.
    """
    stored = _stored_tables(weights)
    candidates = [config.model_copy(update={"table_precision": each}) for each in get_args(TablePrecision)]
    if unknown := stored.keys() - _tables_of(config):
        raise CheckpointError(
            f"{_TABLE_PREFIX}{min(unknown)}: the preprocessor holds a table unknown to linnet", where=where
        )
    different = [
        [name for name, ours in _tables_of(each).items() if name in stored and not _same(stored[name], ours)]
        for each in candidates
    ]
    closest = min(different, key=len)
    if closest:
        raise CheckpointError(
            f"{_TABLE_PREFIX}{closest[0]} is not what its configuration says: the model was trained on other "
            "features than linnet would compute",
            where=where,
            remedy="Ask its author for the values of the preprocessor it was trained with",
        )
    return candidates[different.index(closest)]


def _stored_tables(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take the tables without the convolutional STFT of NeMo 1.0, which later versions compute by FFT."""
    return {
        key.removeprefix(_TABLE_PREFIX): value
        for key, value in weights.items()
        if key.startswith(BUFFER_PREFIX)
        and not key.startswith(f"{_TABLE_PREFIX}stft.")
        and key != f"{BUFFER_PREFIX}dtype_sentinel_tensor"
    }


def _tables_of(config: FrontendConfig) -> dict[str, Array]:
    window, filterbank = window_of(config), filterbank_of(config)
    if config.kind != "mfcc":
        return {"window": window, "fb": filterbank}
    return {
        "MelSpectrogram.spectrogram.window": window,
        "MelSpectrogram.mel_scale.fb": filterbank.T,
        "dct_mat": cosine_matrix(config).T,
    }


def _same(stored: Tensor, ours: Array) -> bool:
    """Compare within the rounding of float32."""
    if stored.numel() != ours.size:
        return False
    expected = torch.tensor(ours, dtype=torch.float32)
    gap = float((stored.reshape(expected.shape) - expected).abs().max())
    return gap <= _TABLE_TOLERANCE * float(expected.abs().max())


def _framing(section: Section) -> dict[str, Any]:
    """Read what both preprocessors share: rate, window, hop and FFT."""
    rate_hz = section.take("sample_rate", int, 16000)
    if not 0 < rate_hz <= _MAX_RATE_HZ:
        raise CheckpointError(f"sample_rate: {shorten(rate_hz)} is no sample rate", where=section.where)
    n_fft = section.get("n_fft")
    values: dict[str, Any] = {
        "sample_rate_hz": rate_hz,
        "window_ms": _duration_ms(section, "window_size", rate_hz, 0.02),
        "hop_ms": _duration_ms(section, "window_stride", rate_hz, 0.01),
        "n_fft": section.take("n_fft", int) if n_fft is not None else None,
        "low_hz": section.take("lowfreq", float, 0.0),
        "high_hz": section.take("highfreq", float, 0.0) or None,
    }
    section.expect("log", [True])
    return values


def _duration_ms(section: Section, key: str, rate_hz: int, default_s: float) -> float:
    """Give the milliseconds that make exactly as many samples as NeMo counts.

    NeMo takes seconds or, in their place, samples in the key with n_ before its name.
    """
    if section.get(f"n_{key}"):
        section.get(key)
        samples = float(min(section.take(f"n_{key}", int), _MAX_WINDOW_SAMPLES))
    else:
        samples = section.take(key, float, default_s) * rate_hz
    if not 0 < samples < _MAX_WINDOW_SAMPLES:
        raise CheckpointError(
            f"{key} makes {samples:g} samples, which is no window or hop", where=section.where
        )
    ms = int(samples) * 1000 / rate_hz
    return ms if int(rate_hz * ms / 1000) >= int(samples) else math.nextafter(ms, math.inf)


def _log_mel(section: Section) -> dict[str, Any]:
    section.expect("frame_splicing", [1])
    section.expect("exact_pad", [False])
    section.expect("mag_power", [2.0])
    section.expect("mel_norm", ["slaney"])
    section.expect("pad_value", [0.0])
    section.expect("use_torchaudio", [False])
    # Of training only, or long without effect.
    section.ignore("rng", "nb_augmentation_prob", "nb_max_freq", "use_grads", "max_duration")
    section.ignore("stft_conv", "stft_exact_pad", "int_values", "feat_type")
    without_emphasis = "preemph" in section and section.get("preemph") is None
    return {
        "num_mels": section.take("features", int, 64),
        "window": section.take("window", str, "hann"),
        "preemphasis": 0.0 if without_emphasis else section.take("preemph", float, 0.97),
        "dither": min(section.take("dither", float, 1e-5), 1.0),
        "pad_to": max(section.take("pad_to", int, 16), 0),
        "log_guard_mode": section.take("log_zero_guard_type", str, "add"),
        "log_guard": _guard(section),
        **_normalization(section),
    }


def _guard(section: Section) -> float:
    value = section.get("log_zero_guard_value")
    if isinstance(value, str) and value in _NAMED_GUARDS:
        return _NAMED_GUARDS[value]
    return section.take("log_zero_guard_value", float, _DEFAULT_GUARD)


def _normalization(section: Section) -> dict[str, Any]:
    if "normalize" not in section:
        return {"normalize": "per_feature"}
    value = section.get("normalize")
    if isinstance(value, Mapping):
        statistics = Section(value, f"{section.where}, normalize")
        found = {key: tuple(statistics.take(key, list)) for key in ("fixed_mean", "fixed_std")}
        statistics.finish()
        return {"normalize": "fixed", **found}
    return {"normalize": "none" if value in _NOT_NORMALIZED else value}


def _mfcc(section: Section) -> dict[str, Any]:
    section.expect("dct_type", [2])
    section.expect("norm", ["ortho"])
    without_window = "window" in section and section.get("window") is None
    return {
        "kind": "mfcc",
        "num_mels": section.take("n_mels", int, 64),
        "num_ceps": section.take("n_mfcc", int, 64),
        "window": "ones" if without_window else section.take("window", str, "hann"),
    }
