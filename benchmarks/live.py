"""How long after a word was spoken `linnet listen` writes it: sound is piped into it at the speed of speech.

Run: python benchmarks/live.py fsdd/test.jsonl [--minutes 3] [--model digits]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from header import print_header
from longform import edits, join, matches

from linnet.audio.read import read_audio
from linnet.corpora.clip_shaping import SAMPLE_RATE_HZ

BLOCK_S = 0.05
LISTEN = "import sys\nfrom linnet.cli.main import main\nsys.argv[0] = 'linnet'\nmain()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, help="recordings of single digits")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--minutes", type=float, default=3.0)
    options = parser.parse_args()
    print_header(
        "numpy",
        "onnxruntime",
        settings=f"{options.model}, {options.minutes:g} min of {options.manifest.name}, {BLOCK_S} s a block",
        measure="seconds from the end of a word to the line that has it",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "live.wav"
        truth = join(options.manifest, path, options.minutes * 60)
        samples = read_audio(path)
    command = [sys.executable, "-c", LISTEN, "listen", "-", "--format", "json", "--model", options.model]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        lines: list[tuple[float, dict]] = []

        def read() -> None:
            lines.extend((time.perf_counter(), json.loads(line)) for line in process.stdout or ())

        reader = threading.Thread(target=read)
        reader.start()
        time.sleep(5)  # the model loads before anybody speaks
        begun = time.perf_counter()
        speak(samples, process, begun)
        reader.join()
    report(truth.words, truth.edges_s, [(at - begun, line) for at, line in lines])


def speak(samples: np.ndarray, process: subprocess.Popen, begun: float) -> None:
    """Write 16-bit samples, none before it would have been recorded."""
    size = round(BLOCK_S * SAMPLE_RATE_HZ)
    for start in range(0, len(samples), size):
        block = samples[start : start + size]
        due = begun + (start + len(block)) / SAMPLE_RATE_HZ
        time.sleep(max(0.0, due - time.perf_counter()))
        process.stdin.write((block * 32767).astype("<i2").tobytes())
        process.stdin.flush()
    process.stdin.close()


def report(reference: list[str], edges_s: list[tuple[float, float]], lines: list[tuple[float, dict]]) -> None:
    final = [(at, word, line) for at, line in lines if line["final"] for word in line["words"]]
    words = [word["text"] for _, word, _ in final]
    print(f"{sum(line['final'] for _, line in lines)} final lines; {edits(reference, words)}")
    first, last = [], []
    for i, j in matches(reference, words):
        at, word, line = final[j]
        seen = [
            when
            for when, earlier in lines
            for each in earlier["words"]
            if each["text"] == word["text"] and abs(each["start_s"] - word["start_s"]) < 0.2
        ]
        first.append(min(seen) - edges_s[i][1])
        if word is line["words"][-1]:
            last.append(at - edges_s[i][1])
    for name, delays in (("first seen", first), ("final, of the last word of a line", last)):
        print(f"  {name}: median {np.median(delays):.2f} s, 95 % within {np.percentile(delays, 95):.2f} s")


if __name__ == "__main__":
    main()
