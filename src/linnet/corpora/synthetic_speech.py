"""Texts read by the synthesizers installed on the machine, as a training corpus."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from linnet.core.arrays import Samples
from linnet.core.errors import LinnetError, MissingDependencyError
from linnet.corpora.clip_shaping import (
    SAMPLE_RATE_HZ,
    find_fault,
    trim_silence,
    with_noise_floor,
    with_silent_ends,
)
from linnet.corpora.clip_store import ClipStore
from linnet.corpora.voices import Engine, Line, Voice, installed_engines

DEV_ENGINE = "espeak-ng"  # the only one with voices to spare
BATCH_LINES = 32


class Script(Protocol):
    """What is to be read."""

    def draw(self, engine: Engine, rng: random.Random, *, dev: bool) -> tuple[Line, str]:
        """Draw a voice and a text that it can say; return what to speak and its plain words."""


@dataclass
class SyntheticSpeech:
    """What was made.

    Attributes:
        hours: duration by engine.
        speakers: the voices heard.
        dropped: number of clips left out, by reason.
        missing_engines: synthesizers that are not installed.
        manifests: the files written.
    """

    hours: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    speakers: set[str] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    missing_engines: list[str] = field(default_factory=list)
    manifests: list[Path] = field(default_factory=list)


def prepare_synthetic_speech(
    output: Path,
    script: Script,
    shares: Mapping[str, float],
    *,
    hours: float,
    dev_hours: float,
    seed: int = 0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> SyntheticSpeech:
    """Make `train.jsonl` and `dev.jsonl` of a script; the dev voices do not occur in train.

    Args:
        output: folder for `audio/` and the manifests.
        script: what is read.
        shares: of the duration, by the name of the engine.
        hours: duration of the training part.
        dev_hours: duration of the dev part; needs espeak-ng, else it is left out.
        seed: same seed and same synthesizers, same corpus.
        progress: called with the fraction that is done.

    Raises:
        MissingDependencyError: when no synthesizer is installed.
        ManifestError: when the output has a manifest already.
    """
    engines, missing = installed_engines()
    if not engines:
        raise MissingDependencyError(
            f"none of the speech synthesizers {', '.join(missing)} is installed",
            remedy="On Debian: apt install espeak-ng flite festival festvox-kallpc16k festvox-us-slt-hts",
        )
    report = SyntheticSpeech(missing_engines=missing)
    total_s = (hours + dev_hours) * 3600
    train = _Part(ClipStore(output, "train"), engines, script, shares, seed, report)
    dev_engines = [engine for engine in engines if engine.name == DEV_ENGINE]
    if dev_engines and dev_hours > 0:
        dev = _Part(ClipStore(output, "dev"), dev_engines, script, shares, seed, report)
        dev.fill(dev_hours * 3600, lambda done_s: progress(done_s / total_s))
    train.fill(hours * 3600, lambda done_s: progress(min(1.0, (dev_hours * 3600 + done_s) / total_s)))
    return report


@dataclass
class _Part:
    """One manifest in the making."""

    store: ClipStore
    engines: Sequence[Engine]
    script: Script
    shares: Mapping[str, float]
    seed: int
    report: SyntheticSpeech
    made_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def fill(self, duration_s: float, progress: Callable[[float], None]) -> None:
        """Add batches, each from the engine that is furthest behind its share.

        Raises:
            LinnetError: when an engine gives no usable clip in a whole batch.
        """
        batch = 0
        while self.store.duration_s < duration_s:
            engine = min(self.engines, key=lambda each: self.made_s[each.name] / self.shares[each.name])
            self._add_batch(engine, random.Random(f"{self.store.part}:{self.seed}:{batch}"))
            progress(self.store.duration_s)
            batch += 1
        self.report.manifests.append(self.store.finish())
        for name, made_s in self.made_s.items():
            self.report.hours[name] += made_s / 3600

    def _add_batch(self, engine: Engine, rng: random.Random) -> None:
        dev = self.store.part == "dev"
        drawn = [self.script.draw(engine, rng, dev=dev) for _ in range(BATCH_LINES)]
        clips = engine.speak([line for line, _ in drawn])
        made_before_s = self.made_s[engine.name]
        for (line, text), clip in zip(drawn, clips, strict=True):
            speech = None if clip is None else trim_silence(clip)
            fault = "no sound" if speech is None else find_fault(speech, len(text.split()))
            if speech is None or fault:
                self.report.dropped[f"{engine.name}: {fault}"] += 1
                continue
            self._add(with_noise_floor(with_silent_ends(speech, rng), rng), text, line.voice)
        if self.made_s[engine.name] == made_before_s:
            raise LinnetError(
                f"{engine.name} gave no usable clip in {BATCH_LINES} lines",
                remedy="Mend or remove the program; the corpus is made with those that are left",
            )

    def _add(self, samples: Samples, text: str, voice: Voice) -> None:
        self.store.add(samples, text, voice.speaker)
        self.report.speakers.add(voice.speaker)
        self.made_s[voice.engine] += len(samples) / SAMPLE_RATE_HZ
