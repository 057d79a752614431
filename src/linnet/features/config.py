"""The settings of the front end, shared by the numpy half and its torch twin."""

from typing import Any, Literal, Self, overload

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from linnet.core.arrays import Array

Kind = Literal["logmel", "mfcc", "spectrogram", "kaldi_fbank", "waveform"]
TablePrecision = Literal["float32", "float16", "bfloat16"]

# What each kind changes in the defaults below, so that `kind: mfcc` alone means what its source means by it.
KIND_DEFAULTS: dict[str, dict[str, Any]] = {
    "logmel": {},
    "spectrogram": {},
    "mfcc": {
        "periodic_window": True,
        "preemphasis": 0.0,
        "dither": 0.0,
        "normalize": "none",
        "pad_mode": "reflect",
        "log_guard": 1e-6,
    },
    "kaldi_fbank": {
        "window": "povey",
        "window_ms": 25.0,
        "num_mels": 80,
        "low_hz": 20.0,
        "dither": 0.0,
        "normalize": "none",
        "log_guard": float(np.finfo(np.float32).eps),
        "log_guard_mode": "clamp",
    },
    "waveform": {"window_ms": 25.0, "preemphasis": 0.0, "dither": 0.0},
}

# Keys that a kind never looks at: a value other than the default would be lost in silence.
_KALDI_ONLY = ("snip_edges", "remove_dc_offset", "sample_scale")
_SPECTROGRAM_ONLY = ("num_bins", "compression")
_UNUSED_KEYS: dict[str, tuple[str, ...]] = {
    "logmel": ("num_ceps", *_KALDI_ONLY, *_SPECTROGRAM_ONLY),
    "spectrogram": ("num_ceps", "num_mels", "low_hz", "high_hz", *_KALDI_ONLY),
    "mfcc": (*_KALDI_ONLY, *_SPECTROGRAM_ONLY),
    "kaldi_fbank": ("num_ceps", "pad_mode", "periodic_window", *_SPECTROGRAM_ONLY),
    "waveform": (
        *("num_mels", "num_ceps", "hop_ms", "n_fft", "window", "periodic_window", "preemphasis", "low_hz"),
        *("high_hz", "pad_mode", "log_guard", "log_guard_mode", "table_precision"),
        *(*_KALDI_ONLY, *_SPECTROGRAM_ONLY),
    ),
}


class FrontendConfig(BaseModel):
    """From samples to the features a model reads.

    Five kinds:

    - `logmel`: log-mel energies as NeMo's `AudioToMelSpectrogramPreprocessor` computes them.
    - `mfcc`: cepstra as NeMo's `AudioToMFCCPreprocessor` (torchaudio's `MFCC`) computes them.
    - `spectrogram`: the compressed power of every FFT bin, with the framing of `logmel`.
    - `kaldi_fbank`: Kaldi's `compute-fbank-feats`, also for WeNet and icefall models.
    - `waveform`: the samples themselves, one a frame, for networks that begin with convolutions over them.

    A key that is left out takes the default of its kind (`KIND_DEFAULTS`), otherwise the one below.

    Attributes:
        kind: which features.
        sample_rate_hz: the rate of the samples.
        num_mels: mel bands (all kinds but `spectrogram` and `waveform`).
        num_ceps: cepstra that `mfcc` keeps.
        num_bins: how many of the lowest FFT bins `spectrogram` keeps; None keeps all.
        compression: what `spectrogram` takes of a bin: the `log` of its power or the `sqrt` of its magnitude.
        window_ms: length of the analysis window; of `waveform` what the network needs for its first frame: a
            shorter recording has no frames.
        hop_ms: distance between two frames.
        n_fft: FFT length; None takes the next power of two of the window.
        window: shape of the analysis window.
        periodic_window: the window without the last sample of one that is a sample longer, as torch and
            torchaudio make it by default; otherwise symmetric (`kaldi_fbank`: always).
        preemphasis: y[t] = x[t] − preemphasis · x[t − 1]; over the utterance, in `kaldi_fbank` per frame.
        dither: standard deviation of the white noise added to samples in [-1, 1]; in training only.
        low_hz: lower edge of the first mel band.
        high_hz: upper edge of the last mel band; None is half the sample rate.
        normalize: mean 0 and standard deviation 1 of each row (`per_feature`) or of the whole utterance
            (`all_features`) or of each frame over its rows (`per_frame`), or with the given `fixed_mean` and
            `fixed_std` of each row (`fixed`). For `waveform` the deviation is that of transformers.
        fixed_mean: one mean a row, for `normalize: fixed`.
        fixed_std: one standard deviation a row, for `normalize: fixed`.
        pad_mode: what lies beyond the two ends. `zeros` is NeMo ≥ 2.5 and gives N // hop frames, `reflect` is
            NeMo 1.0 to 2.4 and gives N // hop + 1 frames.
        pad_to: the number of frames is padded with zeros to a multiple of this; 0 does not pad.
        log_guard: keeps the logarithm finite.
        log_guard_mode: `add` takes log(x + guard), `clamp` takes log(max(x, guard)).
        table_precision: what window, mel matrix and cosines are rounded to: that of a model whose file keeps
            them in half precision, as they then were in use.
        snip_edges: Kaldi: only whole windows; otherwise reflect the ends and round N / hop.
        remove_dc_offset: Kaldi: take the mean off each frame.
        sample_scale: Kaldi: factor on samples in [-1, 1]; 32768 for Kaldi and WeNet, 1 for icefall.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "logmel"
    sample_rate_hz: int = Field(default=16000, ge=1000, le=384_000)
    num_mels: int = Field(default=64, ge=1, le=1024)
    num_ceps: int = Field(default=64, ge=1, le=1024)
    num_bins: int | None = Field(default=None, ge=1)
    compression: Literal["log", "sqrt"] = "log"
    window_ms: float = Field(default=20.0, ge=1.0, le=1000.0)
    hop_ms: float = Field(default=10.0, ge=1.0, le=1000.0)
    n_fft: int | None = Field(default=None, ge=2, le=65536)
    window: Literal["hann", "hamming", "blackman", "bartlett", "ones", "povey"] = "hann"
    periodic_window: bool = False
    preemphasis: float = Field(default=0.97, ge=0.0, lt=1.0)
    dither: float = Field(default=1e-5, ge=0.0, le=1.0)
    low_hz: float = Field(default=0.0, ge=0.0)
    high_hz: float | None = Field(default=None, gt=0.0)
    normalize: Literal["per_feature", "all_features", "per_frame", "fixed", "none"] = "per_feature"
    fixed_mean: tuple[float, ...] = ()
    fixed_std: tuple[float, ...] = ()
    pad_mode: Literal["zeros", "reflect"] = "zeros"
    pad_to: int = Field(default=0, ge=0, le=1024)
    log_guard: float = Field(default=2.0**-24, gt=0.0, le=1.0)
    log_guard_mode: Literal["add", "clamp"] = "add"
    table_precision: TablePrecision = "float32"
    snip_edges: bool = True
    remove_dc_offset: bool = True
    sample_scale: float = Field(default=32768.0, gt=0.0, le=32768.0)

    @property
    def window_samples(self) -> int:
        """Samples under the analysis window."""
        return int(self.sample_rate_hz * self.window_ms / 1000)

    @property
    def hop_samples(self) -> int:
        """Samples from one frame to the next."""
        if self.kind == "waveform":
            return 1
        return int(self.sample_rate_hz * self.hop_ms / 1000)

    @property
    def frame_shift_s(self) -> float:
        """Seconds from one frame to the next."""
        return self.hop_samples / self.sample_rate_hz

    @property
    def fft_size(self) -> int:
        """Length of the FFT in samples."""
        return self.n_fft or 1 << (self.window_samples - 1).bit_length()

    @property
    def highest_hz(self) -> float:
        """Upper edge of the last mel band."""
        return self.high_hz or self.sample_rate_hz / 2

    @property
    def num_features(self) -> int:
        """Rows of the features: F."""
        if self.kind == "waveform":
            return 1
        if self.kind == "spectrogram":
            return self.num_bins or self.fft_size // 2 + 1
        return self.num_ceps if self.kind == "mfcc" else self.num_mels

    @overload
    def num_frames(self, num_samples: int) -> int: ...
    @overload
    def num_frames(self, num_samples: Any) -> Any: ...
    def num_frames(self, num_samples: Any) -> Any:
        """Count the valid frames of an utterance; no samples give no frames.

        Args:
            num_samples: N, as an integer or as an integer array or tensor.

        Returns:
            T in the same form, before `pad_to`.
        """
        hop = self.hop_samples
        if self.kind == "waveform":
            return num_samples * (num_samples >= self.window_samples)
        if self.kind == "kaldi_fbank":
            if self.snip_edges:
                whole = num_samples >= self.window_samples
                return ((num_samples - self.window_samples) // hop + 1) * whole
            return (num_samples + hop // 2) // hop
        if self.kind == "mfcc":  # NeMo counts ceil(N / hop) here, with either padding
            return (num_samples + hop - 1) // hop
        if self.pad_mode == "zeros":
            return num_samples // hop
        return (num_samples // hop + 1) * (num_samples > 0)

    def padded_frames(self, num_frames: int) -> int:
        """Round a number of frames up to a multiple of `pad_to`."""
        return -(-num_frames // self.pad_to) * self.pad_to if self.pad_to else num_frames

    def rounded(self, table: Array) -> Array:
        """Round a float32 table to `table_precision`; it stays float32."""
        if self.table_precision == "bfloat16":  # the upper half of the bits, to the nearest, ties to even
            bits = np.ascontiguousarray(table).view(np.uint32)
            kept = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
            return kept.view(np.float32)
        return table.astype(self.table_precision).astype(np.float32)

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults_of_kind(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        defaults = KIND_DEFAULTS.get(str(values.get("kind", "logmel")), {})
        return {**defaults, **values}

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.fft_size < self.window_samples:
            raise ValueError(
                f"n_fft={self.n_fft} is shorter than the window of {self.window_samples} samples "
                f"(window_ms={self.window_ms}); raise n_fft or leave it out"
            )
        nyquist_hz = self.sample_rate_hz / 2
        if not self.low_hz < self.highest_hz <= nyquist_hz:
            raise ValueError(
                f"the mel bands run from low_hz={self.low_hz} to high_hz={self.highest_hz}; "
                f"low_hz must be the lower one and high_hz at most {nyquist_hz}, half the sample rate"
            )
        if self.kind == "mfcc" and self.num_ceps > self.num_mels:
            raise ValueError(f"num_ceps={self.num_ceps} is more than num_mels={self.num_mels}")
        if self.num_features > self.fft_size // 2 + 1 and self.kind == "spectrogram":
            raise ValueError(
                f"num_bins={self.num_bins} is more than the {self.fft_size // 2 + 1} bins "
                f"of an FFT over {self.fft_size} samples"
            )
        if self.kind == "waveform" and self.normalize == "per_frame":
            raise ValueError("normalize='per_frame' would make each sample of a waveform 0")
        self._check_fixed_statistics()
        self._check_unused_keys()
        return self

    def _check_fixed_statistics(self) -> None:
        for key, values in (("fixed_mean", self.fixed_mean), ("fixed_std", self.fixed_std)):
            expected = self.num_features if self.normalize == "fixed" else 0
            if len(values) != expected:
                raise ValueError(
                    f"{key} has {len(values)} values, but normalize={self.normalize!r} with "
                    f"{self.num_features} features needs {expected}"
                )
        if not np.isfinite(self.fixed_mean).all() or not all(0 < std < np.inf for std in self.fixed_std):
            raise ValueError("fixed_mean must be finite, and fixed_std finite and above 0")

    def _check_unused_keys(self) -> None:
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        defaults |= KIND_DEFAULTS[self.kind]
        for key in _UNUSED_KEYS[self.kind]:
            if getattr(self, key) != defaults[key]:
                raise ValueError(
                    f"{key}={getattr(self, key)} has no effect on kind={self.kind!r}; leave it out"
                )
