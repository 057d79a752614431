"""CPU time of each transform, and of the default recipe's list of them, per hour of audio.

Run: python benchmarks/augmentation.py [--seconds 3] [--hours 0.1]
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from header import print_header

from linnet.audio.write import write_audio
from linnet.core.config import load_config
from linnet.core.errors import MissingDependencyError
from linnet.data.augment.showcase import ShowcaseConfig, every_transform
from linnet.data.augment.transcode import CODECS
from linnet.data.augment.waveform import WaveformAugment, WaveformAugmentConfig

RECIPE = Path(__file__).parents[1] / "recipes/digits/quartznet_5x1/config.yaml"
RATE_HZ = 16_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of an utterance")
    parser.add_argument("--hours", type=float, default=0.1, help="audio that each transform is measured on")
    options = parser.parse_args()
    print_header(
        "numpy",
        "soxr",
        "soundfile",
        settings=f"utterances of {options.seconds:g} s, {options.hours:g} hours; recipe {RECIPE.parent.name}",
        measure="CPU-seconds of all threads per hour of audio, each transform applied to every utterance",
    )
    with TemporaryDirectory() as folder:
        write_sounds(Path(folder))
        for label, config in lists(Path(folder)):
            try:
                augment = WaveformAugment(config)
            except MissingDependencyError as error:
                print(f"{label:34s} not measured: {error}")
                continue
            print(f"{label:34s} {cpu_seconds_per_hour(augment, options.seconds, options.hours):8.2f}")


def write_sounds(folder: Path) -> None:
    """Write ten noises of 30 s and ten impulse responses of half a second."""
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(RATE_HZ // 2) / (0.05 * RATE_HZ)).astype(np.float32)
    for number in range(10):
        noise = 0.1 * rng.standard_normal(30 * RATE_HZ, dtype=np.float32)
        write_audio(folder / f"noise/{number}.flac", noise)
        write_audio(folder / f"rir/{number}.flac", 0.3 * decay * rng.standard_normal(decay.size, np.float32))


def lists(folder: Path) -> Iterator[tuple[str, WaveformAugmentConfig]]:
    """Yield what is measured: each transform alone, variants of the dear ones, and the recipe's list."""
    for transform in every_transform(folder / "noise").data.augment.transforms:
        yield transform.name, WaveformAugmentConfig(transforms=(transform,))
    variants: list[dict[str, object]] = [
        {"name": "noise", "path": str(folder / "noise"), "num_sounds": [3, 3]},
        {"name": "room", "path": str(folder / "rir"), "simulated_share": 0.0},
        {"name": "room", "simulator": "pyroomacoustics", "rt60_s": [0.3, 0.3]},
        *({"name": "transcode", "codecs": [codec]} for codec in CODECS),
    ]
    for variant in variants:
        told = [f"{value}".replace(str(folder), "") for key, value in variant.items() if key != "path"]
        yield " ".join(told), WaveformAugmentConfig.model_validate({"transforms": [variant]})
    recipe = load_config(ShowcaseConfig, RECIPE).data.augment
    yield "the recipe's list", with_own_sounds(recipe, folder)


def with_own_sounds(config: WaveformAugmentConfig, folder: Path) -> WaveformAugmentConfig:
    """Replace the recordings of a configuration by those of the benchmark."""
    own = {"noise": folder / "noise", "room": folder / "rir"}
    return WaveformAugmentConfig(
        transforms=tuple(
            transform.model_copy(update={"path": own[transform.name]})
            if getattr(transform, "path", None) is not None
            else transform
            for transform in config.transforms
        )
    )


def cpu_seconds_per_hour(augment: WaveformAugment, utterance_s: float, hours: float) -> float:
    """Augment utterances until they make up `hours`, after a few that load libraries and sounds."""
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal(round(utterance_s * RATE_HZ), dtype=np.float32)
    for seed in range(80):
        augment(samples, np.random.default_rng(seed))
    count = max(round(hours * 3600 / utterance_s), 1)
    start_s = time.process_time()
    for seed in range(count):
        augment(samples, np.random.default_rng((1, seed)))
    return (time.process_time() - start_s) / (count * utterance_s / 3600)


if __name__ == "__main__":
    main()
