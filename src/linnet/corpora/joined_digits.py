"""Digit strings joined from recordings of single digits, one speaker a string where one knows all digits.

The joins are hidden: silences are trimmed, levels varied, edges cross-faded, pauses shaped like those of a
telephone number that is read aloud, and noise lies under the whole, so that no pause is digitally silent.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnet.audio.read import read_audio
from linnet.audio.resample import resample
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.corpora.clip_shaping import SAMPLE_RATE_HZ, trim_silence, with_noise_floor, with_silent_ends
from linnet.corpora.clip_store import ClipStore
from linnet.corpora.number_text import DIGIT_WORDS, group_sizes
from linnet.manifest.jsonl import read_manifest

FADE_SAMPLES = SAMPLE_RATE_HZ // 100
MAX_PAUSE_S = 0.5
MIXED_SHARE = 0.4  # of the strings, when there are speakers of whom only some digits are recorded

SEVERAL = "several"

SpeakerDigits = dict[str, dict[str, list[Samples]]]  # speaker → word → trimmed recordings


@dataclass(frozen=True, slots=True)
class JoinedDigits:
    """What was made: manifest, duration, number of strings and speakers."""

    manifest: Path
    duration_s: float
    num_clips: int
    num_speakers: int


def prepare_joined_digits(
    manifests: Sequence[Path],
    output: Path,
    *,
    hours: float = 2.5,
    seed: int = 0,
    progress: Callable[[float], None] = lambda fraction: None,
) -> JoinedDigits:
    """Build strings of 2 to 14 digits out of single-digit recordings.

    Args:
        manifests: lists of single digits, training parts only; other texts are skipped. Speakers of whom
            some digit is missing share strings, each digit by another one of them (speaker "several").
        output: folder for `audio/` and `train.jsonl`.
        hours: duration to make.
        seed: same seed and manifests, same strings.
        progress: called with the fraction that is done.

    Raises:
        ManifestError: when no single digit is found, or the output has a manifest already.
    """
    store = ClipStore(output, "train")
    recorded = _load_digits(manifests)
    speakers, num_speakers = _pooled(recorded), len(recorded)
    index = 0
    while store.duration_s < hours * 3600:
        rng = random.Random(f"joined-digits:{seed}:{index}")
        speaker = _draw_speaker(sorted(speakers), rng)
        samples, text = _join(speakers[speaker], rng)
        store.add(samples, text, speaker)
        index += 1
        progress(min(1.0, store.duration_s / (hours * 3600)))
    return JoinedDigits(store.finish(), store.duration_s, index, num_speakers)


def _draw_speaker(speakers: Sequence[str], rng: random.Random) -> str:
    if SEVERAL not in speakers or len(speakers) == 1:
        return rng.choice(speakers)
    if rng.random() < MIXED_SHARE:
        return SEVERAL
    return rng.choice([speaker for speaker in speakers if speaker != SEVERAL])


def _pooled(speakers: SpeakerDigits) -> SpeakerDigits:
    """Let those of whom a digit is missing be one speaker."""
    known = {word for digits in speakers.values() for word in digits}
    pooled: SpeakerDigits = {}
    for speaker in sorted(speakers):
        complete = set(speakers[speaker]) == known
        digits = pooled.setdefault(speaker if complete else SEVERAL, defaultdict(list))
        for word, recordings in speakers[speaker].items():
            digits[word].extend(recordings)
    return pooled


def _load_digits(manifests: Sequence[Path]) -> SpeakerDigits:
    speakers: SpeakerDigits = defaultdict(lambda: defaultdict(list))
    for manifest in manifests:
        for utterance in read_manifest(manifest):
            if utterance.text in DIGIT_WORDS:
                samples = read_audio(
                    utterance.audio, offset_s=utterance.offset_s, duration_s=utterance.duration_s
                )
                speakers[utterance.speaker][utterance.text].append(trim_silence(samples))
    if not speakers:
        raise ManifestError(
            "no recording of a single digit",
            where=", ".join(map(str, manifests)),
            remedy=f"Give manifests whose texts are one of: {', '.join(DIGIT_WORDS)}",
        )
    return speakers


def _join(digits: dict[str, list[Samples]], rng: random.Random) -> tuple[Samples, str]:
    num_digits = 10 if rng.random() < 0.35 else rng.randint(2, 14)
    words = _draw_words(num_digits, sorted(digits), rng)
    pauses_s = _draw_pauses(group_sizes(num_digits, rng), rng)
    joined = np.zeros(0, dtype=np.float32)
    for word, pause_s in zip(words, [0.0, *pauses_s], strict=True):
        level = 10 ** (rng.uniform(-3, 3) / 20)
        joined = _append(joined, pause_s, _faded(_leveled(rng.choice(digits[word]), level)))
    joined = with_silent_ends(joined, rng)
    speed = rng.uniform(0.85, 1.2)
    varied = resample(joined, round(SAMPLE_RATE_HZ * speed), SAMPLE_RATE_HZ)
    return with_noise_floor(varied, rng), " ".join(words)


def _draw_words(num_digits: int, known: Sequence[str], rng: random.Random) -> list[str]:
    repeat = rng.choice((0.0, 0.2))  # runs of one digit are what CTC finds hardest
    words = [rng.choice(known)]
    while len(words) < num_digits:
        words.append(words[-1] if rng.random() < repeat else rng.choice(known))
    return words


def _draw_pauses(sizes: Sequence[int], rng: random.Random) -> list[float]:
    """Pauses between digits: mostly short, longer between groups; negative is an overlap."""
    mean_s = rng.choice((0.01, 0.04, 0.1, 0.2))
    longest_in_group = min(MAX_PAUSE_S, 3 * mean_s + 0.02)
    pauses: list[float] = []
    for size in sizes:
        pauses += [min(longest_in_group, rng.expovariate(1 / mean_s)) - 0.02 for _ in range(size - 1)]
        pauses.append(rng.uniform(0.05, MAX_PAUSE_S))
    return pauses[:-1]


def _leveled(samples: Samples, level: float) -> Samples:
    # Recordings of one speaker differ in loudness by session; strings do not.
    rms = float(np.sqrt(np.square(samples, dtype=np.float64).mean()))
    return (samples * np.float32(0.08 * level / max(rms, 1e-4))).astype(np.float32)


def _faded(samples: Samples) -> Samples:
    num = min(FADE_SAMPLES, len(samples) // 2)
    ramp = np.linspace(0, 1, num, dtype=np.float32)
    faded = samples.copy()
    faded[:num] *= ramp
    faded[len(faded) - num :] *= ramp[::-1]
    return faded


def _append(joined: Samples, pause_s: float, digit: Samples) -> Samples:
    """Add a pause and a digit; a negative pause lets the digit overlap what is there."""
    start = max(0, len(joined) + round(pause_s * SAMPLE_RATE_HZ))
    extended = np.zeros(max(len(joined), start + len(digit)), dtype=np.float32)
    extended[: len(joined)] = joined
    extended[start : start + len(digit)] += digit
    return extended
