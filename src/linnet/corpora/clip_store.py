"""A folder of generated clips: FLAC files in small subfolders, and the manifests that list them."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.corpora.clip_shaping import SAMPLE_RATE_HZ
from linnet.manifest.jsonl import write_manifest
from linnet.manifest.utterance import Utterance


@dataclass
class ClipStore:
    """Collects the clips of one part of a corpus (`train`, `dev`) under `output`.

    Raises:
        ManifestError: when the part's manifest exists already.
    """

    output: Path
    part: str
    utterances: list[Utterance] = field(default_factory=list)
    duration_s: float = 0.0

    def __post_init__(self) -> None:
        if self.manifest.exists():
            raise ManifestError(
                "the manifest exists already",
                where=str(self.manifest),
                remedy="Choose another output folder or remove it",
            )

    @property
    def manifest(self) -> Path:
        """Path of the part's manifest."""
        return self.output / f"{self.part}.jsonl"

    def add(self, samples: Samples, text: str, speaker: str) -> None:
        """Write a clip (N,) at 16 kHz and note it for the manifest."""
        name = f"{self.part}-{len(self.utterances):06d}"
        bucket = hashlib.sha256(name.encode()).hexdigest()[:2]
        path = self.output / "audio" / bucket / f"{name}.flac"
        write_audio(path, samples, SAMPLE_RATE_HZ)
        duration_s = len(samples) / SAMPLE_RATE_HZ
        self.utterances.append(Utterance(str(path), round(duration_s, 4), text, speaker=speaker))
        self.duration_s += duration_s

    def finish(self) -> Path:
        """Write the manifest, whole or not at all."""
        write_manifest(self.manifest, self.utterances)
        return self.manifest
