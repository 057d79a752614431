"""Whether confidences tell how often words are right: the share of all tokens against the mean posterior.

With --snr-db white noise is added. The temperature is fitted on every second utterance, tried on the rest.

Run: python benchmarks/confidence.py test.jsonl [--model digits] [--snr-db 0]
"""

import argparse
from pathlib import Path

import numpy as np
from header import print_header

from linnet.audio.read import read_audio
from linnet.core.arrays import LogProbs, Samples
from linnet.decoding.confidence import tempered
from linnet.decoding.greedy import greedy_decode
from linnet.decoding.words import group_words
from linnet.manifest.jsonl import read_manifest
from linnet.metrics.alignment import align
from linnet.metrics.calibration import calibration, fit_temperature
from linnet.runtime.recognizer import Recognizer
from linnet.text.normalize import normalize

Judged = list[tuple[float, float, bool]]  # share, mean posterior, whether the word is right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--snr-db", type=float, default=None)
    options = parser.parse_args()
    recognizer, utterances = Recognizer.load(options.model), read_manifest(options.manifest)
    print_header(
        "numpy",
        "onnxruntime",
        settings=f"{recognizer.name} on {options.manifest}, signal to noise {options.snr_db} dB",
        measure="expected calibration error (ECE) and area under the ROC curve (AUC)",
    )
    halves: tuple[Judged, Judged] = ([], [])
    for index, utterance in enumerate(utterances):
        samples = read_audio(
            utterance.audio,
            sample_rate_hz=recognizer.sample_rate_hz,
            offset_s=utterance.offset_s,
            duration_s=utterance.duration_s,
        )
        noisy = samples if options.snr_db is None else with_noise(samples, options.snr_db, index)
        (log_probs,) = recognizer.log_probs([recognizer.features(noisy)])
        halves[index % 2].extend(judge(recognizer, log_probs, utterance.text or ""))
    report(*halves)


def with_noise(samples: Samples, snr_db: float, seed: int) -> Samples:
    noise = np.random.default_rng(seed).standard_normal(len(samples), np.float32)
    level = np.sqrt(np.square(samples, dtype=np.float64).mean()) * 10 ** (-snr_db / 20)
    return samples + noise * np.float32(level)


def judge(recognizer: Recognizer, log_probs: LogProbs, text: str) -> Judged:
    vocabulary = recognizer.bundle.vocabulary
    words = group_words(greedy_decode(log_probs, vocabulary.blank_id), vocabulary)
    means = [
        min(
            float(np.exp(log_probs[token.start_frame : token.end_frame, token.token_id]).mean())
            for token in tokens
        )
        for _, tokens in words
    ]
    ops = align(normalize(text, recognizer.normalizer).split(), [word for word, _ in words]).ops
    right = [op == "match" for op, _, hypothesis in ops if hypothesis is not None]
    shares = [min(token.confidence for token in tokens) for _, tokens in words]
    return list(zip(shares, means, right, strict=True))


def report(fitted: Judged, tried: Judged) -> None:
    for index, name in enumerate(("share", "mean posterior")):
        both = [(each[index], each[2]) for each in [*fitted, *tried]]
        found = calibration(*zip(*both, strict=True))
        print(
            f"{name:<15} ECE {found.error:.2%}, AUC {found.ranking or float('nan'):.3f}, "
            f"{found.num_right} of {found.num_words} words right"
        )
        right = [each[2] for each in tried]
        temperature = fit_temperature([each[index] for each in fitted], [each[2] for each in fitted])
        before = calibration([each[index] for each in tried], right)
        after = calibration([tempered(each[index], temperature) for each in tried], right)
        print(
            f"{'':<15} temperature {temperature:.2f}: ECE {before.error:.2%} → {after.error:.2%} on the rest"
        )


if __name__ == "__main__":
    main()
