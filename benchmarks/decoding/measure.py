"""Tuning decoders on one half of a set and measuring them, turn by turn, on the other."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from decoders import Decoder, Read, Setting
from log_prob_set import LogProbSet

from linnet.metrics.error_rate import word_errors

ALPHAS, BETAS = (0.15, 0.3, 0.45, 0.6, 0.75), (0.0, 1.5, 3.0)


@dataclass(frozen=True, slots=True)
class Row:
    """What one decoder came to.

    Attributes:
        decoder: its name.
        setting: what it was made with.
        wer: word error rate.
        cpu_s: CPU-seconds per hour of audio, the best of all rounds.
    """

    decoder: str
    setting: Setting
    wer: float
    cpu_s: float

    def as_json(self) -> dict[str, object]:
        """Return the values for a JSON file."""
        values = asdict(self.setting)
        del values["hotwords"]
        return {"decoder": self.decoder, **values, "wer": self.wer, "cpu_s_per_h": self.cpu_s}


def tune(decoder: Decoder, dev: LogProbSet, setting: Setting) -> Setting:
    """Return the setting with the weights, of a grid, that read `dev` best."""

    def rate(tried: Setting) -> float:
        read = decoder.reader(tried)
        return word_error_rate(dev, [read(each) for each in dev.log_probs])

    grid = itertools.product(ALPHAS, BETAS)
    return min((replace(setting, alpha=alpha, beta=beta) for alpha, beta in grid), key=rate)


def measure(decoders: Mapping[str, tuple[Decoder, Setting]], test: LogProbSet, *, rounds: int) -> list[Row]:
    """Let all decoders read `test` by turns, `rounds` times, and keep the best time of each."""
    readers = {name: decoder.reader(setting) for name, (decoder, setting) in decoders.items()}
    texts: dict[str, list[str]] = {}
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(rounds):
        for name, read in readers.items():
            texts[name], taken_s = _timed(read, test)
            best[name] = min(best[name], taken_s)
    return [
        Row(name, decoders[name][1], word_error_rate(test, texts[name]), best[name] / test.hours)
        for name in readers
    ]


def _timed(read: Read, test: LogProbSet) -> tuple[list[str], float]:
    start_s = time.process_time()
    texts = [read(each) for each in test.log_probs]
    return texts, time.process_time() - start_s


def word_error_rate(references: LogProbSet, texts: Sequence[str]) -> float:
    """Return the word errors of all texts over the number of words that were said."""
    counts = [word_errors(said, read) for said, read in zip(references.texts, texts, strict=True)]
    return sum(each.errors for each in counts) / sum(each.reference_length for each in counts)
