"""Corpora whose layout a recipe of lhotse reads: one adapter, and a table of the recipes with their quirks.

lhotse (https://github.com/lhotse-speech/lhotse) imports torch; it is imported when a recipe runs, not before.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from linnet.audio.decoder import MAX_DURATION_S
from linnet.audio.read import audio_info
from linnet.core.errors import LinnetError, ManifestError
from linnet.core.optional import require
from linnet.corpora.catalog import CORPORA
from linnet.corpora.entry import Entry, Reader, Skipped

_UNREADABLE_RATE_HZ = 16_000


def _text(segment: Any) -> str:
    return str(segment.text or "")


def _normalized_text(segment: Any) -> str:
    return str(segment.custom["normalized_text"])


def _no_speaker(segment: Any) -> str:
    return ""


def _speaker(segment: Any) -> str:
    return str(segment.speaker or "")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe of lhotse.

    Attributes:
        module: its module in `lhotse.recipes`; functions are called prepare_<module> and download_<module>.
        root: the directory that the download makes below its target; found there too when reading.
        options: what `prepare` is called with besides the directory.
        download_options: what `download` is called with besides the target.
        text: where a supervision has its text.
        speaker: where it has its speaker.
    """

    module: str
    root: str
    options: Mapping[str, Any] = field(default_factory=dict)
    download_options: Mapping[str, Any] = field(default_factory=dict)
    text: Callable[[Any], str] = _text
    speaker: Callable[[Any], str] = _speaker


RECIPES = {
    "audiomnist": Recipe("audio_mnist", "AudioMNIST", options={"output_dir": None}),
    "librispeech": Recipe("librispeech", "LibriSpeech", download_options={"dataset_parts": "librispeech"}),
    "ljspeech": Recipe("ljspeech", "LJSpeech-1.1", text=_normalized_text, speaker=_no_speaker),
    "mini-librispeech": Recipe(
        "librispeech",
        "LibriSpeech",
        options={"dataset_parts": "mini_librispeech"},
        download_options={"dataset_parts": "mini_librispeech"},
    ),
    # "kaldi" drops [NOISE] and <unk>, and joins "they 're".
    "tedlium": Recipe("tedlium", "TEDLIUM_release-3", options={"normalize_text": "kaldi"}),
}


def recipe_reader(name: str) -> Reader:
    """Give the reader of a corpus of the table."""
    return partial(_read, RECIPES[name], CORPORA[name].layout)


def download_corpus(name: str, target: Path) -> Path:
    """Let lhotse fetch a corpus of the table into `target`, and give its directory.

    Raises:
        ManifestError: when the download fails.
        MissingDependencyError: when lhotse is not installed.
    """
    recipe = RECIPES[name]
    try:
        fetch = getattr(_module(recipe), f"download_{recipe.module}")
        return Path(fetch(target, **recipe.download_options))
    except LinnetError:
        raise
    except Exception as error:  # whatever the network and the archive make lhotse raise
        raise ManifestError(
            f"the download failed ({type(error).__name__}: {error})",
            where=str(target),
            remedy="Try again: what was fetched is kept and completed; or fetch it by hand",
        ) from error


def _read(recipe: Recipe, layout: str, source: Path) -> Iterator[Entry | Skipped]:
    below = source / recipe.root
    directory = below if below.is_dir() else source
    unreadable: dict[str, str] = {}
    with _messages() as messages, _reading_headers(unreadable):
        try:
            prepare = getattr(_module(recipe), f"prepare_{recipe.module}")
            prepared = prepare(directory, **recipe.options)
        except LinnetError:
            raise
        except Exception as error:  # recipes assert, index and open as if the corpus were whole
            first = f"; before that: {messages[0]}" if messages else ""
            raise ManifestError(
                f"lhotse's recipe stopped ({type(error).__name__}: {error}{first})",
                where=str(directory),
                remedy=layout,
            ) from error
    yield from (Skipped(f"lhotse's recipe {recipe.module}", message) for message in messages)
    yield from (Skipped(path, reason) for path, reason in unreadable.items())
    parts = {"": prepared} if "recordings" in prepared else prepared
    for part, manifests in sorted(parts.items()):
        for entry in _entries(manifests, recipe, part):
            if str(entry.audio) not in unreadable:
                yield entry


def _entries(manifests: Mapping[str, Any], recipe: Recipe, part: str) -> Iterator[Entry]:
    recordings = {recording.id: recording for recording in manifests["recordings"]}
    for segment in sorted(manifests["supervisions"], key=lambda segment: str(segment.id)):
        recording = recordings[segment.recording_id]
        yield Entry(
            where=str(segment.id),
            audio=Path(recording.sources[0].source),
            text=recipe.text(segment),
            part=part,
            speaker=recipe.speaker(segment),
            offset_s=segment.start,
            # A recording that is one utterance is taken whole; lhotse rounds its duration.
            duration_s=None if segment.duration == recording.duration else segment.duration,
        )


def _module(recipe: Recipe) -> ModuleType:
    purpose = f"reading the corpus {recipe.root}"
    return require(f"lhotse.recipes.{recipe.module}", extra="train", purpose=purpose)


@contextlib.contextmanager
def _reading_headers(unreadable: dict[str, str]) -> Iterator[None]:
    """Read headers with linnet's reader while a recipe runs, and go on behind a file that cannot be read.

    The recipes stop at the first damaged file. Here it gets a stand-in of the greatest length, so that the
    recipe goes on, and is noted with the reason.
    """
    lhotse: Any = require("lhotse", extra="train", purpose="reading this corpus")

    def from_file(path: Any, recording_id: Any = None, **options: Any) -> Any:
        duration_s, rate_hz, num_channels = MAX_DURATION_S, _UNREADABLE_RATE_HZ, 1
        try:
            info = audio_info(path)
            duration_s, rate_hz, num_channels = info.duration_s, info.sample_rate_hz, info.channels
        except LinnetError as error:
            unreadable[str(path)] = error.what
        channels = list(range(num_channels))
        return lhotse.Recording(
            id=recording_id(Path(path)) if callable(recording_id) else recording_id or Path(path).stem,
            sources=[lhotse.AudioSource(type="file", channels=channels, source=str(path))],
            sampling_rate=rate_hz,
            num_samples=round(duration_s * rate_hz),
            duration=duration_s,
        )

    original = vars(lhotse.Recording)["from_file"]
    lhotse.Recording.from_file = staticmethod(from_file)
    try:
        yield
    finally:
        lhotse.Recording.from_file = original


@contextlib.contextmanager
def _messages() -> Iterator[list[str]]:
    """Collect what a recipe logs as warnings on the root logger: the files it passes over."""
    messages: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    handler = Collecting(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield messages
    finally:
        logging.getLogger().removeHandler(handler)
