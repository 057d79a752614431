"""A checkpoint as a recognizer, so that it is evaluated before it is exported."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch

from linnet.core.arrays import LogProbs, Samples
from linnet.core.results import Transcript
from linnet.decoding.greedy import greedy_decode
from linnet.decoding.words import spans_to_words
from linnet.models.checkpoint import load_model
from linnet.models.ctc import CtcModel


class CheckpointRecognizer:
    """Greedy recognition with the torch model."""

    def __init__(self, model: CtcModel) -> None:
        self.model = model.eval()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load a checkpoint of `linnet train`.

        Raises:
            CheckpointError: when the file is missing, damaged or does not fit its model.
        """
        return cls(load_model(path))

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.model.config.name

    @property
    def normalizer(self) -> str:
        """The name of the text normalizer the model was trained with."""
        return self.model.config.normalizer

    @property
    def sample_rate_hz(self) -> int:
        """The rate of the samples it expects."""
        return self.model.config.frontend.sample_rate_hz

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        """Transcribe mono float32 waveforms of any lengths, as one padded batch."""
        log_probs = self.log_probs(waveforms)
        return [
            self._transcript(each, len(samples)) for each, samples in zip(log_probs, waveforms, strict=True)
        ]

    @torch.inference_mode()
    def log_probs(self, waveforms: Sequence[Samples]) -> list[LogProbs]:
        """Score the frames of each waveform: (S, V) arrays, without padding."""
        if not waveforms:
            return []
        if self.model.one_at_a_time and len(waveforms) > 1:
            return [each for samples in waveforms for each in self.log_probs([samples])]
        lengths = torch.tensor([len(samples) for samples in waveforms])
        padded = np.zeros((len(waveforms), int(lengths.max())), dtype=np.float32)
        for row, samples in zip(padded, waveforms, strict=True):
            row[: len(samples)] = samples
        features, num_frames = self.model.frontend(torch.from_numpy(padded), lengths)
        if features.shape[-1] == 0:
            return [np.empty((0, self.model.vocabulary.size), np.float32) for _ in waveforms]
        scores, num_scores = self.model(features, num_frames)
        return [row[:length] for row, length in zip(scores.numpy(), num_scores.tolist(), strict=True)]

    def _transcript(self, log_probs: LogProbs, num_samples: int) -> Transcript:
        vocabulary = self.model.vocabulary
        duration_s = num_samples / self.sample_rate_hz
        spans = greedy_decode(log_probs, vocabulary.blank_id)
        words = spans_to_words(spans, vocabulary, self.model.frame_shift_s, duration_s)
        text = " ".join(word.text for word in words)
        return Transcript(text=text, words=words, duration_s=duration_s, model=self.name)
