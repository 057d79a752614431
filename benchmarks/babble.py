"""How much confidence speech has, and sounds without speech: where `min_confidence` of a bundle should lie.

For each value: the words that are written where nobody speaks, the words of a dev set that are lost, and its
word error rate. The sounds are those of benchmarks/english.

Run: python benchmarks/babble.py dev.jsonl --model BUNDLE [--noise FOLDER] [--lm]
"""

import argparse
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "english"))  # where no_speech.py is

from header import print_header
from no_speech import DURATION_S, sounds

from linnet.core.arrays import Samples
from linnet.core.results import Word
from linnet.decoding.confidence import confident_words
from linnet.evaluation.evaluate import load_samples
from linnet.evaluation.report import Failure
from linnet.manifest.jsonl import read_manifest
from linnet.metrics.error_rate import ErrorCounts, word_errors
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig
from linnet.text.normalize import normalize

Both = tuple[tuple[Word, ...], tuple[Word, ...]]

VALUES = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--model", default="digits")
    parser.add_argument("--noise", type=Path, default=None)
    parser.add_argument("--lm", action="store_true", help="read with the language model in the bundle")
    parser.add_argument("--limit", type=int, default=None)
    options = parser.parse_args()
    search = SearchConfig(no_lm=not options.lm, min_confidence=0.0)
    recognizer = Recognizer.load(options.model, search=search)
    print_header(
        "numpy",
        "onnxruntime",
        settings=f"{recognizer.name} on {options.manifest}, "
        f"{recognizer.search.config.summary if recognizer.search else 'greedy'}",
        measure="words a minute where nobody speaks; words and word error rate of the set",
    )
    silent = [read(recognizer, samples) for samples in sounds(options.noise, 0).values()]
    spoken = []
    for utterance in read_manifest(options.manifest)[: options.limit]:
        samples = load_samples(utterance, recognizer.sample_rate_hz)
        if not isinstance(samples, Failure):
            spoken.append((utterance.text or "", read(recognizer, samples)))
    print("min_confidence  babble/min  sounds with text  words lost     WER")
    for value in VALUES:
        print(_line(value, silent, spoken, recognizer.normalizer))


def read(recognizer: Recognizer, samples: Samples) -> Both:
    """Give all words of a recording (N,), as the search and as the best tokens have them."""
    (log_probs,) = recognizer.log_probs([recognizer.features(samples)])
    duration_s = len(samples) / recognizer.sample_rate_hz
    words, _ = recognizer.decode(log_probs, duration_s)
    return words, recognizer.words(log_probs, duration_s, 0.0, None)


def _line(value: float, silent: list[Both], spoken: list[tuple[str, Both]], normalizer: str) -> str:
    babble = [len(_kept(each, value)) for each in silent]
    kept = [_kept(each, value) for _, each in spoken]
    num_words = sum(len(words) for _, (words, _) in spoken)
    counts = (
        word_errors(normalize(said, normalizer), " ".join(word.text for word in words))
        for (said, _), words in zip(spoken, kept, strict=True)
    )
    errors = sum(counts, ErrorCounts())
    per_minute = sum(babble) / len(silent) * 60 / DURATION_S
    lost = 1 - sum(map(len, kept)) / max(num_words, 1)
    sounding = f"{sum(map(bool, babble))} of {len(silent)}"
    return f"{value:14.2f}  {per_minute:10.1f}  {sounding:>16}  {lost:9.2%}  {errors.rate:7.2%}"


def _kept(both: Both, value: float) -> tuple[Word, ...]:
    return confident_words(*both, value) if value else both[0]


if __name__ == "__main__":
    main()
