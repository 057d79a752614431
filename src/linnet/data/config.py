"""Which utterances a training run reads, how often, and in what batches."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from linnet.data.augment.waveform import WaveformAugmentConfig


class SourceConfig(BaseModel):
    """One manifest and its part in the mixture.

    Attributes:
        manifest: path or URL of a file of JSON lines.
        repeat: copies of each utterance per epoch; a fraction takes a random part anew in every epoch.
        final_repeat: the value that `repeat` reaches, linearly, at the end of training.
        target: "full" trains the model's head on the whole text; "known_words" on the words its vocabulary
            has, as keyword spotting does; "auxiliary" leaves that head alone and trains the auxiliary head
            only.
        only_known_words: take only the utterances that the model's vocabulary can write.
        ambiguous_words: with "known_words": utterances with one of these words (homophones of known ones,
            such as "to" beside "two") train the auxiliary head only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: Path
    repeat: float = Field(default=1.0, ge=0.0)
    final_repeat: float | None = Field(default=None, ge=0.0)
    target: Literal["full", "known_words", "auxiliary"] = "full"
    only_known_words: bool = False
    ambiguous_words: frozenset[str] = frozenset()

    def repeat_at(self, progress: float) -> float:
        """Return the copies per utterance at a `progress` of training between 0 and 1."""
        final = self.repeat if self.final_repeat is None else self.final_repeat
        return self.repeat + (final - self.repeat) * progress


class DataConfig(BaseModel):
    """Sources, batches and waveform augmentation.

    Attributes:
        train: the mixture.
        dev: manifests that decide between checkpoints.
        batch_s: audio seconds in a batch, before augmentation.
        num_buckets: groups of similar duration that a batch is drawn from.
        min_duration_s, max_duration_s: utterances outside are left out, and counted in the log.
        num_workers: processes that read and augment; 0 does it in the training process.
        cache: a folder that keeps the training audio decoded, as 16-bit samples (115 MB an hour at 16 kHz),
            for this run and later ones; None decodes every file every time. Manifests whose recordings lie in
            tar archives need it.
        augment: what happens to the waveforms.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[SourceConfig, ...] = Field(min_length=1)
    dev: tuple[SourceConfig, ...] = Field(min_length=1)
    batch_s: float = Field(default=240.0, gt=0.0)
    num_buckets: int = Field(default=10, ge=1)
    min_duration_s: float = Field(default=0.1, ge=0.0)
    max_duration_s: float = Field(default=20.0, gt=0.0)
    num_workers: int = Field(default=2, ge=0)
    cache: Path | None = None
    augment: WaveformAugmentConfig = WaveformAugmentConfig()
