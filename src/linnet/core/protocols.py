"""What a recognizer offers, so that evaluation serves the torch model and the exported one alike."""

from collections.abc import Sequence
from typing import Protocol

from linnet.core.arrays import Samples
from linnet.core.results import Transcript


class SpeechRecognizer(Protocol):
    """Anything that turns samples into a transcript."""

    @property
    def name(self) -> str:
        """The name of the model."""
        ...

    @property
    def normalizer(self) -> str:
        """The name of the text normalizer the model was trained with."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """The rate of the samples it expects."""
        ...

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        """Transcribe mono float32 waveforms of any lengths, as one padded batch."""
        ...
