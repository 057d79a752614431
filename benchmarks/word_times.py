"""Errors of word times where the edges of words are known.

Either digit strings joined from recordings of single digits: a recording is cut to its speech
(`corpora.clip_shaping.trim_silence`), so that a word is heard from 20 ms after the start of its piece to
20 ms before its end. Pauses of 50 to 500 ms and a noise floor lie between. Or sentences, one a line of a
text file, that festival speaks: it tells when it says each word.

With --store the median errors of the alignment go into the bundle as shifts of its word edges, for models
that write a token in one frame somewhere inside its sound. Fit them on other recordings than the measured.

Run: python benchmarks/word_times.py fsdd/test.jsonl [--model digits] [--strings 200] [--store]
     python benchmarks/word_times.py sentences.txt --model english [--voice cmu_us_slt_arctic_hts]
"""

import argparse
import random
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from header import print_header

from linnet.audio.read import read_audio
from linnet.bundle.writer import update_bundle
from linnet.core.arrays import Samples
from linnet.core.results import Word
from linnet.corpora.clip_shaping import (
    MARGIN_SAMPLES,
    SAMPLE_RATE_HZ,
    trim_silence,
    with_noise_floor,
    with_silent_ends,
)
from linnet.manifest.jsonl import read_manifest
from linnet.runtime.aligner import Aligner
from linnet.runtime.recognizer import Recognizer
from linnet.text.normalize import normalize

MARGIN_S = MARGIN_SAMPLES / SAMPLE_RATE_HZ
# Festival's Scheme: a sound file, and a line for each word with its start and end in seconds.
SAY = """(voice_{voice})
(define (say text path)
  (let ((said (utt.synth (eval (list 'Utterance 'Text text))))
        (times (fopen (string-append path ".txt") "w")))
    (utt.save.wave said (string-append path ".wav") 'riff)
    (mapcar
      (lambda (word)
        (format times "%s %f %f\\n"
          (item.name word) (item.feat word "word_start") (item.feat word "word_end")))
      (utt.relation.items said 'Word))
    (fclose times)))"""


@dataclass(frozen=True, slots=True)
class Joined:
    """What was said and when each word of it is heard, in seconds."""

    samples: Samples
    words: tuple[str, ...]
    edges_s: tuple[tuple[float, float], ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="manifest of single digits, or text of sentences")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--strings", type=int, default=200)
    parser.add_argument("--voice", default="cmu_us_slt_arctic_hts", help="of festival, for sentences")
    parser.add_argument("--store", action="store_true", help="keep the medians in the bundle")
    options = parser.parse_args()
    if options.source.suffix == ".txt":
        lines = options.source.read_text(encoding="utf-8").splitlines()[: options.strings]
        strings = list(say_sentences(lines, options.voice))
    else:
        strings = list(join_digits(options.source, options.strings))
    recognizer = Recognizer.load(options.model)
    aligner = Aligner(recognizer)
    print_header(
        "numpy",
        "onnxruntime",
        settings=f"{recognizer.name} on {len(strings)} texts of {options.source.name}, "
        f"{sum(len(each.words) for each in strings)} words",
        measure="error of word edges in ms: median of it, median and 90th percentile of its size",
    )
    report("greedy", strings, lambda each: recognizer.transcribe_samples([each.samples])[0].words)
    start_ms, end_ms = report(
        "aligned", strings, lambda each: aligner.align(each.samples, [" ".join(each.words)]).words
    )
    if options.store:
        spec = recognizer.bundle.spec
        update_bundle(
            recognizer.bundle.path,
            word_start_shift_s=round(spec.word_start_shift_s - start_ms / 1000, 3),
            word_end_shift_s=round(spec.word_end_shift_s - end_ms / 1000, 3),
        )


def join_digits(manifest: Path, num_strings: int) -> Iterable[Joined]:
    """Join 2 to 12 digits of one speaker each, the same for the same manifest."""
    digits: dict[str, list[tuple[str, Samples]]] = {}
    for utterance in read_manifest(manifest):
        samples = trim_silence(read_audio(utterance.audio, sample_rate_hz=SAMPLE_RATE_HZ))
        digits.setdefault(utterance.speaker, []).append((utterance.text or "", samples))
    for index in range(num_strings):
        rng = random.Random(f"word-times:{index}")
        yield _join(rng.choices(digits[rng.choice(sorted(digits))], k=rng.randint(2, 12)), rng)


def _join(digits: list[tuple[str, Samples]], rng: random.Random) -> Joined:
    parts = [with_silent_ends(np.zeros(0, np.float32), rng)]
    edges_s = []
    for _, samples in digits:
        start_s = sum(map(len, parts)) / SAMPLE_RATE_HZ
        level = np.float32(0.08 / max(float(np.sqrt(np.square(samples, dtype=np.float64).mean())), 1e-4))
        edges_s.append((start_s + MARGIN_S, start_s + len(samples) / SAMPLE_RATE_HZ - MARGIN_S))
        pause = np.zeros(round(rng.uniform(0.05, 0.5) * SAMPLE_RATE_HZ), np.float32)
        parts += [samples * level, pause]
    return Joined(
        with_noise_floor(np.concatenate(parts), rng), tuple(word for word, _ in digits), tuple(edges_s)
    )


def say_sentences(sentences: list[str], voice: str) -> Iterable[Joined]:
    """Let festival say sentences, with the times it gives for words; those with other than words are left."""
    texts = [normalize(each, "basic") for each in sentences]
    with tempfile.TemporaryDirectory() as temporary:
        script = Path(temporary) / "say.scm"
        calls = [f'(say "{text}" "{temporary}/{index}")' for index, text in enumerate(texts) if text]
        script.write_text("\n".join([SAY.format(voice=voice), *calls]), encoding="utf-8")
        subprocess.run(["festival", "-b", script], check=True)
        for index, text in enumerate(texts):
            times = Path(temporary, f"{index}.txt")
            lines = [line.split() for line in times.read_text().splitlines()] if times.exists() else []
            if text and tuple(word for word, _, _ in lines) == tuple(text.split()):
                samples = read_audio(Path(temporary, f"{index}.wav"), sample_rate_hz=SAMPLE_RATE_HZ)
                edges_s = tuple((float(start), float(end)) for _, start, end in lines)
                noise = with_noise_floor(samples, random.Random(f"word-times:{index}"))
                yield Joined(noise, tuple(text.split()), edges_s)


def report(name: str, strings: Iterable[Joined], read: Callable[[Joined], Iterable[Word]]) -> list[float]:
    """Print the errors over the strings that were read right; return the medians of starts and ends in ms."""
    found = [(each, list(read(each))) for each in strings]
    right = [(each, words) for each, words in found if tuple(word.text for word in words) == each.words]
    errors_ms = np.array(
        [
            (1000 * (word.start_s - start_s), 1000 * (word.end_s - end_s))
            for each, words in right
            for word, (start_s, end_s) in zip(words, each.edges_s, strict=True)
        ]
    )
    print(f"{name}: {len(right)} of {len(found)} strings read right, {len(errors_ms)} words")
    for edge, errors in zip(("start", "end"), errors_ms.T, strict=True):
        size = np.abs(errors)
        print(
            f"  {edge:<6}{np.median(errors):+6.0f} ms  size {np.median(size):4.0f} ms, "
            f"90 % within {np.percentile(size, 90):4.0f} ms"
        )
    return [float(median) for median in np.median(errors_ms, axis=0)]


if __name__ == "__main__":
    main()
