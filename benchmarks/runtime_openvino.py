"""The part of runtime.py that runs where openvino is installed: times of graphs on one thread, as JSON.

Run: python benchmarks/runtime_openvino.py SECONDS REPEAT GRAPH…
"""

import json
import sys
from time import process_time

import numpy as np
import openvino


def measure(path: str, seconds: int, repeat: int) -> tuple[float, float]:
    """Give the time to compile a graph, and the best of `repeat` runs, in seconds of the processor."""
    start_s = process_time()
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    network = core.compile_model(core.read_model(path), "CPU", options).create_infer_request()
    session_s = process_time() - start_s
    num_features = network.model_inputs[0].get_partial_shape()[1].get_length()
    features = np.random.default_rng(0).standard_normal((1, num_features, seconds * 100), np.float32)
    feed = {"audio_signal": features, "length": np.array([features.shape[2]], np.int64)}
    times_s = []
    for _ in range(repeat + 1):
        start_s = process_time()
        network.infer(feed)
        times_s.append(process_time() - start_s)
    return session_s, min(times_s[1:])


if __name__ == "__main__":
    seconds, repeat = map(int, sys.argv[1:3])
    print(json.dumps([measure(path, seconds, repeat) for path in sys.argv[3:]]))
