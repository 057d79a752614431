"""int8: a bundle that is smaller and reads the same, and layers that stay in float32 where it would not."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from linnet.bundle.reader import read_bundle
from linnet.bundle.schema import OwnSearch
from linnet.bundle.writer import attach_language_model
from linnet.cli.main import app
from linnet.core.arrays import Samples
from linnet.core.errors import ExportError
from linnet.export import quantization
from linnet.export.comparison import Material, run
from linnet.export.int8 import GraphInt8
from linnet.export.proof import reader_of
from linnet.export.quantization import Quantization, find_int8
from linnet.models.ctc import CtcModel
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.search_config import SearchConfig
from linnet.runtime.session import CtcSession

TEXTS = ("one", "two one", "one two one")


@pytest.fixture(scope="module")
def small(tone_export: Any, tone_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The tone bundle in int8, with a file for a language model, and what the command printed."""
    folder = tmp_path_factory.mktemp("int8")
    shutil.copytree(tone_export.output_dir, folder / "large")
    (folder / "any.lm").write_bytes(b"n-grams")
    attach_language_model(folder / "large", folder / "any.lm", OwnSearch(alpha=0.25))
    folder, source = folder / "small", folder / "large"
    (folder.parent / "dev.json").write_text('{"words": {"rate": 0.5}}')
    said = ["--min-confidence", 0.125, "--report", folder.parent / "dev.json"]
    arguments = ["export", source, folder, "--int8", "--manifest", tone_corpus / "dev.jsonl", *said]
    result = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.stderr
    return folder, result.stdout


def test_a_bundle_in_int8_reads_the_same(small: tuple[Path, str], recordings: list[Samples]) -> None:
    recognizer = Recognizer.load(small[0], search=SearchConfig(no_lm=True))
    assert recognizer.session.precision == "int8"
    assert [each.text for each in recognizer.transcribe_samples(recordings)] == list(TEXTS)


def test_weights_are_bytes_with_a_scale_for_each_channel(small: tuple[Path, str]) -> None:
    graph = onnx.load(small[0] / "model.onnx").graph
    weights = [each for each in graph.initializer if len(each.dims) == 4]
    assert weights
    assert {each.data_type for each in weights} == {onnx.TensorProto.INT8}
    scales = {each.name: each.dims for each in graph.initializer}
    by_channel = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.attribute]
    assert any(list(scales[node.input[1]]) == [16] for node in by_channel)


def test_the_proof_says_what_int8_costs(small: tuple[Path, str]) -> None:
    folder, printed = small
    proof = json.loads((folder / "proof.json").read_text())
    assert [(row["graph"], row["batch_size"], row["long_form"]) for row in proof["rows"]] == [
        (graph, *way)
        for graph in ("onnx fp32", "onnx int8")
        for way in ((1, False), (2, False), (8, False), (1, True))
    ]
    assert all(row["wer"] == 0 for row in proof["rows"] if not row["long_form"])
    assert all(row["rtfx"] > 0 for row in proof["rows"])
    assert proof["rows"][0]["difference"] == 0 < proof["rows"][4]["difference"]
    assert set(proof["int8"]["divergence"]) == {"minmax", "percentile", "entropy"}
    assert "int8: word error rate +0.00 points" in printed
    card = (folder / "README.md").read_text()
    assert "| onnx int8 | batches of 8 |" in card
    assert "| onnx int8 | long-form |" in card


def test_older_readers_find_the_files_they_know(small: tuple[Path, str], tone_export: Any) -> None:
    spec, source = (read_bundle(each).spec for each in (small[0], tone_export.output_dir))
    assert spec.files.keys() == source.files.keys() | {"language.lm"}
    assert (spec.name, spec.vocabulary) == (source.name, source.vocabulary)


def test_what_is_said_of_it_takes_the_place_of_what_the_source_says(
    small: tuple[Path, str], tone_export: Any
) -> None:
    spec, source = (read_bundle(each).spec for each in (small[0], tone_export.output_dir))
    assert (spec.min_confidence, source.min_confidence) == (0.125, 0.0)
    assert (spec.description, spec.language) == (source.description, source.language)
    assert spec.metrics == {"WER dev": 50.0}


def test_the_language_model_comes_along(small: tuple[Path, str]) -> None:
    bundle = read_bundle(small[0])
    assert bundle.language_model is not None
    assert bundle.language_model.read_bytes() == b"n-grams"
    assert bundle.spec.search == OwnSearch(alpha=0.25)


def test_int8_of_int8_is_refused(small: tuple[Path, str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(small[0]), str(tmp_path / "again"), "--int8"])
    assert result.exit_code == 2
    assert "this bundle is int8 already" in result.stderr


@pytest.mark.parametrize("what", [("--int8",), ("--for", "onnx-asr")])
def test_the_attention_of_a_bundle_stays_as_it_is(
    tone_export: Any, tmp_path: Path, what: tuple[str, ...]
) -> None:
    command = ["export", str(tone_export.output_dir), str(tmp_path / "new"), *what]
    result = CliRunner().invoke(app, [*command, "--attention-frames", "8"])
    assert result.exit_code == 2
    assert "--attention-frames needs a checkpoint" in result.stderr
    assert not (tmp_path / "new").exists()


class Layers:
    """Stands in for `GraphInt8`: the graph is good as long as no layer of `bad` is in int8."""

    def __init__(self, graph: Path, spoiled: Path, bad: set[str]) -> None:
        self.graph, self.spoiled, self.bad = graph, spoiled, bad
        self.layers = ("a", "b", "c", "d", "e", "f")

    def write(self, path: Path, _: str, *, kept: tuple[str, ...] = (), only: str | None = None) -> None:
        quantized = {only} if only else {*self.layers} - {*kept}
        shutil.copyfile(self.spoiled if quantized & self.bad else self.graph, path)


@pytest.fixture
def spoiled(graph: Path, tmp_path: Path) -> Path:
    """The graph with the weights of its head turned round."""
    content = onnx.load(graph)
    name = [node for node in content.graph.node if node.op_type == "Conv"][-1].input[1]
    weight = next(each for each in content.graph.initializer if each.name == name)
    weight.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(weight), weight.name))
    onnx.save(content, tmp_path / "spoiled.onnx")
    return tmp_path / "spoiled.onnx"


def search(
    bad: set[str],
    graph: Path,
    spoiled: Path,
    model: CtcModel,
    recordings: list[Samples],
    *,
    force: bool = False,
) -> Quantization:
    material = Material.of(reader_of(model), recordings, TEXTS)
    layers: Any = Layers(graph, spoiled, bad)
    source = run(CtcSession(graph).log_probs, material)
    path = spoiled.with_name("int8.onnx")
    return find_int8(layers, path, material, source, force=force, advance=lambda _: None)


def test_the_worst_layers_stay_in_float32(
    graph: Path, spoiled: Path, model: CtcModel, recordings: list[Samples]
) -> None:
    found = search({"b", "e"}, graph, spoiled, model, recordings)
    assert set(found.kept) == {"b", "e"}
    assert (found.wer_loss, found.holds) == (0.0, True)
    assert [cost.divergence > 0 for cost in found.costs] == [True, True, False, False, False, False]
    assert spoiled.with_name("int8.onnx").read_bytes() == graph.read_bytes(), "what was found is what is kept"


def test_a_graph_that_would_hardly_be_int8_is_refused_with_its_costs(
    graph: Path, spoiled: Path, model: CtcModel, recordings: list[Samples]
) -> None:
    bad = {"a", "b", "c", "d"}
    with pytest.raises(ExportError, match=r"int8 loses \d+\.\d\d points .*: a [\d.e+]+, b "):
        search(bad, graph, spoiled, model, recordings)
    forced = search(bad, graph, spoiled, model, recordings, force=True)
    assert not forced.holds
    assert forced.kept == ()


def test_each_layer_of_a_real_graph_is_measured_alone(
    graph: Path, model: CtcModel, recordings: list[Samples], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = Material.of(reader_of(model), recordings, TEXTS)
    layers = GraphInt8(graph, tmp_path, material.features)
    source = run(CtcSession(graph).log_probs, material)
    monkeypatch.setattr(quantization, "MAX_KEPT", 1.0)
    monkeypatch.setattr(
        Quantization, "holds", property(lambda found: len(found.kept) >= len(layers.layers) - 1)
    )
    found = find_int8(layers, tmp_path / "i.onnx", material, source, force=False, advance=lambda _: None)
    assert {cost.layer for cost in found.costs} == set(layers.layers)
    assert found.costs[0].divergence > 0
    written = onnx.load(tmp_path / "i.onnx").graph
    convolutions = {node.name: node for node in written.node if node.op_type == "Conv"}
    integers = {each.name for each in written.initializer if each.data_type == onnx.TensorProto.INT8}
    into = {node.output[0]: node.input[0] for node in written.node if node.op_type == "DequantizeLinear"}
    in_int8 = {name for name, node in convolutions.items() if into.get(node.input[1]) in integers}
    assert in_int8 == set(layers.layers) - set(found.kept)
    assert len(in_int8) == 1


def test_layers_that_int8_would_spoil_are_found_and_kept(
    graph: Path, model: CtcModel, recordings: list[Samples], tmp_path: Path
) -> None:
    loud, beside = tmp_path / "loud.onnx", write_loud_channels(graph, tmp_path / "loud.onnx")
    material = Material.of(reader_of(model), recordings, TEXTS)
    source = run(CtcSession(loud).log_probs, material)
    assert source.texts == TEXTS, "the same network in float32"
    layers = GraphInt8(loud, tmp_path, material.features)
    found, lost = (
        find_int8(layers, tmp_path / "i.onnx", material, source, force=force, advance=lambda _: None)
        for force in (False, True)
    )
    assert lost.wer_loss > 0.3
    assert (found.wer_loss, found.holds) == (0.0, True)
    assert set(found.kept) <= beside < set(layers.layers)


def write_loud_channels(graph: Path, path: Path, factor: float = 1024) -> set[str]:
    """Make every second channel of a tensor louder, and what reads it as much deafer, which changes nothing.

    Returns:
        The layers that write and read the tensor.
    """
    content = onnx.load(graph)
    weights = {each.name: each for each in content.graph.initializer}
    writing, *_ = [
        node
        for node in content.graph.node
        if node.op_type == "Conv" and list(weights[node.input[1]].dims) == [16, 16, 1, 1]
    ]

    def scale(name: str, by: float, axis: int = 0) -> None:
        values = onnx.numpy_helper.to_array(weights[name]).copy()
        values.swapaxes(0, axis)[::2] *= by
        weights[name].CopyFrom(onnx.numpy_helper.from_array(values, name))

    for name in writing.input[1:]:
        scale(name, factor)
    tensors, layers = [writing.output[0]], {writing.name}
    while tensors:
        tensor = tensors.pop()
        for node in content.graph.node:
            if tensor not in node.input:
                continue
            if node.op_type == "Conv":
                layers.add(node.name)
                scale(node.input[1], 1 / factor, axis=int(weights[node.input[1]].dims[1] > 1))
            else:
                assert node.op_type in ("Relu", "Mul")
                tensors += node.output
    onnx.save(content, path)
    return layers


def test_without_texts_the_float32_graph_is_right(
    model: CtcModel, graph: Path, recordings: list[Samples], tmp_path: Path
) -> None:
    material = Material.of(
        reader_of(model), [np.zeros(100, np.float32), *recordings], [None, *TEXTS[:2], None]
    )
    assert (len(material.features), material.references) == (3, ())
    layers: Any = Layers(graph, graph, set())
    source = run(CtcSession(graph).log_probs, material)
    found = find_int8(layers, tmp_path / "copy.onnx", material, source, force=False, advance=lambda _: None)
    assert found.against == "the float32 graph"
