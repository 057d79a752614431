"""Runs of one network over the same recordings: what they score, what they read, and how fast they are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from time import process_time
from typing import Self

import numpy as np
from numpy.typing import NDArray

from linnet.core.arrays import Features, LogProbs, Samples
from linnet.core.errors import ExportError
from linnet.decoding.greedy import greedy_decode
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.metrics.error_rate import ErrorCounts, word_errors
from linnet.metrics.speed import inverse_real_time_factor
from linnet.runtime.longform_config import MAX_CHUNK_S, LongFormConfig
from linnet.runtime.windows import joined_log_probs
from linnet.text.normalize import normalize
from linnet.text.vocabulary import Vocabulary

ALONE = 1
PADDED_BATCHES = (2, 8)
# Others are joined to one of up to so long, which can still be read at once; repeated if they are shorter.
LONG_S, LEAST_LONG_S = 50.0, 20.0
PAUSE_S = 0.3  # between two of them
QUIET_SHARE = 0.05  # of the 10 ms pieces of a recording, which are taken for its background
WINDOW_SHARE, OVERLAP_SHARE = 0.4, 0.2  # of it, and of a window, where that is less than in the runtime

# Features (B, F, T) and lengths (B,) to log-probs (B, S, V) and lengths (B,), as `CtcSession.log_probs`.
Network = Callable[[NDArray[np.float32], NDArray[np.int64]], tuple[NDArray[np.float32], NDArray[np.int64]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What a network needs beside itself to read recordings.

    Attributes:
        frontend: how samples become features.
        vocabulary: the pieces it writes with.
        normalizer: what texts go through before they are compared.
        subsampling: frames of features for one of log-probs.
        one_at_a_time: whether recordings may not share a batch.
    """

    frontend: FrontendConfig
    vocabulary: Vocabulary
    normalizer: str
    subsampling: int
    one_at_a_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Recordings to compare on, as features.

    Attributes:
        reader: what they are read with.
        features: (F, T) each, without padding.
        references: what is said in each, normalized; empty when that is not known of all.
        audio_s: how long they are together.
        joined: (N,) the first of them in one waveform, pauses between them, again and again if need be.
        num_joined: how many that are.
    """

    reader: Reader
    features: tuple[Features, ...]
    references: tuple[str, ...]
    audio_s: float
    joined: Samples
    num_joined: int

    @classmethod
    def of(cls, reader: Reader, recordings: Sequence[Samples], texts: Sequence[str | None] = ()) -> Self:
        """Compute the features; a recording too short for a frame is left out.

        Args:
            reader: what they are read with.
            recordings: mono waveforms at the rate of the front end.
            texts: what is said in each, where known.

        Raises:
            ExportError: when no recording is left.
        """
        computed = [compute_features(samples, reader.frontend) for samples in recordings]
        long_enough = [index for index, (_, num_frames) in enumerate(computed) if num_frames]
        if not long_enough:
            raise ExportError("there is no recording to compare on", remedy="Give some with speech in them")
        known = [texts[index] for index in long_enough] if texts else [None]
        joined = _enough([recordings[index] for index in long_enough], reader.frontend.sample_rate_hz)
        return cls(
            reader=reader,
            features=tuple(computed[index][0][:, : computed[index][1]] for index in long_enough),
            references=()
            if None in known
            else tuple(normalize(each or "", reader.normalizer) for each in known),
            audio_s=sum(len(samples) for samples in recordings) / reader.frontend.sample_rate_hz,
            joined=np.concatenate(joined),
            num_joined=len(joined),
        )

    @property
    def joined_s(self) -> float:
        """How long the joined recording is."""
        return len(self.joined) / self.reader.frontend.sample_rate_hz

    @property
    def windows(self) -> LongFormConfig:
        """How the joined recording is read: in three windows, or more if these were longer than usual."""
        chunk_s = min(LongFormConfig().chunk_s, WINDOW_SHARE * self.joined_s)
        return LongFormConfig(chunk_s=chunk_s, overlap_s=OVERLAP_SHARE * chunk_s)

    @property
    def joined_references(self) -> tuple[str, ...]:
        """What is said in the joined recording; empty when that is not known."""
        if not self.references:
            return ()
        said = islice(cycle(self.references), self.num_joined)
        return (" ".join(text for text in said if text),)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """How many recordings share a batch, one way after another."""
        return (ALONE,) if self.reader.one_at_a_time else (ALONE, *PADDED_BATCHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one network gave for all recordings, `batch_size` at a time, in `cpu_s` of processor time.

    With `long_form`, for the joined recording, and in each of its `windows` before they were joined.
    """

    batch_size: int
    log_probs: tuple[LogProbs, ...]
    texts: tuple[str, ...]
    cpu_s: float
    long_form: bool = False
    windows: tuple[LogProbs, ...] = ()

    def difference(self, other: "Run") -> float:
        """Give the largest difference of a log-probability, as `largest_difference`.

        In long-form it is that of the windows, where both have the same: where nothing is said, rounding may
        decide on which of two frames they are joined.
        """
        if self.long_form and len(self.windows) == len(other.windows):
            return largest_difference(self.windows, other.windows)
        return largest_difference(self.log_probs, other.log_probs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the proof's table: one graph, run in one way.

    Attributes:
        graph: what ran, such as "onnx int8".
        batch_size: recordings in a padded batch; 1 is each alone.
        difference: largest difference of a log-probability from the source alone.
        changed_words: words to edit in its texts to get those of the source alone.
        wer: word error rate, 0.05 is 5 %; None where the texts are not known.
        rtfx: seconds of audio that the network alone did in a second of processor time, on this machine.
        size_bytes: of the weights or the graph.
        long_form: whether it read the joined recording in overlapping windows. Then it is compared with the
            source that did so too, and the source with itself in one window.
    """

    graph: str
    batch_size: int
    difference: float
    changed_words: int
    wer: float | None
    rtfx: float
    size_bytes: int
    long_form: bool = False

    @property
    def way(self) -> str:
        """How the recordings were read, for people."""
        if self.long_form:
            return "long-form"
        return "alone" if self.batch_size == ALONE else f"batches of {self.batch_size}"


def run_all(network: Network, material: Material) -> list[Run]:
    """Run a network over the recordings in every way: each alone, in padded batches, and joined, long-form.

    The first of the list is each alone, the last the joined recording.
    """
    network(*_padded(material.features[:1]))  # the first call allocates
    found = [run(network, material, batch_size) for batch_size in material.batch_sizes]
    return [*found, run_long(network, material, material.windows)]


def run(network: Network, material: Material, batch_size: int = ALONE) -> Run:
    """Run a network over the recordings, `batch_size` neighbors at a time."""
    log_probs: list[LogProbs] = []
    cpu_s = 0.0
    for start in range(0, len(material.features), batch_size):
        batch = _padded(material.features[start : start + batch_size])
        started_s = process_time()
        scores, lengths = network(*batch)
        cpu_s += process_time() - started_s
        log_probs += [row[:length] for row, length in zip(scores, lengths, strict=True)]
    texts = tuple(_text(each, material.reader.vocabulary) for each in log_probs)
    return Run(batch_size=batch_size, log_probs=tuple(log_probs), texts=texts, cpu_s=cpu_s)


def run_long(network: Network, material: Material, config: LongFormConfig) -> Run:
    """Run a network over the joined recording in overlapping windows, as the runtime does."""
    windows = _Windows(material.reader, network)
    log_probs = np.concatenate(list(joined_log_probs(windows, [material.joined], config)))
    return Run(
        batch_size=ALONE,
        log_probs=(log_probs,),
        texts=(_text(log_probs, material.reader.vocabulary),),
        cpu_s=windows.cpu_s,
        long_form=True,
        windows=tuple(windows.found),
    )


def run_whole(network: Network, material: Material) -> Run:
    """Run a network over the joined recording at once."""
    return run_long(network, material, LongFormConfig(chunk_s=min(MAX_CHUNK_S, material.joined_s + 1)))


def rows(
    graph: str, size_bytes: int, found: Iterable[Run], source: Sequence[Run], material: Material
) -> list[Row]:
    """Compare runs with the source: the first of its runs, or for what is long-form the last."""
    return [_row(graph, size_bytes, each, source[-1 if each.long_form else 0], material) for each in found]


def _row(graph: str, size_bytes: int, found: Run, source: Run, material: Material) -> Row:
    edits = (word_errors(a, b).errors for a, b in zip(source.texts, found.texts, strict=True))
    references = material.joined_references if found.long_form else material.references
    counts = errors(found, references, material.reader.normalizer) if references else []
    audio_s = material.joined_s if found.long_form else material.audio_s
    return Row(
        graph=graph,
        batch_size=found.batch_size,
        difference=source.difference(found),
        changed_words=sum(edits),
        wer=sum(counts, ErrorCounts()).rate if counts else None,
        rtfx=inverse_real_time_factor(audio_s, found.cpu_s),
        size_bytes=size_bytes,
        long_form=found.long_form,
    )


def errors(found: Run, references: Sequence[str], normalizer: str) -> list[ErrorCounts]:
    """Count the errors in words of each recording."""
    return [
        word_errors(reference, normalize(text, normalizer))
        for reference, text in zip(references, found.texts, strict=True)
    ]


def largest_difference(source: Sequence[LogProbs], other: Sequence[LogProbs]) -> float:
    """Give the largest difference of a log-probability; infinite where shapes differ, NaN if any is."""
    differences = [
        np.abs(a - b).max() if a.shape == b.shape else np.inf for a, b in zip(source, other, strict=True)
    ]
    return float(np.max(differences))


def divergence(source: Run, other: Run) -> float:
    """Give the mean over frames of the Kullback-Leibler divergence of `other` from `source`, in nats."""
    by_frame = [
        (np.exp(a) * (a - b)).sum(axis=1) for a, b in zip(source.log_probs, other.log_probs, strict=True)
    ]
    return float(np.concatenate(by_frame).mean())


@dataclass(slots=True)
class _Windows:
    """A network as what is read in windows, what it found in each, and the processor time it took."""

    reader: Reader
    network: Network
    cpu_s: float = 0.0
    found: list[LogProbs] = field(default_factory=list)

    @property
    def frontend(self) -> FrontendConfig:
        return self.reader.frontend

    @property
    def subsampling(self) -> int:
        return self.reader.subsampling

    @property
    def vocabulary(self) -> Vocabulary:
        return self.reader.vocabulary

    def log_probs(self, features: Sequence[Features]) -> list[LogProbs]:
        batch = _padded(features)
        started_s = process_time()
        scores, lengths = self.network(*batch)
        self.cpu_s += process_time() - started_s
        found = [row[:length] for row, length in zip(scores, lengths, strict=True)]
        self.found += found
        return found


def _enough(recordings: Sequence[Samples], rate_hz: int) -> list[Samples]:
    """Take recordings with a pause behind each, until they are long enough together."""
    found: list[Samples] = []
    for each in cycle(recordings):
        found.append(np.concatenate([each, _pause(each, rate_hz)]))
        least_s = LEAST_LONG_S if len(found) >= len(recordings) else LONG_S
        if sum(map(len, found)) >= least_s * rate_hz:
            break
    return found


def _pause(samples: Samples, rate_hz: int) -> Samples:
    """Make noise as loud as the quietest of a recording, so that no word runs into one of the next."""
    size = rate_hz // 100
    pieces = samples[: len(samples) // size * size].reshape(-1, size)
    level = np.quantile(np.sqrt(np.square(pieces).mean(axis=1)), QUIET_SHARE)
    noise = np.random.default_rng(0).standard_normal(round(PAUSE_S * rate_hz), np.float32)
    return noise * np.float32(level)


def _padded(features: Sequence[Features]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    lengths = np.array([matrix.shape[1] for matrix in features], dtype=np.int64)
    padded = np.zeros((len(features), features[0].shape[0], int(lengths.max())), dtype=np.float32)
    for line, matrix in zip(padded, features, strict=True):
        line[:, : matrix.shape[1]] = matrix
    return padded, lengths


def _text(log_probs: LogProbs, vocabulary: Vocabulary) -> str:
    return vocabulary.decode([span.token_id for span in greedy_decode(log_probs, vocabulary.blank_id)])
