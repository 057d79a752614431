"""CPU-seconds of many recordings one by one and in batches sorted by length: features, network and decoding.

Run: python benchmarks/batching.py FOLDER [--model digits] [--every 10]
"""

import argparse
import time
from pathlib import Path

from header import print_header

from linnet.audio.read import AUDIO_SUFFIXES, read_audio
from linnet.runtime.recognizer import Recognizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--every", type=int, default=1, help="take one recording of so many")
    options = parser.parse_args()
    recognizer = Recognizer.load(options.model)
    paths = sorted(each for each in options.folder.iterdir() if each.suffix in AUDIO_SUFFIXES)[
        :: options.every
    ]
    waveforms = [read_audio(path, sample_rate_hz=recognizer.sample_rate_hz) for path in paths]
    recognizer.transcribe_samples(waveforms[:3])  # warms up
    started_s = time.process_time()
    alone = [recognizer.transcribe_samples([samples])[0].text for samples in waveforms]
    alone_s = time.process_time() - started_s
    order = sorted(range(len(waveforms)), key=lambda index: len(waveforms[index]))
    started_s = time.process_time()
    together = recognizer.transcribe_samples([waveforms[index] for index in order])
    together_s = time.process_time() - started_s
    audio_s = sum(map(len, waveforms)) / recognizer.sample_rate_hz
    print_header(
        *("numpy", "onnxruntime"),
        settings=f"{recognizer.name}, {len(paths)} recordings, {audio_s:.0f} s, one thread",
        measure="CPU-seconds of this process from samples to texts",
    )
    num_same = sum(alone[index] == found.text for index, found in zip(order, together, strict=True))
    print(f"one by one {alone_s:.2f} CPU-s, sorted batches {together_s:.2f} CPU-s")
    print(f"equal texts: {num_same} of {len(paths)}")


if __name__ == "__main__":
    main()
