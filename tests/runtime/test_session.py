"""The session takes CTC models only, and explains what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from linnet.core.errors import BundleError, ConfigError
from linnet.runtime import session
from linnet.runtime.session import CtcSession


def test_a_padded_batch_gives_valid_lengths(tone_bundle: Path) -> None:
    session = CtcSession(tone_bundle / "model.onnx")
    assert (session.num_features, session.num_tokens) == (64, 3)
    assert (session.precision, session.size_bytes) == ("float32", (tone_bundle / "model.onnx").stat().st_size)
    log_probs, lengths = session.log_probs(np.zeros((2, 64, 7), np.float32), np.array([7, 4], np.int64))
    assert log_probs.shape == (2, 4, 3)
    assert lengths.tolist() == [4, 2]
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-6)


def test_features_of_another_size_are_refused(tone_bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"cannot run on features of shape \(1, 80, 7\)"):
        CtcSession(tone_bundle / "model.onnx").log_probs(np.zeros((1, 80, 7), np.float32), np.array([7]))


@pytest.mark.parametrize("content", [b"", b"no model at all"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"model\.onnx: onnxruntime .* cannot load the model"):
        CtcSession(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"none\.onnx"):
        CtcSession(tmp_path / "none.onnx")


def test_a_model_with_other_inputs_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["x"], ["y"])],
        "copy",
        [value("x", kind, [1])],
        [value("y", kind, [1])],
    )
    opset = onnx.helper.make_opsetid("", 18)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=10), tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=r"inputs are x tensor\(float\) of rank 1, expected audio_signal"):
        CtcSession(tmp_path / "model.onnx")


def test_threads_are_counted_from_one(tone_bundle: Path) -> None:
    with pytest.raises(ConfigError, match="num_threads=0"):
        CtcSession(tone_bundle / "model.onnx", num_threads=0)


@pytest.mark.parametrize(
    ("machine", "flags", "overflow"),
    [("x86_64", "avx2", True), ("AMD64", "avx2 avx512_vnni", False), ("arm64", "", False)],
)
def test_int8_sums_might_overflow_on_x86_without_vnni(
    machine: str, flags: str, overflow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(Path, "read_text", lambda path, **_: f"flags : {flags}")
    assert session._int8_sums_may_overflow.__wrapped__() == overflow
