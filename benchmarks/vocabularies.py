"""Checkpoints with different vocabularies on the same speech: greedy, and by a search with a model of words.

Run: python benchmarks/vocabularies.py CHECKPOINT… --lm books.lm --dev dev.jsonl --test test.jsonl

The weights of the language model are chosen on dev for each checkpoint, as `linnet lm tune` does.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from header import print_header

from linnet.core.arrays import LogProbs
from linnet.decoding.beam import BeamConfig
from linnet.decoding.greedy import greedy_decode
from linnet.decoding.language_model import LanguageModel
from linnet.evaluation.evaluate import load_samples
from linnet.evaluation.report import Failure
from linnet.evaluation.tuning import best_of, search_reader, try_weights
from linnet.manifest.jsonl import read_manifest
from linnet.metrics.bootstrap import bootstrap_interval
from linnet.metrics.error_rate import ErrorCounts, character_errors, word_errors
from linnet.models.recognizer import CheckpointRecognizer
from linnet.text.normalize import normalize

BATCH = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--lm", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--beam", type=int, default=64)
    options = parser.parse_args()
    print_header(
        "torch",
        "numba",
        settings=f"dev {options.dev}, test {options.test}, language model {options.lm}, beam {options.beam}",
        measure="errors on test with 95 % intervals; alpha and beta",
    )
    for path in options.checkpoints:
        recognizer = CheckpointRecognizer.load(path)
        vocabulary = recognizer.model.vocabulary
        model = LanguageModel.load(options.lm, vocabulary)
        dev_texts, dev = listen(recognizer, options.dev)
        test_texts, test = listen(recognizer, options.test)
        greedy = [
            vocabulary.decode([span.token_id for span in greedy_decode(each, vocabulary.blank_id)])
            for each in test
        ]
        print(
            f"{recognizer.name:12s} {vocabulary.size:4d} greedy      {errors(test_texts, greedy)}", flush=True
        )
        config = BeamConfig(beam=options.beam)
        read_dev = search_reader([[each] for each in dev], vocabulary, model, config)
        best = best_of(list(try_weights(read_dev, dev_texts)))
        read_test = search_reader([[each] for each in test], vocabulary, model, config)
        found = read_test(best.alpha, best.beta)
        weights = f"{best.alpha:4.2f} {best.beta:5.2f}"
        print(
            f"{recognizer.name:12s} {vocabulary.size:4d} {weights}  {errors(test_texts, found)}", flush=True
        )


def listen(recognizer: CheckpointRecognizer, manifest: Path) -> tuple[list[str], list[LogProbs]]:
    """Return what was said in each utterance, normalized, and its log-probs."""
    utterances = read_manifest(manifest)
    scores: list[LogProbs] = []
    for start in range(0, len(utterances), BATCH):
        loaded = [load_samples(each, recognizer.sample_rate_hz) for each in utterances[start : start + BATCH]]
        scores += recognizer.log_probs([each for each in loaded if not isinstance(each, Failure)])
    assert len(scores) == len(utterances), "some recordings cannot be read"
    return [normalize(each.text or "", recognizer.normalizer) for each in utterances], scores


def errors(said: Sequence[str], heard: Sequence[str]) -> str:
    """Give the word error rate with its interval, and the character error rate."""
    words = [word_errors(left, right) for left, right in zip(said, heard, strict=True)]
    letters = [character_errors(left, right) for left, right in zip(said, heard, strict=True)]
    low, high = bootstrap_interval(words)
    rate = sum(words, ErrorCounts()).rate
    return f"WER {rate:7.2%} ({low:.2%} to {high:.2%})  CER {sum(letters, ErrorCounts()).rate:7.2%}"


if __name__ == "__main__":
    main()
