"""A recognizer that knows its recordings by their loudness, and manifests of such recordings."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.results import Transcript
from linnet.manifest.utterance import Utterance

LEVEL_STEP = 0.01
RATE_HZ = 8000


class LoudnessRecognizer:
    """Says `texts[n]` to a recording of the constant level (n + 1) * LEVEL_STEP."""

    name = "loudness"
    normalizer = "basic"
    sample_rate_hz = RATE_HZ

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.batches: list[list[int]] = []

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        self.batches.append([len(samples) for samples in waveforms])
        return [
            Transcript(
                text=self.texts[round(float(np.median(samples)) / LEVEL_STEP) - 1],
                words=(),
                duration_s=len(samples) / RATE_HZ,
                model=self.name,
            )
            for samples in waveforms
        ]


@pytest.fixture
def make_recognizer() -> Callable[..., LoudnessRecognizer]:
    """`make_recognizer(*texts)` → a recognizer that keeps the lengths of its batches in `batches`."""
    return lambda *texts: LoudnessRecognizer(texts)


@pytest.fixture
def write_utterance(tmp_path: Path) -> Callable[..., Utterance]:
    """`write_utterance(number, text, duration_s=0.1, speaker="")` → an utterance the recognizer knows."""

    def write(number: int, text: str | None, duration_s: float = 0.1, speaker: str = "") -> Utterance:
        path = tmp_path / f"{number}.wav"
        samples = np.full(round(duration_s * RATE_HZ), (number + 1) * LEVEL_STEP, np.float32)
        write_audio(path, samples, RATE_HZ)
        return Utterance(audio=str(path), duration_s=duration_s, text=text, speaker=speaker)

    return write
