"""Where to cut a long recording: at the model's own blank, or where a voice activity detector hears nobody.

Digits at known places (`longform.py`). The detector is silero's ONNX model for 16 kHz, of the package
silero-vad (`silero_vad/data/silero_vad_16k_op15.onnx` in its wheel). It gives the probability of speech for
each 32 ms; speech begins at 0.5 and ends where it was below 0.35 for 0.1 s, as in that package. For the
changed words the recording is cut in the middle of the pauses found, pieces of up to 60 s go through the
network alone, normalized by the whole recording.

Run: python benchmarks/pauses.py fsdd/test.jsonl silero_vad_16k_op15.onnx [--minutes 20]
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from header import print_header
from longform import Truth, edits, join, words_of

from linnet.audio.read import read_audio
from linnet.core.arrays import LogProbs, Samples
from linnet.decoding.greedy import greedy_decode
from linnet.runtime.longform_config import LongFormConfig
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.windows import WindowReader, joined_log_probs

BLOCK, CONTEXT, RATE_HZ = 512, 64, 16_000
ON, OFF, OFF_S = 0.5, 0.35, 0.1
PAUSE_S, PIECE_S = 1.0, 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, help="recordings of single digits")
    parser.add_argument("silero", type=Path, help="its ONNX model for 16 kHz")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--minutes", type=float, default=20.0)
    options = parser.parse_args()
    print_header(
        "numpy",
        "onnxruntime",
        settings=f"{options.model}, {options.minutes:g} minutes, {options.silero.name}",
        measure="pauses found, words cut, changed words, processor time",
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "joined.wav"
        truth = join(options.manifest, path, options.minutes * 60)
        samples = read_audio(path, sample_rate_hz=RATE_HZ)
        whole = LongFormConfig(chunk_s=3600, statistics_s=0)
        expected = words_of(Recognizer.load(options.model, long_form=whole), path)
    recognizer = Recognizer.load(options.model)
    shift_s = recognizer.bundle.spec.frame_shift_s
    begun_s = time.process_time()
    log_probs = np.concatenate(list(joined_log_probs(recognizer, [samples], recognizer.long_form)))
    print(f"features and network: {time.process_time() - begun_s:.2f} CPU-s")
    begun_s = time.process_time()
    silent = log_probs.argmax(axis=1) == recognizer.bundle.spec.blank_id
    cuts_s = middles(silent, shift_s)
    report("blank", truth, cuts_s, time.process_time() - begun_s)
    print(f"  against the one window {edits(expected, written(recognizer, log_probs))}")
    begun_s = time.process_time()
    cuts_s = middles(~speech(probabilities(options.silero, samples)), BLOCK / RATE_HZ)
    report("silero", truth, cuts_s, time.process_time() - begun_s)
    print(f"  against the one window {edits(expected, in_pieces(recognizer, samples, cuts_s))}")


def probabilities(path: Path, samples: Samples) -> np.ndarray:
    """Run the detector over blocks of 512 samples, each with the 64 before it; gives (blocks,)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    state, rate, found = np.zeros((2, 1, 128), np.float32), np.array(RATE_HZ, np.int64), []
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), samples])
    for start in range(0, len(samples) - BLOCK, BLOCK):
        block = padded[None, start : start + CONTEXT + BLOCK]
        probability, state = session.run(None, {"input": block, "state": state, "sr": rate})
        found.append(float(probability[0, 0]))
    return np.array(found)


def speech(probability: np.ndarray) -> np.ndarray:
    """Tell for each block whether somebody speaks."""
    speaks, below = False, 0
    found = np.zeros(len(probability), bool)
    for block, value in enumerate(probability):
        below = below + 1 if value < OFF else 0
        speaks = value >= ON or (speaks and below * BLOCK / RATE_HZ < OFF_S)
        found[block] = speaks
    return found


def middles(silent: np.ndarray, shift_s: float) -> np.ndarray:
    """Give the middles, in seconds, of the pauses of `PAUSE_S` and more."""
    edges = np.flatnonzero(np.diff(silent, prepend=False, append=False)).reshape(-1, 2) * shift_s
    return edges[np.diff(edges)[:, 0] >= PAUSE_S].mean(axis=1)


def report(name: str, truth: Truth, cuts_s: np.ndarray, cpu_s: float) -> None:
    ends_s, starts_s = np.array(truth.edges_s)[:-1, 1], np.array(truth.edges_s)[1:, 0]
    print(f"{name}: {len(cuts_s)} pauses, {cpu_s:.2f} CPU-s")
    for least_s in (1.0, 1.2, 1.5):
        pauses = np.flatnonzero(starts_s - ends_s >= least_s)
        found = sum(bool(((cuts_s > ends_s[i]) & (cuts_s < starts_s[i])).any()) for i in pauses)
        print(f"  of pauses of {least_s:g} s and more: {found} of {len(pauses)}")
    inside = sum(bool(((cuts_s > start_s) & (cuts_s < end_s)).any()) for start_s, end_s in truth.edges_s)
    print(f"  words that were cut: {inside} of {len(truth.words)}")


def in_pieces(recognizer: Recognizer, samples: Samples, cuts_s: np.ndarray) -> list[str]:
    """Read pieces of up to `PIECE_S` between cuts, each alone."""
    reader = WindowReader(recognizer)
    reader.hear(samples, 0)
    step = reader.step_samples
    ends = [*(np.round(cuts_s * RATE_HZ / step).astype(int) * step), len(samples)]
    starts, words = [0], []
    for end, following in itertools.pairwise(ends):
        if following - starts[-1] > PIECE_S * RATE_HZ:
            starts.append(end)
    for start, end in itertools.pairwise([*starts, len(samples)]):
        words += written(recognizer, reader.read(samples[start:end], start))
    return words


def written(recognizer: Recognizer, log_probs: LogProbs) -> list[str]:
    spans = greedy_decode(log_probs, recognizer.bundle.spec.blank_id)
    return recognizer.bundle.vocabulary.decode([span.token_id for span in spans]).split()


if __name__ == "__main__":
    main()
