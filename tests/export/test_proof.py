"""The proof: it holds for the true graph and for no other."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from linnet.core.arrays import Samples
from linnet.core.errors import ExportError
from linnet.export.proof import TOLERANCE, Proof, prove
from linnet.models.ctc import CtcModel
from linnet.runtime.session import CtcSession


class ChangedSession:
    """The true session, one value of one padded batch (or of each long window) replaced."""

    def __init__(self, graph: Path, place: tuple[int, ...], value: float, *, long: bool = False) -> None:
        self.session, self.place, self.value, self.long = CtcSession(graph), place, value, long
        self.size_bytes = self.session.size_bytes

    def log_probs(self, features: Any, lengths: Any) -> tuple[Any, Any]:
        log_probs, output_lengths = self.session.log_probs(features, lengths)
        if lengths[0] > 500 if self.long else len(features) > max(1, self.place[0]):
            log_probs = log_probs.copy()
            log_probs[self.place] = self.value
        return log_probs, output_lengths


def changed(graph: Path, folder: Path, *, factor: float = 1.0, amount: float = 0.0) -> Path:
    """Write a copy of the graph with the weights of its head multiplied, and something added to one."""
    content = onnx.load(graph)
    name = [node for node in content.graph.node if node.op_type == "Conv"][-1].input[1]
    weight = next(each for each in content.graph.initializer if each.name == name)
    values = onnx.numpy_helper.to_array(weight) * np.float32(factor)
    values.flat[3] += amount
    weight.CopyFrom(onnx.numpy_helper.from_array(values, name))
    onnx.save(content, folder / "changed.onnx")
    return folder / "changed.onnx"


def test_recordings_that_may_not_share_a_batch_are_compared_alone(
    model: CtcModel, graph: Path, recordings: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CtcModel, "one_at_a_time", True)
    session = ChangedSession(graph, (0, 0, 0), np.nan)  # which only a batch would meet
    proof = prove(model, session, recordings)  # type: ignore[arg-type]
    assert proof.holds
    assert proof.batched == proof.alone


def test_the_true_graph_is_proved(model: CtcModel, graph: Path, recordings: list[Samples]) -> None:
    proof = prove(model, CtcSession(graph), recordings)
    assert proof.holds
    assert 0 < max(proof.alone, proof.batched) < TOLERANCE
    assert (proof.recordings, proof.changed_texts) == (3, 0)
    assert proof.audio_s == pytest.approx(sum(len(samples) for samples in recordings) / 16000)
    assert proof.to_dict()["tolerance"] == TOLERANCE


@pytest.mark.parametrize("amount", [0.01, 100.0])
def test_one_changed_weight_is_refused(
    model: CtcModel, graph: Path, recordings: list[Samples], tmp_path: Path, amount: float
) -> None:
    session = CtcSession(changed(graph, tmp_path, amount=amount))
    with pytest.raises(
        ExportError, match=r"differs from the torch model by .* \(allowed 1e-04\).* report it"
    ):
        prove(model, session, recordings)


def test_a_difference_in_the_padded_batch_alone_is_refused(
    model: CtcModel, graph: Path, recordings: list[Samples]
) -> None:
    session: Any = ChangedSession(graph, (1, 4, 0), -50.0)
    with pytest.raises(ExportError, match="in a padded batch"):
        prove(model, session, recordings)


def test_a_long_recording_is_read_in_windows_too(
    model: CtcModel, graph: Path, recordings: list[Samples]
) -> None:
    texts = ["one", "two one", "one two one"]
    rows = [row for row in prove(model, CtcSession(graph), recordings, texts).rows if row.long_form]
    assert [(row.graph, row.way) for row in rows] == [("torch", "long-form"), ("onnx fp32", "long-form")]
    assert [(row.changed_words, row.wer) for row in rows] == [(0, 0.0), (0, 0.0)]
    assert max(row.difference for row in rows) < TOLERANCE  # seams lie in silence
    session: Any = ChangedSession(graph, (0, 100, 0), -50.0, long=True)
    with pytest.raises(ExportError, match="in windows of a long recording"):
        prove(model, session, recordings)


def with_louder_head(model: CtcModel, factor: float) -> CtcModel:
    loud = deepcopy(model)
    weight = loud.head.weight
    assert isinstance(weight, torch.Tensor)
    with torch.no_grad():
        weight *= factor
    return loud


def test_a_network_that_multiplies_rounding_is_held_to_exact_arithmetic(
    model: CtcModel, graph: Path, recordings: list[Samples], tmp_path: Path
) -> None:
    loud = with_louder_head(model, 1e3)
    proof = prove(loud, CtcSession(changed(graph, tmp_path, factor=1e3)), recordings)
    assert proof.holds
    assert max(proof.alone, proof.batched) > TOLERANCE
    assert 0 < proof.graph_rounding <= 2 * proof.source_rounding
    with pytest.raises(
        ExportError, match=r"multiplies the rounding of float32: from exact arithmetic .* train it"
    ):
        prove(loud, CtcSession(changed(graph, tmp_path, factor=1e3, amount=100.0)), recordings)


def test_a_network_that_makes_rounding_large_proves_nothing(
    model: CtcModel, graph: Path, recordings: list[Samples], tmp_path: Path
) -> None:
    loud = with_louder_head(model, 3e6)
    session = CtcSession(changed(graph, tmp_path, factor=3e6))
    with pytest.raises(ExportError, match=r"allowed 2 times as much, and never over 0\.01"):
        prove(loud, session, recordings)
    with pytest.raises(ExportError, match="the torch model itself gives values that are not finite"):
        prove(with_louder_head(model, torch.nan), session, recordings)


@pytest.mark.parametrize("row", [0, 1, 2])
def test_nan_is_no_small_difference(
    model: CtcModel, graph: Path, recordings: list[Samples], row: int
) -> None:
    blank = model.vocabulary.blank_id  # where it would change no text
    session: Any = ChangedSession(graph, (row, 0, blank), float("nan"))
    with pytest.raises(ExportError, match="nan in a padded batch"):
        prove(model, session, recordings)


def test_recordings_too_short_for_a_frame_prove_nothing(
    model: CtcModel, graph: Path, recordings: list[Samples]
) -> None:
    too_short = np.zeros(100, np.float32)
    assert prove(model, CtcSession(graph), [too_short, *recordings]).recordings == 3
    for nothing in ([], [too_short]):
        with pytest.raises(ExportError, match="no recording to compare on"):
            prove(model, CtcSession(graph), nothing)


@pytest.mark.parametrize(
    ("differences", "changed_texts", "holds"),
    [
        ((1e-4, 1e-4, 1e-4), 0, True),
        ((1.1e-4, 0.0, 0.0), 0, False),
        ((0.0, 1.1e-4, 0.0), 0, False),
        ((0.0, 0.0, 1.1e-4), 0, False),
        ((0.0, 0.0, 0.0), 1, False),
        ((0.0, np.nan, 0.0), 0, False),
        ((np.nan, 0.0, 0.0), 0, False),
        ((0.0, 0.0, np.nan), 0, False),
    ],
)
def test_what_holds(differences: tuple[float, float, float], changed_texts: int, holds: bool) -> None:
    alone, batched, long_form = differences
    proof = Proof(
        recordings=1,
        audio_s=1.0,
        alone=alone,
        batched=batched,
        changed_texts=changed_texts,
        long_form=long_form,
    )
    assert proof.holds is holds
