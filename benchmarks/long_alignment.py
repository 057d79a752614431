"""CPU-seconds and memory of aligning one long recording with its text: the network and the alignment apart.

Run: python benchmarks/long_alignment.py hour.wav hour.txt [--model digits]
"""

import argparse
import resource
import time
from pathlib import Path

from header import print_header

from linnet.audio.read import read_audio
from linnet.runtime.aligner import Aligner
from linnet.runtime.recognizer import Recognizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("audio", type=Path)
    parser.add_argument("text", type=Path)
    parser.add_argument("--model", default="digits")
    options = parser.parse_args()
    recognizer = Recognizer.load(options.model)
    aligner = Aligner(recognizer)
    aligner.align(read_audio(options.audio, duration_s=5.0), ["one"])  # compiles, or loads what was compiled
    started_s = time.process_time()
    samples = read_audio(options.audio, sample_rate_hz=recognizer.sample_rate_hz)
    read_s = time.process_time()
    network_s = read_s

    def note(_: float) -> None:
        nonlocal network_s
        network_s = time.process_time()

    aligned = aligner.align(samples, options.text.read_text(encoding="utf-8").splitlines(), note)
    ended_s = time.process_time()
    print_header(
        *("numpy", "onnxruntime", "numba"),
        settings=f"{recognizer.name}, {aligned.duration_s:.0f} s, {len(aligned.words)} words, one thread",
        measure="CPU-seconds of this process, and the most memory it ever held",
    )
    print(f"reading     {read_s - started_s:6.2f} s")
    print(f"network     {network_s - read_s:6.2f} s, front end included")
    print(f"alignment   {ended_s - network_s:6.2f} s")
    print(f"memory      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:6.2f} GiB")
    print(f"not spoken  {sum(not word.spoken for word in aligned.words)} of {len(aligned.words)} words")


if __name__ == "__main__":
    main()
