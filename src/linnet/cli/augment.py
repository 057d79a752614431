"""`linnet augment`: what training does to a recording, as files to listen to and a picture."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import print_result, print_warning, printable, progress_bar

if TYPE_CHECKING:
    from linnet.core.arrays import Samples
    from linnet.data.augment.showcase import Example, ShowcaseConfig

MAX_DURATION_S = 60.0  # of the recording; what follows is left out
PICTURE = "spectrograms.png"
BEFORE = "before"


def augment(
    file: Annotated[Path, typer.Argument(help="A recording; its first minute is used.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for the examples.")],
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Training configuration, or its augmentation alone.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=99, help="Examples to make.")] = 5,
    each: Annotated[
        bool, typer.Option("--each", help="One example of each transform alone; default settings without -c.")
    ] = False,
    noise: Annotated[
        Path | None, typer.Option(help="Folder or manifest of noise for --each without -c.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same examples.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write examples of the changes that training makes to a recording.

    WAV files to listen to, the unchanged recording among them, and one picture of
    the spectrograms of all.
    """
    from linnet.core.optional import require

    require("torch", extra="train", purpose="linnet augment")
    require("PIL", extra="train", purpose="linnet augment")
    from linnet.audio.read import read_audio
    from linnet.data.augment.showcase import FRONTEND, examples_of_each, random_examples

    settings = _settings(config, each=each, noise=noise)
    samples = read_audio(file, sample_rate_hz=FRONTEND.sample_rate_hz, duration_s=MAX_DURATION_S)
    if each:
        examples = examples_of_each(samples, settings, seed=seed)
    else:
        examples = random_examples(samples, settings, count=count, seed=seed)
    _check_free([output / PICTURE, *(output / f"{name}.wav" for name in (BEFORE, *examples))], force=force)
    with progress_bar("examples") as bar:
        made = (make() for make in examples.values())
        _write(output, samples, bar.track(made, total=len(examples), description="augment"))


def _settings(config: Path | None, *, each: bool, noise: Path | None) -> "ShowcaseConfig":
    from linnet.core.config import load_config
    from linnet.core.errors import ConfigError
    from linnet.data.augment.showcase import ShowcaseConfig, every_transform

    if config is None and each:
        if noise is None:
            print_warning("no recorded noise is mixed in: name a folder of it with --noise")
        return every_transform(noise)
    if config is None or noise is not None:
        raise ConfigError(
            "nothing says what to do to the recording" if config is None else "--noise is for --each alone",
            remedy="Give a --config, or --each for every transform at its default settings",
        )
    settings = load_config(ShowcaseConfig, config)
    if settings.is_empty:
        raise ConfigError(
            "the configuration changes nothing",
            where=str(config),
            remedy="List transforms under data.augment.transforms, or set feature_augment",
        )
    return settings


def _check_free(paths: Sequence[Path], *, force: bool) -> None:
    from linnet.core.errors import ConfigError

    existing = next((path for path in paths if path.exists()), None)
    if existing is not None and not force:
        raise ConfigError(
            "the file exists already",
            where=str(existing),
            remedy="Choose another output directory, or replace it with --force",
        )


def _write(output: Path, samples: "Samples", examples: Iterable["Example"]) -> None:
    """Write the recording as it was, the changed ones whose sound differs, and the picture of all."""
    from linnet.data.augment.picture import Panel, write_picture
    from linnet.data.augment.showcase import FRONTEND
    from linnet.data.augment.spectrogram import filter_centers_hz
    from linnet.features.frontend import compute_features

    _write_sound(output / f"{BEFORE}.wav", samples, BEFORE)
    panels = [Panel(BEFORE, compute_features(samples, FRONTEND)[0])]
    for example in examples:
        if example.samples is not None:
            _write_sound(output / f"{example.name}.wav", example.samples, example.title)
        panels.append(Panel(example.title, example.features))
    centers_hz = filter_centers_hz(FRONTEND.num_mels, FRONTEND.highest_hz)
    write_picture(output / PICTURE, panels, centers_hz, 1000.0 / FRONTEND.hop_ms)
    print_result(printable(str(output / PICTURE)))


def _write_sound(path: Path, samples: "Samples", title: str) -> None:
    import numpy as np

    from linnet.audio.write import write_audio

    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 1.0:
        above_db = 20.0 * np.log10(peak)
        print_warning(f"{title} is {above_db:.1f} dB above full scale: clipped here, not in training")
    write_audio(path, samples)
    print_result(printable(str(path)))
