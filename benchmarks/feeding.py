"""Seconds of audio fed to a training step per second: from files, from the cache, and per augmentation.

No model runs. Recordings are synthesized and written as Opus where none are given; the noises and rooms that
transforms need always are.

Run: python benchmarks/feeding.py [--manifest train.jsonl] [--seconds 5] [--workers 0]
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, get_args

import numpy as np
from header import print_header
from torch.utils.data import DataLoader

from linnet.audio.write import write_audio
from linnet.core.errors import MissingDependencyError
from linnet.data.augment.waveform import AnyTransformConfig, WaveformAugment, WaveformAugmentConfig
from linnet.data.cache import AudioCache, open_cache
from linnet.data.config import DataConfig, SourceConfig
from linnet.data.dataset import SpeechDataset
from linnet.data.examples import Example
from linnet.data.stream import BatchStream, StreamPlace
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance

RATE_HZ = 16_000


class Feed:
    """Batches of a set of examples, as a training run would read them."""

    def __init__(self, examples: list[Example], data: DataConfig) -> None:
        self.examples, self.data = examples, data

    def measure(
        self, seconds: float, cache: AudioCache | None, transforms: list[dict[str, Any]]
    ) -> tuple[float, float]:
        """Return seconds of audio per second, and CPU-seconds of this process per hour of audio."""
        augment = WaveformAugment(WaveformAugmentConfig.model_validate({"transforms": transforms}))
        dataset = SpeechDataset(self.examples, RATE_HZ, augment=augment, cache=cache)
        place = StreamPlace()
        stream = BatchStream(self.examples, self.data, seed=0, run_batches=1 << 30, place=place)
        batches = iter(
            DataLoader(dataset, sampler=stream, batch_size=None, num_workers=self.data.num_workers)
        )
        next(batches)
        start_s, start_cpu_s, audio_s = time.perf_counter(), time.process_time(), 0.0
        while (wall_s := time.perf_counter() - start_s) < seconds:
            audio_s += next(batches).audio_samples / RATE_HZ
        return audio_s / wall_s, (time.process_time() - start_cpu_s) * 3600 / audio_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, help="recordings to read instead of synthesized ones")
    parser.add_argument("--seconds", type=float, default=5.0, help="time spent on each measurement")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--batch-s", type=float, default=240.0)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", module=r"lhotse\.")  # its sampler would rather read lazily
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = options.manifest or folder / "synthesized.jsonl"
        utterances = read_manifest(manifest) if options.manifest else synthesize(folder / "speech", 120, 5.0)
        examples = [
            Example(utterance=each, text="", tokens=(0,), auxiliary_tokens=None, source=0)
            for each in utterances
        ]
        audio_s = sum(each.duration_s for each in utterances)
        print_header(
            *("torch", "lhotse", "soundfile", "soxr"),
            settings=f"{len(examples)} recordings of {audio_s / 60:.1f} min in batches of "
            f"{options.batch_s:g} s, {options.workers} workers",
            measure="seconds of audio per second; CPU-seconds of the main process per hour of audio",
        )
        source = SourceConfig(manifest=manifest)
        data = DataConfig(
            train=(source,), dev=(source,), batch_s=options.batch_s, num_workers=options.workers
        )
        compare(Feed(examples, data), folder, options.seconds)


def compare(feed: Feed, folder: Path, seconds: float) -> None:
    """Print a line for each way to feed."""
    start_s = time.perf_counter()
    cache = open_cache(
        feed.examples, feed.data.train, folder / "cache", RATE_HZ, num_workers=feed.data.num_workers
    )
    print(f"filling the cache took {time.perf_counter() - start_s:.1f} s")
    start_s = time.perf_counter()
    open_cache(feed.examples, feed.data.train, folder / "cache", RATE_HZ, num_workers=0)
    print(f"opening it again took {time.perf_counter() - start_s:.2f} s\n")
    synthesize(folder / "noise", 4, 60.0)
    synthesize(folder / "room", 20, 0.5)
    print_line("files", feed.measure(seconds, None, []))
    print_line("cache", feed.measure(seconds, cache, []))
    for kind in get_args(get_args(AnyTransformConfig)[0]):
        name = kind.model_fields["name"].default
        values = {"path": str(folder / name)} if "path" in kind.model_fields else {}
        try:
            measured = feed.measure(seconds, cache, [{"name": name, "probability": 1.0, **values}])
        except MissingDependencyError as error:
            print(f"cache, {name}: {error}")
        else:
            print_line(f"cache, {name}", measured)


def print_line(name: str, measured: tuple[float, float]) -> None:
    fed, cpu_s = measured
    print(f"{name:24s} {fed:9.0f} {cpu_s:9.2f}")


def synthesize(folder: Path, count: int, duration_s: float) -> list[Utterance]:
    """Write bursts of noise as Opus."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    utterances = []
    for number in range(count):
        length_s = duration_s * generator.uniform(0.5, 1.5)
        times_s = np.arange(round(length_s * RATE_HZ)) / RATE_HZ
        loudness = 0.1 * np.clip(np.sin(12 * times_s), 0.02, None)
        samples = (loudness * generator.standard_normal(times_s.size)).astype(np.float32)
        path = folder / f"{number}.opus"
        write_audio(path, samples, RATE_HZ)
        utterances.append(Utterance(audio=str(path), duration_s=length_s, text=""))
    return utterances


if __name__ == "__main__":
    main()
