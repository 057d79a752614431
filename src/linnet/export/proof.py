"""The comparison of an exported graph with the torch model it came from."""

import json
import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from linnet.core.arrays import Samples
from linnet.core.errors import ExportError
from linnet.export.comparison import (
    Material,
    Network,
    Reader,
    Row,
    Run,
    rows,
    run,
    run_all,
    run_long,
    run_whole,
)
from linnet.runtime.session import CtcSession

if TYPE_CHECKING:
    from linnet.export.quantization import Quantization
    from linnet.models.ctc import CtcModel

SCHEMA_VERSION = 1  # of proof.json
TOLERANCE = 1e-4
# The graph adds in another order than torch, so it may round off a little more; never much more.
ROUNDING_FACTOR = 2.0
MAX_ROUNDING = 1e-2  # beyond it nothing is proved, however far from exact torch is
TORCH, FLOAT32_GRAPH, INT8_GRAPH = "torch", "onnx fp32", "onnx int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How far the exported graph is from its source.

    Attributes:
        recordings: how many were compared.
        audio_s: how long they are together.
        alone: largest difference of a log-probability, one recording at a time.
        batched: the same, with recordings in padded batches in the graph and alone in the source; `alone`
            again for a model whose recordings never share a batch.
        changed_texts: recordings whose greedy text differs, alone or batched, and one more where that of all
            joined does.
        long_form: largest difference with the recordings joined to a long one, which both read in windows.
        tolerance: what was allowed.
        source_rounding: largest difference of the torch model from itself in float64. Only where a difference
            above is beyond the tolerance it is measured, and not 0: deep networks can multiply the rounding
            of float32 until torch itself is no better than this.
        graph_rounding: likewise, of the graph from the torch model in float64.
        source: what the graph is compared with: the torch model, or the float32 graph of a bundle.
        forced: whether the bundle was written although the proof does not hold.
        rows: each graph in each way, line by line.
        int8: how the int8 graph was found, where the bundle holds one.
    """

    recordings: int
    audio_s: float
    alone: float
    batched: float
    changed_texts: int
    long_form: float = 0.0
    tolerance: float = TOLERANCE
    source_rounding: float = 0.0
    graph_rounding: float = 0.0
    source: str = TORCH
    forced: bool = False
    rows: tuple[Row, ...] = ()
    int8: "Quantization | None" = None

    @property
    def holds(self) -> bool:
        """Whether the export may be written: it is as good as the torch model, and no text changed."""
        return not self.changed_texts and (self.is_close or self.is_rounding)

    @property
    def is_close(self) -> bool:
        """Whether the graph is within the tolerance of the torch model."""
        # Each by itself: NaN is within no tolerance, but max() may pass it over.
        return all(each <= self.tolerance for each in (self.alone, self.batched, self.long_form))

    @property
    def is_rounding(self) -> bool:
        """Whether the graph is about as near to exact arithmetic as the torch model."""
        return 0 < self.graph_rounding <= min(ROUNDING_FACTOR * self.source_rounding, MAX_ROUNDING)

    def lines(self) -> list[str]:
        """Say what was compared and found, for people."""
        found = [
            f"compared on {self.recordings} recordings, {self.audio_s:.1f} s",
            f"largest difference: {self.alone:.1e} alone, {self.batched:.1e} in a padded batch, "
            f"{self.long_form:.1e} in windows of a long recording",
        ]
        if self.source == TORCH and not self.is_close:
            found.append(
                f"from exact arithmetic: the torch model {self.source_rounding:.1e}, the graph "
                f"{self.graph_rounding:.1e}; the network multiplies the rounding of float32"
            )
        if self.forced:
            found.append("this export does not agree with its source; it was written because of --force")
        return [*found, *(self.int8.lines() if self.int8 else ())]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for the bundle."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    def to_json(self) -> str:
        """Return the content of proof.json; what is not a finite number is null."""
        return json.dumps(_finite(self.to_dict()), indent=1, allow_nan=False) + "\n"


def prove(
    model: "CtcModel",
    session: CtcSession,
    recordings: Sequence[Samples],
    texts: Sequence[str | None] = (),
    *,
    force: bool = False,
) -> Proof:
    """Run torch and onnxruntime on the same features of the same recordings.

    Args:
        model: the source, in evaluation mode.
        session: its graph.
        recordings: mono waveforms at the rate of the model.
        texts: what is said in each, where known.
        force: whether a proof that does not hold is returned, marked as forced.

    Raises:
        ExportError: when a difference exceeds the tolerance and the rounding of the torch model does not
            explain it, when a text changes, or when no recording is long enough for a frame.
    """
    material = Material.of(reader_of(model), recordings, texts)
    source = run_all(torch_network(model), material)
    graph = run_all(session.log_probs, material)
    of_itself = [source[0], run_whole(torch_network(model), material)]
    lines = rows(TORCH, 4 * model.num_parameters(), source, of_itself, material)
    lines += rows(FLOAT32_GRAPH, session.size_bytes, graph, source, material)
    proof = compared(material, source, graph, lines)
    if not proof.is_close:
        exact_network = torch_network(deepcopy(model).double())
        exact = [run(exact_network, material), run_long(exact_network, material, material.windows)]
        proof = replace(
            proof,
            source_rounding=_largest(exact, [source[0], source[-1]]),
            graph_rounding=_largest(exact, graph),
        )
    if not proof.holds and not force:
        raise _refusal(proof)
    return replace(proof, forced=not proof.holds)


def _refusal(proof: Proof) -> ExportError:
    """Say why a proof does not hold: whether the graph is wrong, or the network takes rounding too far."""
    what = (
        f"the exported graph differs from the torch model by {proof.alone:.1e} alone and "
        f"{proof.batched:.1e} in a padded batch, {proof.long_form:.1e} in windows of a long recording "
        f"(allowed {proof.tolerance:.0e}); {proof.changed_texts} texts changed"
    )
    if not math.isfinite(proof.source_rounding):
        return ExportError(
            "the torch model itself gives values that are not finite: some of its weights are broken",
            remedy="Nothing was written. Take an earlier checkpoint, or this one as it is with --force",
        )
    if proof.source_rounding <= proof.tolerance:
        return ExportError(
            what,
            remedy="Nothing was written. Please report it with the versions of torch and onnxruntime, or "
            "take it as it is with --force",
        )
    return ExportError(
        f"{what}; but this network multiplies the rounding of float32: from exact arithmetic the torch model "
        f"differs by {proof.source_rounding:.1e} itself, the graph by {proof.graph_rounding:.1e} (allowed "
        f"{ROUNDING_FACTOR:g} times as much, and never over {MAX_ROUNDING:g})",
        remedy="Nothing was written. A model that has learned nothing yet is often so: train it further, or "
        "take it as it is with --force",
    )


def compared(material: Material, source: Sequence[Run], graph: Sequence[Run], lines: Sequence[Row]) -> Proof:
    """Sum up how the runs of a graph differ from those of a source; both as `run_all` gives them."""
    *by_recording, long_form = graph
    texts = zip(source[0].texts, *(each.texts for each in by_recording), strict=True)
    return Proof(
        recordings=len(material.features),
        audio_s=material.audio_s,
        alone=_largest(source, graph[:1]),
        batched=_largest(source, by_recording[1:] or by_recording),
        long_form=_largest(source, [long_form]),
        changed_texts=sum(len(set(column)) > 1 for column in texts) + (long_form.texts != source[-1].texts),
        rows=tuple(lines),
    )


def reader_of(model: "CtcModel") -> Reader:
    """Say how the recordings of a model are read."""
    return Reader(
        frontend=model.config.frontend,
        vocabulary=model.vocabulary,
        normalizer=model.config.normalizer,
        subsampling=model.config.encoder.subsampling,
        one_at_a_time=model.one_at_a_time,
    )


def torch_network(model: "CtcModel") -> Network:
    """Make a torch model a network of arrays; one in float64 gives float64."""
    import torch

    kind = next(model.parameters()).dtype

    def network(features: Any, lengths: Any) -> Any:
        with torch.inference_mode():
            log_probs, valid = model(torch.from_numpy(features).to(kind), torch.from_numpy(lengths))
        return log_probs.numpy(), valid.numpy()

    return network


def _largest(source: Sequence[Run], found: Sequence[Run]) -> float:
    """Give the largest difference of runs from the first of a source, or for the long-form from its last."""
    differences = [source[-1 if each.long_form else 0].difference(each) for each in found]
    return float(np.max(differences))  # NaN if any is


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
