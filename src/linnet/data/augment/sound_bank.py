"""Recordings of a folder or manifest, each read when it is first drawn and kept while memory allows."""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from linnet.audio.read import read_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ConfigError, ManifestError
from linnet.core.remote import as_url
from linnet.data.augment.transform import SAMPLE_RATE_HZ
from linnet.manifest.jsonl import read_manifest

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3"})
MAX_DURATION_S = 600.0  # of one recording; what follows is not used
MAX_CACHE_SAMPLES = 1 << 26  # 256 MiB, 70 minutes


class Sound(NamedTuple):
    """Where a recording lies."""

    path: str
    offset_s: float = 0.0
    duration_s: float = MAX_DURATION_S


class SoundBank:
    """Draws recordings at random.

    Args:
        path: a folder, searched with all below it, or a manifest.
        purpose: what the recordings are for, as an error names them ("noise").

    Raises:
        ConfigError: when there is no such folder or manifest, or no recording in it.
    """

    def __init__(self, path: Path, purpose: str) -> None:
        self.sounds = _find_sounds(path, purpose)
        self._cache: OrderedDict[Sound, Samples] = OrderedDict()
        self._cached_samples = 0

    def draw(self, rng: np.random.Generator) -> Samples:
        """Return a recording, (N,) at 16 kHz, that the caller must not change.

        Raises:
            AudioError: when the recording cannot be read.
        """
        return self._read(self.sounds[int(rng.integers(len(self.sounds)))])

    def _read(self, sound: Sound) -> Samples:
        if sound in self._cache:
            self._cache.move_to_end(sound)
            return self._cache[sound]
        samples = read_audio(
            sound.path, sample_rate_hz=SAMPLE_RATE_HZ, offset_s=sound.offset_s, duration_s=sound.duration_s
        )
        self._cache[sound] = samples
        self._cached_samples += samples.size
        while self._cached_samples > MAX_CACHE_SAMPLES and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_samples -= oldest.size
        return samples

    def __getstate__(self) -> dict[str, object]:
        """Leave the samples behind: another process reads what it needs."""
        return {"sounds": self.sounds, "_cache": OrderedDict(), "_cached_samples": 0}


def _find_sounds(path: Path, purpose: str) -> Sequence[Sound]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not files:
            remedy = f"Put {', '.join(sorted(SUFFIXES))} files there"
            raise ConfigError(f"the {purpose} folder {path} holds no recording", remedy=remedy)
        return [Sound(str(file)) for file in files]
    if not path.is_file() and not as_url(path):
        raise ConfigError(
            f"the {purpose} folder or manifest {path} does not exist",
            remedy="Mend the path, or take the transform out of the list",
        )
    try:
        utterances = read_manifest(path)
    except ManifestError as error:
        raise ConfigError(f"the {purpose} manifest cannot be used: {error}") from error
    return [Sound(item.audio, item.offset_s, min(item.duration_s, MAX_DURATION_S)) for item in utterances]
