"""From a recording to its transcript: features, the network, greedy decoding, word times on one clock."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from linnet.audio.read import AudioSource, AudioStream, no_samples, source_name, stream_audio
from linnet.bundle.reader import Bundle, read_bundle
from linnet.core.arrays import Features, LogProbs, Samples
from linnet.core.errors import AudioError, BundleError, ConfigError
from linnet.core.results import SpeechSegment, Transcript, Word
from linnet.decoding.confidence import confident_words
from linnet.decoding.greedy import TokenSpan, greedy_decode
from linnet.decoding.words import merge_numbers, spans_to_words
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.runtime.longform_config import LongFormConfig
from linnet.runtime.packaged import DEFAULT_MODEL, find_model
from linnet.runtime.session import CtcSession
from linnet.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from linnet.runtime.search import Reading, TextSearch
    from linnet.runtime.search_config import SearchConfig

Progress = Callable[[float, float], None]  # is told the seconds heard, and those expected (NaN: not known)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one waveform of a batch."""

    waveform_index: int
    start_s: float
    duration_s: float


class Recognizer:
    """A CTC model without torch: numpy and onnxruntime only.

    It keeps no state between calls; the same object may serve several threads.

    Example:
        >>> recognizer = Recognizer.load("digits")
        >>> recognizer.transcribe("call.wav", numbers=True).text
        '896'
    """

    def __init__(
        self,
        bundle: Bundle,
        session: CtcSession,
        search: "TextSearch | None" = None,
        long_form: LongFormConfig | None = None,
    ) -> None:
        self.bundle = bundle
        self.session = session
        self.search = search
        self.long_form = long_form or LongFormConfig()

    @classmethod
    def load(
        cls,
        path_or_name: str | os.PathLike[str] = DEFAULT_MODEL,
        *,
        num_threads: int = 1,
        warm_up: bool = False,
        search: "SearchConfig | None" = None,
        long_form: LongFormConfig | None = None,
    ) -> Self:
        """Load a packaged model by its name, or the bundle in a directory.

        Args:
            path_or_name: what to load.
            num_threads: CPU threads for the network.
            warm_up: run it once on a second of silence, so that the first recording takes no longer than
                the others; for what answers while somebody waits.
            search: how to search for the text. Where nothing is chosen, the language model in the bundle
                is used if there is one and numba is installed; otherwise, and with `no_lm`, the best token
                of each frame is taken.
            long_form: how recordings are read that are too long for one run of the network.

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
        if search and search.min_confidence is not None:
            spec = bundle.spec.model_copy(update={"min_confidence": search.min_confidence})
            bundle = replace(bundle, spec=spec)
        return cls(bundle, session, _text_search(bundle, search), long_form)

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

    @property
    def frontend(self) -> FrontendConfig:
        """How samples become features."""
        return self.bundle.spec.frontend

    @property
    def subsampling(self) -> int:
        """Frames of features for one of log-probs."""
        return self.bundle.spec.subsampling

    @property
    def vocabulary(self) -> Vocabulary:
        """The pieces that the model writes with."""
        return self.bundle.vocabulary

    def transcribe(
        self,
        audio: AudioSource,
        *,
        numbers: bool = False,
        source_rate_hz: int | None = None,
        progress: Progress | None = None,
    ) -> Transcript:
        """Transcribe one recording of any length.

        It is read as a stream. What lasts longer than `long_form.chunk_s` goes through the network in
        overlapping windows (`runtime.longform`), so that memory does not grow with it.

        Args:
            audio: a path, the bytes of a file, a binary file object, or an array (N,) or (N, C).
            numbers: write spoken English numbers as digits ("eight nine six" → "896").
            source_rate_hz: the rate of an array; None means `sample_rate_hz`. Files know their own.
            progress: called with the seconds of a long recording that were heard, and those expected, which
                are NaN where its header does not tell.

        Returns:
            The transcript; its `damage` says where the recording could not be read to its end.

        Raises:
            AudioError: when the recording cannot be read or holds NaN or infinity.
            ConfigError: when `numbers` is asked of a model for another language than English.
        """
        self.check_numbers(numbers)
        with stream_audio(audio, sample_rate_hz=self.sample_rate_hz, source_rate_hz=source_rate_hz) as stream:
            head, is_long = self._head(stream)
            if not any(map(len, head)) and not isinstance(audio, np.ndarray):
                raise no_samples(source_name(audio))
            transcript = (
                self._transcribe_long(chain(head, stream.blocks), progress, stream.duration_s)
                if is_long
                else self.transcribe_samples([np.concatenate([np.zeros(0, np.float32), *head])])[0]
            )
            transcript = replace(transcript, damage=stream.damage)
        if not numbers:
            return transcript
        words = merge_numbers(transcript.words)
        return replace(transcript, text=_joined(words), words=words)

    def stream(
        self, audio: AudioSource, *, numbers: bool = False, source_rate_hz: int | None = None
    ) -> Iterator[SpeechSegment]:
        """Transcribe one recording of any length, and give what was said between two pauses as it is read.

        With a search, it is given when the next was heard too, which may still change it.

        Args:
            audio: as in `transcribe`.
            numbers: as in `transcribe`; a number ends with its segment.
            source_rate_hz: as in `transcribe`.

        Raises:
            AudioError: when the recording cannot be read or holds NaN or infinity.
            ConfigError: when `numbers` is asked of a model for another language than English.
        """
        from linnet.runtime.longform import LongReading  # only here: most recordings are short

        self.check_numbers(numbers)
        with stream_audio(audio, sample_rate_hz=self.sample_rate_hz, source_rate_hz=source_rate_hz) as stream:
            for segment in LongReading(self, self.long_form).segments(stream.blocks):
                yield SpeechSegment.of(merge_numbers(segment.words)) if numbers else segment

    def transcribe_samples(self, waveforms: Sequence[Samples]) -> list[Transcript]:
        """Transcribe mono waveforms at `sample_rate_hz`.

        Those of at most `long_form.chunk_s` share padded batches of at most that length in all with their
        neighbors, which does not change their words; a longer one is read in windows. A waveform too short
        for a frame gives an empty transcript.

        Args:
            waveforms: (N,) float32 each, in [-1, 1].

        Raises:
            AudioError: when a waveform holds NaN or infinity.
        """
        found: list[Transcript] = []
        for batch in self._batches(waveforms):
            if self._is_long(waveforms[batch[0]]):
                found.append(self._transcribe_long([waveforms[batch[0]]]))
                continue
            samples = [waveforms[index] for index in batch]
            for each, log_probs in zip(samples, self._batch_log_probs(samples), strict=True):
                words, reading = self.decode(log_probs, len(each) / self.sample_rate_hz)
                found.append(self._transcript(len(each), words, [reading] if reading else []))
        return found

    def segment_log_probs(self, waveforms: Sequence[Samples]) -> Iterator[tuple[Segment, LogProbs]]:
        """Run the network over waveforms, a batch or a window at a time, in the order of time.

        Yields:
            Each stretch with its log-probs (S, V): a waveform of at most `long_form.chunk_s`, or a piece of a
            longer one.
        """
        for batch in self._batches(waveforms):
            samples = [waveforms[index] for index in batch]
            if self._is_long(samples[0]):
                yield from self._long_log_probs(batch[0], samples[0])
                continue
            for index, log_probs in zip(batch, self._batch_log_probs(samples), strict=True):
                yield Segment(index, 0.0, len(waveforms[index]) / self.sample_rate_hz), log_probs

    def check_numbers(self, numbers: bool) -> None:
        """Raise a ConfigError where numbers are wanted of a model for another language than English."""
        if numbers and self.bundle.spec.language.partition("-")[0] != "en":
            raise ConfigError(
                f"numbers are read in English only, and {self.name!r} hears {self.bundle.spec.language!r}",
                remedy="Ask for the words alone",
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
        reading = self.search.read(log_probs) if self.search else None
        return self.words(log_probs, duration_s, start_s, reading), reading

    def words(
        self, log_probs: LogProbs, duration_s: float, start_s: float, reading: "Reading | None"
    ) -> tuple[Word, ...]:
        """Give the words of log-probs and sound as in `decode`.

        Stretches of guesses are left out where the bundle asks for that (`min_confidence`). The best tokens
        of each frame judge them also where a search has read, which writes unlikely tokens for likely words.

        Args:
            log_probs: (S, V).
            duration_s: as in `decode`.
            start_s: as in `decode`.
            reading: of a search; None takes the best token of each frame.
        """
        spec = self.bundle.spec
        timeline = spec.clock.timeline(len(log_probs), duration_s, start_s)

        def timed(spans: Sequence[TokenSpan]) -> tuple[Word, ...]:
            return spans_to_words(spans, self.bundle.vocabulary, timeline, spec.confidence_temperature)

        if reading and not spec.min_confidence:
            return timed(reading.spans)
        heard = timed(greedy_decode(log_probs, spec.blank_id))
        words = timed(reading.spans) if reading else heard
        return confident_words(words, heard, spec.min_confidence) if spec.min_confidence else words

    def _batch_log_probs(self, waveforms: Sequence[Samples]) -> list[LogProbs]:
        return self.log_probs(list(map(self.features, waveforms)))

    def _valid_log_probs(self, batch: NDArray[np.float32], lengths: NDArray[np.int64]) -> Iterator[LogProbs]:
        log_probs, log_probs_lengths = self.session.log_probs(batch, lengths)
        return (each[:length] for each, length in zip(log_probs, log_probs_lengths, strict=True))

    @property
    def _chunk_samples(self) -> int:
        return round(self.long_form.chunk_s * self.sample_rate_hz)

    def _is_long(self, samples: Samples) -> bool:
        return len(samples) > self._chunk_samples

    def _head(self, stream: AudioStream) -> tuple[list[Samples], bool]:
        """Take blocks until they are too long for one run of the network, or end before."""
        head, num_samples = [], 0
        for block in stream.blocks:
            head.append(block)
            num_samples += len(block)
            if num_samples > self._chunk_samples:
                return head, True
        return head, False

    def _transcribe_long(
        self, blocks: Iterable[Samples], progress: Progress | None = None, expected_s: float = math.nan
    ) -> Transcript:
        from linnet.runtime.longform import LongReading  # only here: most recordings are short

        reading = LongReading(
            self, self.long_form, progress and (lambda heard_s: progress(heard_s, expected_s))
        )
        words = reading.words(blocks)
        return self._transcript(reading.num_samples, words, reading.readings)

    def _long_log_probs(self, index: int, samples: Samples) -> Iterator[tuple[Segment, LogProbs]]:
        from linnet.runtime.windows import joined_log_probs

        shift_s, start_s = self.bundle.spec.frame_shift_s, 0.0
        for log_probs in joined_log_probs(self, [samples], self.long_form):
            duration_s = min(len(log_probs) * shift_s, len(samples) / self.sample_rate_hz - start_s)
            yield Segment(index, start_s, duration_s), log_probs
            start_s += duration_s

    def _batches(self, waveforms: Sequence[Samples]) -> Iterator[list[int]]:
        """Gather the indices of neighbors that are read together; a long one is alone."""
        max_samples = 1 if self.bundle.spec.one_at_a_time else self._chunk_samples
        batch: list[int] = []
        longest = 0
        for index, samples in enumerate(waveforms):
            if not np.isfinite(samples).all():
                raise AudioError(
                    f"waveform {index} holds NaN or infinity", remedy="Write the recording again without them"
                )
            longest = max(longest, len(samples))
            if batch and longest * (len(batch) + 1) > max_samples:
                yield batch
                batch, longest = [], len(samples)
            batch.append(index)
        if batch:
            yield batch

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


def _joined(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)


def _text_search(bundle: Bundle, chosen: "SearchConfig | None") -> "TextSearch | None":
    """Make the search that was chosen or that the model brings; None where there is none."""
    spec = bundle.spec
    if chosen is None and spec.search is None:
        return None
    from linnet.runtime.search_config import search_with  # only here: some models go without

    if (config := search_with(bundle, chosen)) is None:
        return None
    from linnet.runtime.search import TextSearch

    return TextSearch(bundle.vocabulary, spec.vocabulary, spec.normalizer, config)


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
