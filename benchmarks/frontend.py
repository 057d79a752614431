"""CPU time of the numpy log-mel front end per hour of audio, and of what else computes one here.

Run: python benchmarks/frontend.py [--seconds 2]
"""

import argparse
import os
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np
from header import print_header

from linnet.core.arrays import Features, Samples
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.features.mel import slaney_filterbank

UTTERANCE_SECONDS = (1, 3, 10, 30, 600)
Frontend = Callable[[Samples], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="CPU time spent on each measurement")
    budget_s = parser.parse_args().seconds
    config = FrontendConfig()
    threads = os.environ.get("OMP_NUM_THREADS", "default")
    print_header(
        "numpy",
        settings=f"{config.num_mels} mels, {config.window_ms:g} ms window, {config.hop_ms:g} ms hop, "
        f"FFT {config.fft_size}, normalize {config.normalize}; OMP_NUM_THREADS {threads}",
        measure="best and median CPU-seconds per hour of audio, all threads counted",
    )
    samples = np.random.default_rng(0).standard_normal(600 * 16000, dtype=np.float32) * np.float32(0.1)
    reference = {}
    for seconds in UTTERANCE_SECONDS:
        utterance = samples[: seconds * 16000]
        best, median = cpu_seconds_per_hour(lambda x: compute_features(x, config), utterance, budget_s)
        reference[seconds] = best
        print(f"numpy, utterances of {seconds:4d} s           {best:6.2f} {median:6.2f}")
    for name, frontend in peers(config).items():
        best, median = cpu_seconds_per_hour(frontend, samples[: 30 * 16000], budget_s)
        ratio = best / reference[30]
        print(f"{name:34s} {best:6.2f} {median:6.2f}   {ratio:5.1f} times ours on 30 s")


def cpu_seconds_per_hour(frontend: Frontend, samples: Samples, budget_s: float) -> tuple[float, float]:
    """Best and median over repeated calls within `budget_s` seconds of CPU time, at least three calls."""
    frontend(samples)
    costs_s: list[float] = []
    while sum(costs_s) < budget_s or len(costs_s) < 3:
        start_s = time.process_time()
        frontend(samples)
        costs_s.append(time.process_time() - start_s)
    hours = len(samples) / 16000 / 3600
    return min(costs_s) / hours, float(np.median(costs_s)) / hours


def peers(config: FrontendConfig) -> dict[str, Frontend]:
    """Find what else can be measured: a plain numpy version, and packages that are installed."""
    found: dict[str, Frontend] = {"naive numpy": lambda samples: naive_log_mel(samples, config)}
    if find_spec("torch"):
        torch, models = import_module("torch"), import_module("linnet.models.frontend")
        twin = models.TorchFrontend(config).eval()
        found["torch twin"] = lambda samples: twin(
            torch.from_numpy(samples)[None], torch.tensor([len(samples)])
        )
    if find_spec("kaldi_native_fbank"):
        kaldi = import_module("kaldi_native_fbank")
        found["kaldi-native-fbank"] = lambda samples: kaldi_features(kaldi, samples, config)
    return found


def naive_log_mel(samples: Samples, config: FrontendConfig) -> Features:
    """The same features as one would write them down: all frames and spectra at once, one mel product."""
    emphasized = np.append(samples[:1], samples[1:] - np.float32(config.preemphasis) * samples[:-1])
    padded = np.pad(emphasized, config.window_samples // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.window_samples)[:: config.hop_samples]
    frames = frames[: config.num_frames(len(samples))] * np.hanning(config.window_samples).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, config.fft_size)) ** 2
    filterbank = slaney_filterbank(
        config.num_mels, config.fft_size, config.sample_rate_hz, 0.0, config.highest_hz
    )
    features = np.log(power @ filterbank.T + np.float32(config.log_guard))
    features = (features - features.mean(axis=0)) / (features.std(axis=0, ddof=1) + 1e-5)
    return np.ascontiguousarray(features.T)


def kaldi_features(kaldi: ModuleType, samples: Samples, config: FrontendConfig) -> Features:
    """Kaldi's own 64 bands of the same window, which differ in value but not in work."""
    options = kaldi.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.frame_length_ms = config.window_ms
    options.mel_opts.num_bins = config.num_mels
    extractor = kaldi.OnlineFbank(options)
    extractor.accept_waveform(config.sample_rate_hz, samples)
    extractor.input_finished()
    frames = [extractor.get_frame(index) for index in range(extractor.num_frames_ready)]
    return np.stack(frames, axis=1)


if __name__ == "__main__":
    main()
