"""Do hotwords find rare words in real speech, and do they harm the rest? A table by weight.

Rare are the words of the manifest that the training texts have at most twice. All of them together are the
hotwords of every utterance, so that nearly all are wrong for any one of it.

Run: python benchmarks/hotwords.py test.jsonl --known train.jsonl --model BUNDLE [--lm words.lm]
     python benchmarks/hotwords.py test.jsonl --words three nine --model digits --snr-db 0
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from header import print_header

from linnet.audio.read import read_audio
from linnet.core.arrays import LogProbs
from linnet.decoding.beam import BeamConfig, BeamDecoder
from linnet.decoding.language_model import LanguageModel
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance
from linnet.metrics.error_rate import word_errors
from linnet.runtime.recognizer import Recognizer
from linnet.text.normalize import normalize


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--known", type=Path, help="manifest of the training texts")
    which.add_argument("--words", nargs="+", help="these instead of the rare ones")
    parser.add_argument("--model", required=True)
    parser.add_argument("--lm", type=Path)
    parser.add_argument("--alpha", type=float, default=0.5)
    parser.add_argument("--beta", type=float, default=1.0)
    parser.add_argument("--weights", type=float, nargs="+", default=[0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
    parser.add_argument("--min-letters", type=int, default=4)
    parser.add_argument("--max-known", type=int, default=2, help="how often a rare word may be known")
    parser.add_argument("--snr-db", type=float, help="add white noise")
    parser.add_argument("--limit", type=int, help="take only so many utterances")
    options = parser.parse_args()
    recognizer = Recognizer.load(options.model)
    utterances = read_manifest(options.manifest)[: options.limit]
    texts = [normalize(each.text or "", recognizer.normalizer) for each in utterances]
    known = read_manifest(options.known) if options.known else []
    known_texts = [normalize(each.text or "", recognizer.normalizer) for each in known]
    rare = options.words or rare_words(texts, known_texts, options.min_letters, options.max_known)
    print_header(
        "numpy",
        "onnxruntime",
        "numba",
        settings=f"{recognizer.name} on {len(texts)} utterances of {options.manifest}, beam 64, "
        f"language model {options.lm}, noise {options.snr_db} dB, {len(rare)} hotwords",
        measure="weight of a letter; recall and false insertions of the hotwords; word error rate",
    )
    scores = [log_probs(recognizer, each, options.snr_db, index) for index, each in enumerate(utterances)]
    vocabulary = recognizer.bundle.vocabulary
    config = BeamConfig(alpha=options.alpha, beta=options.beta)
    model = LanguageModel.load(options.lm, vocabulary) if options.lm else None
    print(f"{'weight':>6} {'found':>11} {'recall':>7} {'false':>6} {'WER':>7} {'WER of the other words':>23}")
    for weight in options.weights:
        hotwords = [(word, weight * len(word)) for word in rare] if weight else []
        decoder = BeamDecoder(vocabulary, config, model, hotwords)
        read = [vocabulary.decode(result.hypotheses[0].tokens) for result in decoder.decode_batch(scores)]
        print(line(weight, rare, texts, read), flush=True)


def rare_words(texts: Sequence[str], known: Sequence[str], min_letters: int, max_known: int) -> list[str]:
    """List the words of texts that are long enough and hardly known."""
    counts = Counter(word for text in known for word in text.split())
    words = {word for text in texts for word in text.split()}
    return sorted(word for word in words if len(word) >= min_letters and counts[word] <= max_known)


def log_probs(recognizer: Recognizer, utterance: Utterance, snr_db: float | None, seed: int) -> LogProbs:
    """Score the frames of an utterance, with noise if asked for."""
    samples = read_audio(
        utterance.audio,
        sample_rate_hz=recognizer.sample_rate_hz,
        offset_s=utterance.offset_s,
        duration_s=utterance.duration_s,
    )
    if snr_db is not None:
        noise = np.random.default_rng(seed).standard_normal(len(samples), np.float32)
        level = np.sqrt(np.square(samples, dtype=np.float64).mean()) * 10 ** (-snr_db / 20)
        samples = samples + noise * np.float32(level)
    return recognizer.log_probs([recognizer.features(samples)])[0]


def line(weight: float, rare: Sequence[str], texts: Sequence[str], read: Sequence[str]) -> str:
    """Count, and give a line of the table."""
    favored = set(rare)
    spoken = [Counter(word for word in text.split() if word in favored) for text in texts]
    written = [Counter(word for word in text.split() if word in favored) for text in read]
    found = sum((a & b).total() for a, b in zip(spoken, written, strict=True))
    num_spoken = sum(each.total() for each in spoken)
    false = sum(each.total() for each in written) - found
    others = [
        tuple(" ".join(word for word in text.split() if word not in favored) for text in pair)
        for pair in zip(texts, read, strict=True)
    ]
    return (
        f"{weight:6.2f} {found:5d}/{num_spoken:<5d} {found / num_spoken:7.1%} {false:6d} "
        f"{error_rate(list(zip(texts, read, strict=True))):7.2%} {error_rate(others):23.2%}"
    )


def error_rate(pairs: Sequence[tuple[str, ...]]) -> float:
    """Return the word error rate of (reference, hypothesis) pairs."""
    errors = [word_errors(*pair) for pair in pairs]
    return sum(each.errors for each in errors) / sum(each.reference_length for each in errors)


if __name__ == "__main__":
    main()
