"""The comparison of an exported graph with the torch model it came from."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

from linnet.core.arrays import Features, LogProbs, Samples
from linnet.core.errors import ExportError
from linnet.decoding.greedy import greedy_decode
from linnet.features.frontend import compute_features
from linnet.models.ctc import CtcModel
from linnet.runtime.session import CtcSession

TOLERANCE = 1e-4
# The graph adds in another order than torch, so it may round off a little more; never much more.
ROUNDING_FACTOR = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How far the exported graph is from its source.

    Attributes:
        recordings: how many were compared.
        audio_s: how long they are together.
        alone: largest difference of a log-probability, one recording at a time.
        batched: the same, with the recordings as one padded batch in the graph and alone in torch; `alone`
            again for a model whose recordings never share a batch.
        changed_texts: recordings whose greedy text differs, alone or batched.
        tolerance: what was allowed.
        source_rounding: largest difference of the torch model from itself in float64. Only where a difference
            above is beyond the tolerance it is measured, and not 0: deep networks can multiply the rounding
            of float32 until torch itself is no better than this.
        graph_rounding: likewise, of the graph from the torch model in float64.
    """

    recordings: int
    audio_s: float
    alone: float
    batched: float
    changed_texts: int
    tolerance: float = TOLERANCE
    source_rounding: float = 0.0
    graph_rounding: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the export may be written: it is as good as the torch model, and no text changed."""
        return not self.changed_texts and (self.is_close or self.is_rounding)

    @property
    def is_close(self) -> bool:
        """Whether the graph is within the tolerance of the torch model."""
        # Each by itself: NaN is within no tolerance, but max() may pass it over.
        return self.alone <= self.tolerance and self.batched <= self.tolerance

    @property
    def is_rounding(self) -> bool:
        """Whether the graph is about as near to exact arithmetic as the torch model."""
        return 0 < self.graph_rounding <= ROUNDING_FACTOR * self.source_rounding

    def lines(self) -> list[str]:
        """Say what was compared and found, for people."""
        found = [
            f"compared on {self.recordings} recordings, {self.audio_s:.1f} s",
            f"largest difference: {self.alone:.1e} alone, {self.batched:.1e} in a padded batch",
        ]
        if not self.is_close:
            found.append(
                f"from exact arithmetic: the torch model {self.source_rounding:.1e}, the graph "
                f"{self.graph_rounding:.1e}; the network multiplies the rounding of float32"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the bundle."""
        return asdict(self)


def prove(model: CtcModel, session: CtcSession, recordings: Sequence[Samples]) -> Proof:
    """Run torch and onnxruntime on the same features of the same recordings.

    Raises:
        ExportError: when a difference exceeds the tolerance and the rounding of the torch model does not
            explain it, when a text changes, or when no recording is long enough for a frame.
    """
    frontend = model.config.frontend
    computed = (compute_features(samples, frontend) for samples in recordings)
    features = [matrix[:, :frames] for matrix, frames in computed if frames]
    if not features:
        raise ExportError("there is no recording to compare on", remedy="Give some with speech in them")
    source = [_torch_log_probs(model, matrix) for matrix in features]
    alone = [_session_log_probs(session, [matrix])[0] for matrix in features]
    batched = alone if model.one_at_a_time else _session_log_probs(session, features)
    proof = Proof(
        recordings=len(features),
        audio_s=sum(len(samples) for samples in recordings) / frontend.sample_rate_hz,
        alone=_largest_difference(source, alone),
        batched=_largest_difference(source, batched),
        changed_texts=_changed_texts(model, source, alone, batched),
    )
    if not proof.is_close:
        exact = _exact_log_probs(model, features)
        proof = replace(
            proof,
            source_rounding=_largest_difference(exact, source),
            graph_rounding=float(np.max([_largest_difference(exact, each) for each in (alone, batched)])),
        )
    if not proof.holds:
        raise ExportError(
            f"the exported graph differs from the torch model by {proof.alone:.1e} alone and "
            f"{proof.batched:.1e} in a padded batch (allowed {proof.tolerance:.0e}); from exact arithmetic "
            f"both differ by {proof.graph_rounding:.1e} and {proof.source_rounding:.1e}; "
            f"{proof.changed_texts} texts changed",
            remedy="Nothing was written. Please report it with the versions of torch and onnxruntime",
        )
    return proof


def _torch_log_probs(model: CtcModel, features: Features) -> LogProbs:
    with torch.inference_mode():
        log_probs, _ = model(torch.from_numpy(features)[None], torch.tensor([features.shape[1]]))
    result: LogProbs = log_probs[0].numpy()
    return result


def _exact_log_probs(model: CtcModel, features: Sequence[Features]) -> list[LogProbs]:
    """Run the model in float64."""
    exact = deepcopy(model).double()
    with torch.inference_mode():
        return [
            exact(torch.from_numpy(each).double()[None], torch.tensor([each.shape[1]]))[0][0].numpy()
            for each in features
        ]


def _session_log_probs(session: CtcSession, features: Sequence[Features]) -> list[LogProbs]:
    lengths = np.array([matrix.shape[1] for matrix in features], dtype=np.int64)
    padded = np.zeros((len(features), features[0].shape[0], int(lengths.max())), dtype=np.float32)
    for row, matrix in zip(padded, features, strict=True):
        row[:, : matrix.shape[1]] = matrix
    log_probs, output_lengths = session.log_probs(padded, lengths)
    return [row[:length] for row, length in zip(log_probs, output_lengths, strict=True)]


def _largest_difference(source: Sequence[LogProbs], other: Sequence[LogProbs]) -> float:
    differences = [
        np.abs(a - b).max() if a.shape == b.shape else np.inf for a, b in zip(source, other, strict=True)
    ]
    return float(np.max(differences))  # NaN if any is


def _changed_texts(model: CtcModel, source: Sequence[LogProbs], *others: Sequence[LogProbs]) -> int:
    def texts(outputs: Sequence[LogProbs]) -> list[str]:
        vocabulary = model.vocabulary
        spans = [greedy_decode(log_probs, vocabulary.blank_id) for log_probs in outputs]
        return [vocabulary.decode([span.token_id for span in row]) for row in spans]

    columns = zip(texts(source), *(texts(other) for other in others), strict=True)
    return sum(len(set(column)) > 1 for column in columns)
