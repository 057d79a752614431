"""Long recordings: memory, lost words, errors of word times over hours, and the text against one window.

Digits are joined to strings with pauses of 50 to 500 ms and 0.5 to 3 s between strings, so that the edges of
every word are known (`word_times.py`); a noise floor lies under all, and every 10 minutes nobody speaks for
30 s. The recording is a WAV file, which another process reads, so that its memory can be told.

Run: python benchmarks/longform.py fsdd/test.jsonl [--hours 3] [--whole-minutes 20] [--plot errors.png]
With a search, in windows against one window: --hours 0 --beam 32 --lm FILE
"""

import argparse
import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from header import print_header
from word_times import MARGIN_S

from linnet.audio.read import read_audio
from linnet.core.optional import require
from linnet.corpora.clip_shaping import SAMPLE_RATE_HZ, trim_silence
from linnet.manifest.jsonl import read_manifest
from linnet.metrics.alignment import align, count_edits
from linnet.runtime.longform_config import LongFormConfig
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig

NOISE = 0.001
SILENCE_EVERY_S, SILENCE_S = 600.0, 30.0


@dataclass
class Truth:
    """What a recording says and when, in seconds."""

    words: list[str] = field(default_factory=list)
    edges_s: list[tuple[float, float]] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("manifest", type=Path, help="recordings of single digits")
    parser.add_argument("--model", default="digits")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--whole-minutes", type=float, default=20.0)
    parser.add_argument("--beam", type=int, help="for the comparison with one window")
    parser.add_argument("--lm", type=Path, help="likewise")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        read_for_parent(options.read, options.model)
        return
    print_header(
        "numpy",
        "onnxruntime",
        settings=f"{options.model}, {options.hours:g} hours of digits from {options.manifest.name}",
        measure="peak memory of the process, edits, error of word edges",
    )
    with tempfile.TemporaryDirectory() as folder:
        if options.whole_minutes:
            compare_with_whole(Path(folder), options)
        if not options.hours:
            return
        path = Path(folder) / "long.wav"
        truth = join(options.manifest, path, options.hours * 3600)
        size_mb = path.stat().st_size / 2**20
        command = [sys.executable, __file__, str(options.manifest), "--model", options.model, "--read", path]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(
        f"{options.hours:g} h, {size_mb:.0f} MB of WAV: {found['cpu_s']:.0f} CPU-s, "
        f"{found['peak_mb']:.0f} MB resident at most"
    )
    report_times(truth, found, options)


def read_for_parent(path: Path, model: str) -> None:
    """Transcribe a recording and print what came of it as JSON."""
    begun_s = time.process_time()
    transcript = Recognizer.load(model).transcribe(path)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    words = [(word.text, word.start_s, word.end_s) for word in transcript.words]
    print(
        json.dumps(
            {
                "words": words,
                "duration_s": transcript.duration_s,
                "peak_mb": usage.ru_maxrss / 1024,
                "cpu_s": time.process_time() - begun_s,
            }
        )
    )


def join(manifest: Path, path: Path, duration_s: float) -> Truth:
    """Write a recording of digits, the same for the same manifest and duration."""
    rng, generator = random.Random("longform"), np.random.default_rng(0)
    digits: dict[str, list[tuple[str, np.ndarray]]] = {}
    for utterance in read_manifest(manifest):
        samples = trim_silence(read_audio(utterance.audio, sample_rate_hz=SAMPLE_RATE_HZ))
        level = np.float32(0.08 / max(float(np.sqrt(np.square(samples).mean())), 1e-4))
        digits.setdefault(utterance.speaker, []).append((utterance.text or "", samples * level))
    truth, position, silences = Truth(), 0, 1
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, "PCM_16") as file:

        def write(samples: np.ndarray) -> None:
            nonlocal position
            noise = generator.standard_normal(len(samples), dtype=np.float32) * np.float32(NOISE)
            file.write(samples + noise)
            position += len(samples)

        while position < duration_s * SAMPLE_RATE_HZ:
            speaker = rng.choice(sorted(digits))
            for word, samples in rng.choices(digits[speaker], k=rng.randint(2, 12)):
                start_s = position / SAMPLE_RATE_HZ
                end_s = start_s + len(samples) / SAMPLE_RATE_HZ
                truth.words.append(word)
                truth.edges_s.append((start_s + MARGIN_S, end_s - MARGIN_S))
                write(samples)
                write(np.zeros(round(rng.uniform(0.05, 0.5) * SAMPLE_RATE_HZ), np.float32))
            pause_s = rng.uniform(0.5, 3.0)
            if position > silences * SILENCE_EVERY_S * SAMPLE_RATE_HZ:
                pause_s, silences = SILENCE_S, silences + 1
            write(np.zeros(round(pause_s * SAMPLE_RATE_HZ), np.float32))
    return truth


def compare_with_whole(folder: Path, options: argparse.Namespace) -> None:
    """Print how many words differ from those of one window over the whole recording."""
    path = folder / "whole.wav"
    truth = join(options.manifest, path, options.whole_minutes * 60)
    chosen = SearchConfig(beam=options.beam, lm=options.lm)
    search = chosen if chosen.is_wanted else None
    whole = LongFormConfig(chunk_s=3600, statistics_s=0)
    expected = words_of(Recognizer.load(options.model, long_form=whole, search=search), path)
    print(f"{options.whole_minutes:g} min in one window: {edits(truth.words, expected)}")
    report_pauses(truth, Recognizer.load(options.model), path)
    for chunk_s, overlap_s in ((60.0, 8.0), (30.0, 8.0), (30.0, 4.0), (15.0, 2.0)):
        config = LongFormConfig(chunk_s=chunk_s, overlap_s=overlap_s)
        found = words_of(Recognizer.load(options.model, long_form=config, search=search), path)
        print(
            f"  windows of {chunk_s:g} s that share {overlap_s:g} s: {edits(truth.words, found)}; "
            f"against the one window {edits(expected, found)}"
        )


def report_pauses(truth: Truth, recognizer: Recognizer, path: Path) -> None:
    """Print what of the pauses the model's blank finds, and whether it takes a word for one."""
    segments = list(recognizer.stream(path))
    cuts_s = np.array([(a.end_s + b.start_s) / 2 for a, b in itertools.pairwise(segments)])
    ends_s, starts_s = np.array(truth.edges_s)[:-1, 1], np.array(truth.edges_s)[1:, 0]
    for least_s in (1.0, 1.2, 1.5):
        pauses = np.flatnonzero(starts_s - ends_s >= least_s)
        found = sum(bool(((cuts_s > ends_s[i]) & (cuts_s < starts_s[i])).any()) for i in pauses)
        print(f"  pauses of {least_s:g} s and more that end a segment: {found} of {len(pauses)}")
    inside = sum(bool(((cuts_s > start_s) & (cuts_s < end_s)).any()) for start_s, end_s in truth.edges_s)
    print(f"  words that were cut: {inside} of {len(truth.words)}, by {len(cuts_s)} ends of segments")


def words_of(recognizer: Recognizer, path: Path) -> list[str]:
    return [word.text for word in recognizer.transcribe(path).words]


def edits(reference: list[str], found: list[str]) -> str:
    changed = sum(count_edits(reference, found))
    return f"{changed} of {len(reference)} words differ ({changed / len(reference):.2%})"


def report_times(truth: Truth, found: dict, options: argparse.Namespace) -> None:
    """Print edits, and the errors of word edges hour by hour; plot them."""
    words = [text for text, _, _ in found["words"]]
    print(f"  {edits(truth.words, words)}; {count_edits(truth.words, words)}")
    times = [time_s for _, start_s, end_s in found["words"] for time_s in (start_s, end_s)]
    in_order = bool((np.diff(times) >= 0).all())
    left_s = found["duration_s"] - times[-1]
    print(f"  times in order: {in_order}; the last word ends {left_s:.2f} s before the end")
    pairs = matches(truth.words, words)
    starts_s = np.array([truth.edges_s[i][0] for i, _ in pairs])
    errors_ms = 1000 * np.array(
        [
            (found["words"][j][1] - truth.edges_s[i][0], found["words"][j][2] - truth.edges_s[i][1])
            for i, j in pairs
        ]
    )
    for edge, errors in zip(("start", "end"), errors_ms.T, strict=True):
        slope = np.polyfit(starts_s / 3600, errors, 1)[0]
        thirds = " ".join(f"{np.median(part):+.0f}" for part in np.array_split(errors, 3))
        median, largest = np.percentile(np.abs(errors), [50, 99])
        print(
            f"  {edge}: median {np.median(errors):+.0f} ms (by thirds of the time {thirds}), "
            f"size {median:.0f} ms, 99 % within {largest:.0f} ms, drift {slope:+.2f} ms an hour"
        )
    if options.plot:
        plot(starts_s, errors_ms, options.plot)


def matches(reference: list[str], found: list[str]) -> list[tuple[int, int]]:
    """Give the places of the words that both have."""
    i, j, pairs = 0, 0, []
    for pair in align(reference, found).ops:
        pairs += [(i, j)] if pair.op == "match" else []
        i, j = i + (pair.reference is not None), j + (pair.hypothesis is not None)
    return pairs


def plot(starts_s: np.ndarray, errors_ms: np.ndarray, path: Path) -> None:
    require("matplotlib", extra="plot", purpose="--plot")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 1, sharex=True, figsize=(10, 6), layout="constrained")
    for axis, name, errors in zip(axes, ("start", "end"), errors_ms.T, strict=True):
        axis.plot(starts_s / 60, errors, ".", markersize=1.5, alpha=0.4, label="a word")
        bins = np.array_split(np.arange(len(errors)), max(1, len(errors) // 300))
        medians = [(starts_s[part].mean() / 60, np.median(errors[part])) for part in bins]
        axis.plot(*zip(*medians, strict=True), linewidth=2, label="median of 300 words")
        axis.axhline(0, color="gray", linewidth=0.5)
        axis.set_ylabel(f"error of the {name} in ms")
        axis.set_ylim(np.percentile(errors, 0.5) - 50, np.percentile(errors, 99.5) + 50)
    axes[0].legend(loc="upper right")
    axes[1].set_xlabel("minutes into the recording")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
