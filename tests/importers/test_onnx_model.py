"""Exported models become bundles that give the same, or an error that says what does not fit."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnxruntime import InferenceSession

from linnet.bundle.reader import read_bundle
from linnet.core.errors import BundleError, CheckpointError, ConfigError, LinnetError
from linnet.export.foreign import export_for
from linnet.export.sherpa_onnx import SHERPA_ONNX
from linnet.importers import onnx_graph
from linnet.importers.onnx_files import OnnxFiles, find_files, is_exported
from linnet.importers.onnx_model import OnnxImport, import_onnx, model_name
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.session import CtcSession

F, V = 8, 4
TOKENS = "  0\na 1\nb 2\n<blk> 3\n"  # as NeMo's letters are written: the space is a piece
FRONTEND = {"num_mels": F, "normalize": "none"}
Folder = Callable[..., Path]


def ctc_model(
    inputs: Sequence[tuple[str, int, Sequence[Any]]] | None = None,
    *,
    signal: str = "audio_signal",
    stride: int = 2,
    masked: bool = True,
    scores: bool = False,
    metadata: dict[str, str] | None = None,
) -> Any:
    """Build what NeMo exports: a strided convolution over the (masked) features and a log-softmax."""
    make, kinds = onnx.helper, onnx.TensorProto
    inputs = inputs or [(signal, kinds.FLOAT, ["B", F, "T"]), ("length", kinds.INT64, ["B"])]
    weight = np.sin(np.arange(V * F * 3, dtype=np.float32)).reshape(V, F, 3)
    constants = {"weight": weight, "zero": np.array(0), "one": np.array(1), "two": np.array(2)}
    constants |= {
        "axes": np.array([1, 2]),
        "nothing": np.array(0, np.float32),
        "shift": np.array(1, np.float32),
    }
    mask = [
        make.make_node("Shape", [signal], ["shape"]),
        make.make_node("Gather", ["shape", "two"], ["frames"]),
        make.make_node("Range", ["zero", "frames", "one"], ["range"]),
        make.make_node("Unsqueeze", ["length", "axes"], ["lengths"]),
        make.make_node("Less", ["range", "lengths"], ["valid"]),
        make.make_node("Where", ["valid", signal, "nothing"], ["spoken"]),
    ]
    # Without the mask, the padding of a batch becomes ones, and what lies beyond a recording alone zeros.
    shifted = [make.make_node("Add", [signal, "shift"], ["spoken"])]
    nodes = [
        *(mask if masked else shifted),
        make.make_node("Conv", ["spoken", "weight"], ["y"], strides=[stride], pads=[1, 1]),
        make.make_node("Transpose", ["y"], ["logprobs" if scores else "z"], perm=[0, 2, 1]),
        *([] if scores else [make.make_node("LogSoftmax", ["z"], ["logprobs"], axis=-1)]),
    ]
    graph = make.make_graph(
        nodes,
        "main",
        [make.make_tensor_value_info(*each) for each in inputs],
        [make.make_tensor_value_info("logprobs", kinds.FLOAT, ["B", "S", V])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    make.set_model_props(model, metadata or {})
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """`folder(model, tokens="…")` → a folder with model.onnx, tokens.txt and frontend.yaml."""

    def write(model: Any = None, tokens: str = TOKENS) -> Path:
        path = tmp_path / "exported"
        path.mkdir(exist_ok=True)
        onnx.save(model or ctc_model(), path / "model.onnx")
        (path / "tokens.txt").write_text(tokens, encoding="utf-8")
        (path / "frontend.yaml").write_text(yaml.safe_dump(FRONTEND), encoding="utf-8")
        return path

    return write


def run_import(folder: Path, **files: Path | None) -> OnnxImport:
    """Import into the folder "bundle" beside the other."""
    given = OnnxFiles(**{"frontend": folder / "frontend.yaml", **files})
    return import_onnx(find_files(folder, given), folder.parent / "bundle", model_name(folder), {})


@pytest.mark.parametrize(
    ("changes", "one_at_a_time"),
    [
        ({}, False),
        ({"signal": "features"}, False),
        ({"scores": True}, False),
        ({"masked": False}, True),  # as QuartzNet and Citrinet come out of NeMo
        ({"masked": False, "inputs": [("audio_signal", 1, ["B", F, "T"])]}, True),  # QuartzNet of NeMo 3
        ({"masked": False, "inputs": [("audio_signal", 1, [1, F, "T"]), ("length", 6, [1])]}, True),
    ],
)
def test_what_the_graph_gives_the_bundle_gives(
    folder: Folder, changes: dict[str, Any], one_at_a_time: bool
) -> None:
    source = folder(ctc_model(**changes))
    spec = run_import(source).spec
    assert (spec.subsampling, spec.one_at_a_time, spec.opset, spec.name) == (2, one_at_a_time, 17, "exported")
    assert (spec.vocabulary, spec.normalizer, spec.frontend.num_mels) == ("char", "basic", F)
    assert read_bundle(source.parent / "bundle").vocabulary.pieces == ("▁", "a", "b")
    features = np.random.default_rng(0).standard_normal((1, F, 41), dtype=np.float32)
    original = InferenceSession(source / "model.onnx", providers=["CPUExecutionProvider"])
    feed = {original.get_inputs()[0].name: features}
    for length in original.get_inputs()[1:]:
        feed[length.name] = np.array([41], np.int32 if "int32" in length.type else np.int64)
    (expected,) = original.run(["logprobs"], feed)
    if changes.get("scores"):
        expected = expected - np.log(np.exp(expected).sum(-1, keepdims=True))
    session = CtcSession(source.parent / "bundle" / "model.onnx")
    log_probs, lengths = session.log_probs(features, np.array([41], np.int64))
    assert lengths.tolist() == [21]
    np.testing.assert_allclose(log_probs, expected, atol=1e-6)


def test_a_folder_for_sherpa_onnx_comes_back_the_same(
    tone_bundle: Path, tmp_path: Path, say_tones: Callable[..., np.ndarray]
) -> None:
    export_for(SHERPA_ONNX, read_bundle(tone_bundle), tmp_path / "sherpa", force=True)
    imported = import_onnx(
        find_files(tmp_path / "sherpa", OnnxFiles()), tmp_path / "bundle", "x", {"license": "MIT"}
    )
    before, after = read_bundle(tone_bundle).spec, imported.spec
    changed = {"license": "MIT", "files": {}, "created_with": after.created_with}
    assert after == before.model_copy(update=changed)
    recordings = [say_tones("one two"), say_tones("two two one", gap_s=0.15)]
    there, back = (
        [each.text for each in Recognizer.load(path).transcribe_samples(recordings)]
        for path in (tone_bundle, tmp_path / "bundle")
    )
    assert there == back == ["one two", "two two one"]


def test_front_ends_that_are_told_or_known(folder: Folder, tmp_path: Path) -> None:
    source = folder(ctc_model(metadata={"normalize_type": "NA"}))
    told = run_import(source)
    assert (told.spec.frontend.window_ms, told.frontend_source) == (20.0, "frontend.yaml")
    shutil.rmtree(tmp_path / "bundle")
    assumed = run_import(source, frontend=None)
    assert (assumed.spec.frontend.window_ms, assumed.spec.frontend.normalize) == (25.0, "none")
    assert assumed.frontend_source == "assumed: NeMo's before 2.5"
    shutil.rmtree(tmp_path / "bundle")
    (source / "config.json").write_text(json.dumps({"model_type": "nemo-conformer-ctc", "features_size": F}))
    known = run_import(source, frontend=None)
    assert (known.spec.frontend.pad_mode, known.spec.frontend.normalize) == ("zeros", "per_feature")
    shutil.rmtree(tmp_path / "bundle")
    preprocessor = {"_target_": "nemo.AudioToMelSpectrogramPreprocessor", "features": F, "window_size": 0.03}
    (source / "model_config.yaml").write_text(
        yaml.safe_dump({"nemo_version": "1.23.0", "preprocessor": preprocessor})
    )
    read = run_import(source, frontend=None)
    assert (read.spec.frontend.window_ms, read.spec.frontend.pad_mode) == (30.0, "reflect")


def external(model: Any) -> Any:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return model


CACHES = [("audio_signal", 1, ["B", F, "T"]), ("length", 7, ["B"]), ("cache_last_channel", 1, [1, 1, 1, 1])]


@pytest.mark.parametrize(
    ("model", "tokens", "message"),
    [
        (ctc_model(inputs=CACHES), TOKENS, "its inputs are .* cache_last_channel of rank 4"),
        (ctc_model(inputs=[("length", 7, ["B"])]), TOKENS, "its inputs are length of rank 1"),
        (external(ctc_model()), TOKENS, "keeps its weights in other files, which are not opened"),
        (ctc_model(metadata={"linnet_bundle": "[1"}), TOKENS, r"linnet_bundle: is no JSON object"),
        (ctc_model(metadata={"linnet_bundle": "{}"}), TOKENS, "name: is missing"),
        (None, "a 0\nb 1\n", "lists 2 pieces besides the blank, but the model has 3"),
        (None, "a 0\nb 1\nb 2\n<blk> 3\n", "'b' of the vocabulary has two ids"),
        (None, "a 0\nb 1\nc 9\n<blk> 3\n", "line 3: the id 9 is there twice, or higher"),
        (
            None,
            "<blk> 0\na 1\nb 2\nc 3\n",
            "the blank '<blk>' is token 0; only models with the blank as their last",
        ),
        (None, "\udcff", "it is not UTF-8"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    folder: Folder, tmp_path: Path, model: Any, tokens: str, message: str
) -> None:
    source = folder(model, tokens="")
    (source / "tokens.txt").write_bytes(tokens.encode("utf-8", errors="surrogateescape"))
    with pytest.raises(LinnetError, match=message):
        run_import(source)
    assert [path.name for path in tmp_path.iterdir()] == ["exported"]


def test_a_front_end_of_another_size_and_none_at_all(folder: Folder) -> None:
    source = folder()
    with pytest.raises(CheckpointError, match=r"does not say which features it reads.*--config"):
        run_import(source, frontend=None)
    (source / "frontend.yaml").write_text("num_mels: 9\n")
    with pytest.raises(
        CheckpointError, match=r"reads 8 features, but its front end \(frontend\.yaml\) gives 9"
    ):
        run_import(source)
    (source / "frontend.yaml").write_text("mels: 9\n")
    with pytest.raises(ConfigError, match="mels"):
        run_import(source)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08", b"<html>"])
def test_a_file_that_is_no_model(folder: Folder, tmp_path: Path, content: bytes) -> None:
    source = folder()
    (source / "model.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.onnx: is no ONNX model"):
        run_import(source)
    assert not (tmp_path / "bundle").exists()


def test_a_graph_that_onnxruntime_refuses(folder: Folder) -> None:
    model = ctc_model()
    model.graph.node[-1].op_type = "FromAnotherWorld"
    with pytest.raises(CheckpointError, match="cannot be run: onnxruntime"):
        run_import(folder(model))


def test_a_huge_model_and_missing_files(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder()
    (source / "tokens.txt").unlink()
    with pytest.raises(
        CheckpointError, match=r"there is no tokens\.txt or vocab\.txt beside the model.*--tokens"
    ):
        run_import(source)
    monkeypatch.setattr(onnx_graph, "MAX_MODEL_BYTES", 100)
    with pytest.raises(CheckpointError, match="at most 100 are read"):
        run_import(source, tokens=source / "frontend.yaml")
    (source / "model.onnx").unlink()
    with pytest.raises(CheckpointError, match=r"holds no model\.onnx"):
        run_import(source)
    with pytest.raises(CheckpointError, match="there is no such file"):
        onnx_graph.read_graph(tmp_path / "none.onnx")


def test_nothing_is_imported_over_something(folder: Folder, tmp_path: Path) -> None:
    source = folder()
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "notes.txt").write_text("mine")
    with pytest.raises(BundleError, match=r"other files, such as 'notes\.txt'"):
        run_import(source)


def test_what_is_exported_and_what_it_is_called(tmp_path: Path) -> None:
    assert [is_exported(each) for each in ("a.onnx", "a.nemo", "hf:a/b", str(tmp_path))] == [
        True,
        False,
        False,
        True,
    ]
    names = [model_name(Path(each)) for each in ("x/my model.onnx", "x/y/model.onnx")]
    assert names == ["my-model", "y"]
