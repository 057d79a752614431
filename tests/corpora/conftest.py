"""Miniature corpora: one tiny recording, copied to wherever a layout wants it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet.core.arrays import Samples
from linnet.corpora.prepare import prepare_corpus
from linnet.corpora.report import PrepareReport
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance

DURATION_S = 0.25

# suffix → format and coding of libsndfile
FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".sph": ("NIST", "PCM_16"),
}

PutAudio = Callable[..., Path]


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory, tone: Callable[..., Samples]) -> dict[str, Path]:
    """A quarter of a second of sound at 16 kHz in each format."""
    folder = tmp_path_factory.mktemp("recordings")
    for suffix, (container, coding) in FORMATS.items():
        path = folder / f"tone{suffix}"
        soundfile.write(path, tone(duration_s=DURATION_S), 16000, coding, format=container)
    return {suffix: folder / f"tone{suffix}" for suffix in FORMATS}


@pytest.fixture(scope="session")
def put_audio(recordings: dict[str, Path]) -> PutAudio:
    """`put_audio(path, kind="")` copies the recording of that format (or of the suffix)."""

    def put(path: Path, kind: str = "") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(recordings[kind or path.suffix.lower()], path)
        return path

    return put


@pytest.fixture(scope="session")
def shortened() -> bytes:
    """The head of a SPHERE file that is compressed with shorten, and some bytes."""
    lines = ("NIST_1A", "   1024", "channel_count -i 1", "sample_rate -i 16000", "sample_n_bytes -i 2")
    more = ("sample_count -i 4000", "sample_coding -s26 pcm,embedded-shorten-v2.00", "end_head", "")
    return "\n".join((*lines, *more)).encode().ljust(1024) + b"ajkg\x02" + bytes(99)


@pytest.fixture(scope="session")
def stereo_call(tone: Callable[..., Samples]) -> Callable[[Path], Path]:
    """`stereo_call(path)` writes two seconds of a call as the LDC does: 8 kHz, µ-law, a channel a speaker."""

    def write(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        sides = [tone(frequency_hz, 2.0, 8000) for frequency_hz in (300, 1500)]
        soundfile.write(path, np.stack(sides, axis=1), 8000, "ULAW", format="NIST")
        return path

    return write


class Prepared:
    """A corpus that was prepared: the report, and the utterances of each manifest by its name."""

    def __init__(self, name: str, source: Path, output: Path, *, force: bool = False) -> None:
        self.report: PrepareReport = prepare_corpus(name, source, output, force=force)
        self.parts: dict[str, list[Utterance]] = {
            part.manifest.stem: read_manifest(part.manifest) for part in self.report.parts
        }

    def texts(self) -> dict[str, list[str | None]]:
        """Give the texts of each manifest."""
        return {part: [each.text for each in utterances] for part, utterances in self.parts.items()}

    def all(self) -> list[Utterance]:
        """Give the utterances of all manifests."""
        return [utterance for utterances in self.parts.values() for utterance in utterances]

    def reasons(self) -> dict[str, str]:
        """Say why what was left out, by the end of its name."""
        return {skipped.what.rpartition("/")[2]: skipped.reason for skipped in self.report.skipped}


@pytest.fixture
def prepared(tmp_path: Path) -> Callable[..., Prepared]:
    """`prepared(name, source)` prepares a corpus into tmp_path / "out"."""
    return lambda name, source, **options: Prepared(name, source, tmp_path / "out", **options)
