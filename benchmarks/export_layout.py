"""Time of an exported encoder in onnxruntime: height-1 2-D convolutions (ours) against plain 1-D ones.

Run: python benchmarks/export_layout.py [--variant 5x5] [--seconds 15] [--repeat 10]
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from linnet.export.onnx import export_onnx
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.layers import convolution
from linnet.models.quartznet import VARIANTS
from linnet.runtime.session import CtcSession


class PlainExport(nn.Module):
    """The model as most exporters write it: 1-D convolutions."""

    def __init__(self, model: CtcModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Score (B, F, T) features."""
        log_probs, lengths = self.model(features, lengths)
        return log_probs, lengths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, default="5x5")
    parser.add_argument("--seconds", type=int, default=15, help="length of the recording")
    parser.add_argument("--repeat", type=int, default=10)
    options = parser.parse_args()
    model = build_model(options.variant)
    rng = np.random.default_rng(0)
    features = rng.standard_normal((1, 64, options.seconds * 100), dtype=np.float32)
    print(f"processor  {platform.processor() or platform.machine()}, {os.cpu_count()} cores, 1 thread used")
    print(f"versions   torch {torch.__version__}, onnxruntime {onnxruntime.__version__}")
    print(f"settings   QuartzNet {options.variant}, {options.seconds} s, best of {options.repeat}\n")
    with tempfile.TemporaryDirectory() as folder:
        plain_s, plain = measure(export_plain(model, Path(folder) / "plain.onnx"), features, options.repeat)
        export_onnx(model, Path(folder) / "ours.onnx")
        ours_s, ours = measure(Path(folder) / "ours.onnx", features, options.repeat)
    print(f"1-D convolutions           {plain_s * 1e3:8.1f} ms   RTF {plain_s / options.seconds:.5f}")
    print(f"2-D convolutions, height 1 {ours_s * 1e3:8.1f} ms   RTF {ours_s / options.seconds:.5f}")
    difference = np.abs(plain - ours).max()
    print(f"ratio {plain_s / ours_s:.2f}, largest difference of a log-probability {difference:.1e}")


def build_model(variant: str) -> CtcModel:
    """Build a model with random weights and moved batch-norm statistics."""
    torch.manual_seed(0)
    config = {"name": "layout", "encoder": {"quartznet": variant}, "tokenizer": {"kind": "char"}}
    model = CtcModel(ModelConfig.model_validate(config))
    with torch.no_grad():
        model.train()(torch.randn(2, 64, 200), torch.tensor([200, 200]))
    return model.eval()


def export_plain(model: CtcModel, path: Path) -> Path:
    """Export with 1-D convolutions; the FFT form is switched off, which no runtime should see."""
    convolution.MIN_FFT_KERNEL, kept = 10_000, convolution.MIN_FFT_KERNEL
    dynamic = torch.export.Dim.DYNAMIC
    try:
        program = torch.onnx.export(
            PlainExport(model).eval(),
            (torch.zeros(2, 64, 128), torch.tensor([128, 100])),
            input_names=["audio_signal", "length"],
            output_names=["logprobs", "logprobs_length"],
            dynamic_shapes=({0: dynamic, 2: dynamic}, {0: dynamic}),
            dynamo=True,
            verbose=False,
        )
    finally:
        convolution.MIN_FFT_KERNEL = kept
    assert program is not None
    program.save(str(path))
    return path


def measure(path: Path, features: np.ndarray, repeat: int) -> tuple[float, np.ndarray]:
    """Best time of `repeat` runs on one thread, and the log-probabilities."""
    session = CtcSession(path, num_threads=1)
    lengths = np.array([features.shape[2]], np.int64)
    times_s = []
    for _ in range(repeat + 1):
        start_s = time.perf_counter()
        log_probs, _ = session.log_probs(features, lengths)
        times_s.append(time.perf_counter() - start_s)
    return min(times_s[1:]), log_probs


if __name__ == "__main__":
    main()
