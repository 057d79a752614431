"""Log-probabilities of a trained model for real recordings, with recorded noise mixed in on request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from log_prob_set import LogProbSet

from linnet.audio.read import read_audio
from linnet.core.arrays import Samples
from linnet.manifest.jsonl import read_manifest
from linnet.runtime.recognizer import Recognizer
from linnet.text.normalize import normalize


@dataclass(frozen=True, slots=True)
class Noises:
    """Recordings of noise and how loud they are.

    Attributes:
        folder: where the recordings lie; each utterance gets a stretch of one of them.
        snr_db: range of the level of the speech over that of the noise.
        copies: how often each utterance is read, with other noise each time.
    """

    folder: Path
    snr_db: tuple[float, float]
    copies: int

    def mixed(self, speech: Sequence[Samples], sample_rate_hz: int) -> Iterator[Samples]:
        """Return all utterances with noise, then all of them with other noise, and so on."""
        noises = [
            np.tile(read_audio(path, sample_rate_hz=sample_rate_hz), 10)
            for path in sorted(self.folder.iterdir())
        ]
        for number in range(self.copies * len(speech)):
            rng = np.random.default_rng([0, number])
            samples, noise = speech[number % len(speech)], noises[rng.integers(len(noises))]
            start = rng.integers(len(noise) - len(samples) + 1)
            stretch = noise[start : start + len(samples)]
            factor = _level(samples) / max(_level(stretch), 1e-6) * 10 ** (-rng.uniform(*self.snr_db) / 20)
            yield (samples + np.float32(factor) * stretch).astype(np.float32)


def record(manifest: Path, model: str, noises: Noises | None) -> LogProbSet:
    """Run a model over a manifest; utterances of more than one segment are left out."""
    recognizer = Recognizer.load(model)
    utterances = list(read_manifest(manifest))
    speech = [read_audio(each.audio, sample_rate_hz=recognizer.sample_rate_hz) for each in utterances]
    texts = [normalize(each.text or "", recognizer.normalizer) for each in utterances]
    heard: Iterable[Samples] = noises.mixed(speech, recognizer.sample_rate_hz) if noises else speech
    kept, log_probs = [], []
    for number, samples in enumerate(heard):
        segments = [each for _, each in recognizer.segment_log_probs([samples])]
        if len(segments) == 1:
            kept.append(texts[number % len(texts)])
            log_probs.append(segments[0])
    bundle = recognizer.bundle
    return LogProbSet(bundle.vocabulary.pieces, bundle.spec.frame_shift_s, tuple(kept), tuple(log_probs))


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean()))
