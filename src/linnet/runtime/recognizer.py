"""From a recording to its transcript: features, the network, greedy decoding, word times on one clock."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from linnet.audio.read import AudioSource, read_audio
from linnet.bundle.reader import Bundle, read_bundle
from linnet.core.arrays import Features, LogProbs, Samples
from linnet.core.errors import AudioError, BundleError, ConfigError
from linnet.core.results import Transcript, Word
from linnet.decoding.greedy import greedy_decode
from linnet.decoding.words import merge_numbers, spans_to_words
from linnet.features.frontend import compute_features
from linnet.runtime.packaged import DEFAULT_MODEL, find_model
from linnet.runtime.segments import MAX_SEGMENT_S, split_at_quiet_places
from linnet.runtime.session import CtcSession

if TYPE_CHECKING:
    from linnet.runtime.search import Reading, TextSearch
    from linnet.runtime.search_config import SearchConfig


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of one waveform of a batch that goes through the network by itself."""

    waveform_index: int
    start_s: float
    duration_s: float
    samples: Samples


class Recognizer:
    """A CTC model without torch: numpy and onnxruntime only.

    It keeps no state between calls; the same object may serve several threads.

    Example:
        >>> recognizer = Recognizer.load("digits")
        >>> recognizer.transcribe("call.wav", numbers=True).text
        '896'
    """

    def __init__(self, bundle: Bundle, session: CtcSession, search: "TextSearch | None" = None) -> None:
        self.bundle = bundle
        self.session = session
        self.search = search

    @classmethod
    def load(
        cls,
        path_or_name: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        num_threads: int = 1,
        warm_up: bool = False,
        search: "SearchConfig | None" = None,
    ) -> Self:
        """Load a packaged model by its name, or the bundle in a directory.

        Args:
            path_or_name: what to load.
            num_threads: CPU threads for the network.
            warm_up: run it once on a second of silence, so that the first recording takes no longer than
                the others; for what answers while somebody waits.
            search: how to search for the text; None takes the best token of each frame.

        Raises:
            BundleError: when there is no such model, or it is damaged or of a newer linnet.
            LanguageModelError: when the search's language model cannot be used.
            MissingDependencyError: when a search is asked for and numba is not installed.
        """
        bundle = read_bundle(find_model(path_or_name))
        session = CtcSession(bundle.model_path, num_threads=num_threads)
        _check_sizes(bundle, session)
        if warm_up:
            frontend = bundle.spec.frontend
            frames = frontend.padded_frames(round(1 / frontend.frame_shift_s))
            silence = np.zeros((1, frontend.num_features, frames), np.float32)
            session.log_probs(silence, np.array([frames], np.int64))
        if search is None:
            return cls(bundle, session)
        from linnet.runtime.search import TextSearch  # only here: most transcriptions go without

        spec = bundle.spec
        return cls(bundle, session, TextSearch(bundle.vocabulary, spec.vocabulary, spec.normalizer, search))

    @property
    def name(self) -> str:
        """The name of the model."""
        return self.bundle.spec.name

    @property
    def normalizer(self) -> str:
        """The name of the text normalizer the model was trained with."""
        return self.bundle.spec.normalizer

    @property
    def sample_rate_hz(self) -> int:
        """The rate of the samples that `transcribe_samples` expects."""
        return self.bundle.spec.sample_rate_hz

    def transcribe(
        self, audio: AudioSource, *, numbers: bool = False, source_rate_hz: int | None = None
    ) -> Transcript:
        """Transcribe one recording of any length.

        Args:
            audio: a path, the bytes of a file, a binary file object, or an array (N,) or (N, C).
            numbers: write spoken English numbers as digits ("eight nine six" → "896").
            source_rate_hz: the rate of an array; None means `sample_rate_hz`. Files know their own.

        Raises:
            AudioError: when the recording cannot be read or holds NaN or infinity.
            ConfigError: when `numbers` is asked of a model for another language than English.
        """
        if numbers and self.bundle.spec.language.partition("-")[0] != "en":
            raise ConfigError(
                f"numbers are read in English only, and {self.name!r} hears {self.bundle.spec.language!r}"
            )
        samples = read_audio(audio, sample_rate_hz=self.sample_rate_hz, source_rate_hz=source_rate_hz)
        (transcript,) = self.transcribe_samples([samples])
        if not numbers:
            return transcript
        words = merge_numbers(transcript.words)
        return replace(transcript, text=_joined(words), words=words)

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        """Transcribe mono waveforms at `sample_rate_hz`.

        One longer than MAX_SEGMENT_S is cut at quiet places first (`runtime.segments`). Neighbors share a
        padded batch of at most that length in all, which does not change their words. A waveform too short
        for a frame gives an empty transcript.

        Args:
            waveforms: (N,) float32 each, in [-1, 1].

        Raises:
            AudioError: when a waveform holds NaN or infinity.
        """
        words: list[list[Word]] = [[] for _ in waveforms]
        readings: list[list[Reading]] = [[] for _ in waveforms]
        for segment, log_probs in self.segment_log_probs(waveforms):
            found, reading = self.decode(log_probs, segment.duration_s, segment.start_s)
            words[segment.waveform_index] += found
            readings[segment.waveform_index] += [reading] if reading else []
        return [
            self._transcript(len(samples), found, read)
            for samples, found, read in zip(waveforms, words, readings, strict=True)
        ]

    def segment_log_probs(self, waveforms: Sequence[Samples]) -> Iterator[tuple[Segment, LogProbs]]:
        """Run the network over waveforms, a batch of segments at a time, in the order of time.

        Yields:
            Each segment with its log-probs (S, V).
        """
        max_samples = 1 if self.bundle.spec.one_at_a_time else round(MAX_SEGMENT_S * self.sample_rate_hz)
        for batch in _batches(self._segments(waveforms), max_samples):
            yield from zip(
                batch, self.log_probs([self.features(segment.samples) for segment in batch]), strict=True
            )

    def features(self, samples: Samples) -> Features:
        """Compute the features (F, T) of a waveform (N,), without padding."""
        features, num_frames = compute_features(samples, self.bundle.spec.frontend)
        return features[:, :num_frames]

    def log_probs(self, features: Sequence[Features]) -> list[LogProbs]:
        """Run the network on features (F, T) as one padded batch; gives (S, V) for each, without padding."""
        spoken = [each for each in features if each.shape[1]]
        lengths = np.array([each.shape[1] for each in spoken], np.int64)
        spec = self.bundle.spec
        padded_frames = spec.frontend.padded_frames(int(lengths.max(initial=0)))
        batch = np.zeros((len(spoken), spec.frontend.num_features, padded_frames), np.float32)
        for row, each in zip(batch, spoken, strict=True):
            row[:, : each.shape[1]] = each
        found = self._valid_log_probs(batch, lengths) if spoken else iter(())
        silent = np.empty((0, self.bundle.vocabulary.size), np.float32)
        return [next(found) if each.shape[1] else silent for each in features]

    def decode(
        self, log_probs: LogProbs, duration_s: float, start_s: float = 0.0
    ) -> "tuple[tuple[Word, ...], Reading | None]":
        """Read the words from log-probabilities (S, V) of `duration_s` of sound that begins at `start_s`.

        Returns:
            The words, and what a search found beside them.
        """
        spec = self.bundle.spec
        reading = self.search.read(log_probs) if self.search else None
        spans = reading.spans if reading else greedy_decode(log_probs, spec.blank_id)
        timeline = spec.clock.timeline(len(log_probs), duration_s, start_s)
        return spans_to_words(spans, self.bundle.vocabulary, timeline, spec.confidence_temperature), reading

    def _valid_log_probs(self, batch: NDArray[np.float32], lengths: NDArray[np.int64]) -> Iterator[LogProbs]:
        log_probs, log_probs_lengths = self.session.log_probs(batch, lengths)
        return (each[:length] for each, length in zip(log_probs, log_probs_lengths, strict=True))

    def _segments(self, waveforms: Sequence[Samples]) -> Iterator[Segment]:
        for index, samples in enumerate(waveforms):
            for start, end in split_at_quiet_places(samples, self.sample_rate_hz):
                if not np.isfinite(samples[start:end]).all():
                    raise AudioError(
                        f"waveform {index} holds NaN or infinity between samples {start} and {end}",
                        remedy="Write the recording again without them",
                    )
                start_s, duration_s = start / self.sample_rate_hz, (end - start) / self.sample_rate_hz
                yield Segment(index, start_s, duration_s, samples[start:end])

    def _transcript(
        self, num_samples: int, words: Sequence[Word], readings: "Sequence[Reading]"
    ) -> Transcript:
        transcript = Transcript(
            text=_joined(words),
            words=tuple(words),
            duration_s=num_samples / self.sample_rate_hz,
            model=self.name,
        )
        return self.search.complete(transcript, readings) if self.search else transcript


def _batches(segments: Iterable[Segment], max_samples: int) -> Iterator[list[Segment]]:
    """Gather neighbors as long as they fill at most `max_samples` when padded to the longest."""
    batch: list[Segment] = []
    longest = 0
    for segment in segments:
        longest = max(longest, len(segment.samples))
        if batch and longest * (len(batch) + 1) > max_samples:
            yield batch
            batch, longest = [], len(segment.samples)
        batch.append(segment)
    if batch:
        yield batch


def _joined(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)


def _check_sizes(bundle: Bundle, session: CtcSession) -> None:
    """Refuse a model file that does not fit its description; a size that the model leaves open fits."""
    sizes = (
        ("features", session.num_features, bundle.spec.frontend.num_features),
        ("tokens", session.num_tokens, bundle.vocabulary.size),
    )
    for what, found, expected in sizes:
        if found not in (None, expected):
            raise BundleError(
                f"the model has {found} {what}, its bundle describes {expected}",
                where=str(bundle.path),
                remedy="Export the model again with linnet export",
            )
