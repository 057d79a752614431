"""Time of exported networks on one thread: plain export, linnet in float32 and int8, and OpenVINO with both.

Run: python benchmarks/runtime.py [--models quartznet-15x5 …] [--openvino PYTHON] [--folder GRAPHS]

Weights are random, which changes no time. Plain is the same model with 1-D convolutions, as exporters usually
write it. PYTHON is an interpreter that has openvino; it reads the graphs of linnet. Times are of the
processor and not of the clock, so that other work on the machine disturbs them less.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from header import print_header
from torch import Tensor, nn

from linnet.export.int8 import GraphInt8
from linnet.export.onnx import export_onnx
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.runtime.session import CtcSession

MODELS: dict[str, tuple[int, dict[str, Any]]] = {
    "quartznet-5x1": (64, {"quartznet": "5x1"}),
    "quartznet-15x5": (64, {"quartznet": "15x5"}),
    "citrinet-256": (80, {"citrinet": "256"}),
    "conformer-s": (80, {"conformer": "s"}),
    "conformer-s-local": (80, {"conformer": "s", "context_frames": [128, 128]}),
}
GRAPHS = ("plain", "fp32", "int8")


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
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seconds", type=int, default=15, help="length of the recording")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--openvino", type=Path, help="an interpreter that has openvino")
    parser.add_argument("--folder", type=Path, help="keep the graphs there, and use those that are there")
    options = parser.parse_args()
    print_header(
        "torch",
        "onnxruntime",
        settings=f"{options.seconds} s of audio, one recording, one thread",
        measure=f"seconds of processor time for a second of audio (RTF), best of {options.repeat}",
    )
    print(f"{'model':<18} {'graph':<14} {'MB':>6} {'session s':>9} {'RTF':>8} against plain")
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.models:
            folder = options.folder or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            show(name, folder, options)


def show(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Measure one model in all its forms, and print a line for each."""
    paths = dict(zip(GRAPHS, write_graphs(name, folder), strict=True))
    found = {graph: measure(path, options.seconds, options.repeat) for graph, path in paths.items()}
    if options.openvino:
        script = Path(__file__).with_name("runtime_openvino.py")
        arguments = [options.openvino, script, options.seconds, options.repeat, paths["fp32"], paths["int8"]]
        answer = subprocess.run([str(each) for each in arguments], capture_output=True, text=True, check=True)
        found |= dict(zip(("openvino fp32", "openvino int8"), json.loads(answer.stdout), strict=True))
    for graph, (session_s, run_s) in found.items():
        size = paths[graph.rpartition(" ")[2]].stat().st_size / 1e6
        ratio = found["plain"][1] / run_s
        print(
            f"{name:<18} {graph:<14} {size:6.1f} {session_s:9.3f} "
            f"{run_s / options.seconds:8.5f} {ratio:8.2f} times",
            flush=True,
        )


def write_graphs(name: str, folder: Path) -> Iterator[Path]:
    """Write the three graphs of a model, unless they are there."""
    plain, fp32, int8 = (folder / f"{name}.{graph}.onnx" for graph in GRAPHS)
    num_mels, encoder = MODELS[name]
    if not (plain.exists() and fp32.exists()):
        model = build_model(num_mels, encoder)
        export_plain(model, plain, num_mels)
        export_onnx(model, fp32)
    if not int8.exists():
        features = np.random.default_rng(0).standard_normal((num_mels, 400), np.float32)
        with tempfile.TemporaryDirectory() as ranges:
            GraphInt8(fp32, Path(ranges), [features]).write(int8, "minmax")
    yield from (plain, fp32, int8)


def build_model(num_mels: int, encoder: dict[str, Any]) -> CtcModel:
    """Build a model with random weights and moved batch-norm statistics."""
    torch.manual_seed(0)
    config = {
        "name": "runtime",
        "frontend": {"num_mels": num_mels},
        "encoder": encoder,
        "tokenizer": {"kind": "char"},
    }
    model = CtcModel(ModelConfig.model_validate(config))
    with torch.no_grad():
        model.train()(torch.randn(2, num_mels, 400), torch.tensor([400, 400]))
    return model.eval()


def export_plain(model: CtcModel, path: Path, num_mels: int) -> None:
    """Export with 1-D convolutions."""
    dynamic = torch.export.Dim.DYNAMIC
    program = torch.onnx.export(
        PlainExport(model).eval(),
        (torch.zeros(2, num_mels, 4096), torch.tensor([4096, 100])),
        input_names=["audio_signal", "length"],
        output_names=["logprobs", "logprobs_length"],
        dynamic_shapes=({0: dynamic, 2: dynamic}, {0: dynamic}),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.save(str(path), external_data=False)


def measure(path: Path, seconds: int, repeat: int) -> tuple[float, float]:
    """Give the time to create a session, and the best of `repeat` runs, in seconds of the processor."""
    start_s = process_time()
    session = CtcSession(path, num_threads=1)
    session_s = process_time() - start_s
    assert session.num_features is not None
    features = np.random.default_rng(0).standard_normal((1, session.num_features, seconds * 100), np.float32)
    lengths = np.array([features.shape[2]], np.int64)
    times_s = []
    for _ in range(repeat + 1):
        start_s = process_time()
        session.log_probs(features, lengths)
        times_s.append(process_time() - start_s)
    return session_s, min(times_s[1:])


if __name__ == "__main__":
    main()
