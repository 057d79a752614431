"""Folders for sherpa-onnx and onnx-asr: what they hold, and what is refused before one is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from linnet.bundle.reader import Bundle, read_bundle
from linnet.bundle.writer import write_bundle
from linnet.core.arrays import Samples
from linnet.core.errors import BundleError, ExportError
from linnet.export.foreign import ForeignProgram, export_for
from linnet.export.onnx_asr import ONNX_ASR
from linnet.export.sherpa_onnx import SHERPA_ONNX
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.runtime.session import CtcSession
from linnet.text.vocabulary import Vocabulary

NEMO = {"num_mels": 80, "window_ms": 25.0}
BundleMaker = Callable[..., Bundle]


@pytest.fixture
def make_bundle(tone_bundle: Path, tmp_path: Path) -> BundleMaker:
    """`make_bundle(num_mels=80, …)` → the tone model with another front end."""

    def make(pieces: tuple[str, ...] = ("▁one", "▁two"), subsampling: int = 2, **frontend: Any) -> Bundle:
        model = onnx.load(tone_bundle / "model.onnx")
        config = FrontendConfig(**{"normalize": "none", **frontend})
        rows = config.num_features
        weight = next(each for each in model.graph.initializer if each.name == "weight")
        values = np.linspace(-1, 1, 3 * rows, dtype=np.float32).reshape(3, rows, 1)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, "weight"))
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = rows
        onnx.save(model, tmp_path / "graph.onnx")
        spec = read_bundle(tone_bundle).spec.model_copy(
            update={"frontend": config, "subsampling": subsampling, "sample_rate_hz": config.sample_rate_hz}
        )
        write_bundle(
            tmp_path / "bundle", spec, tmp_path / "graph.onnx", Vocabulary(pieces), "# tone\n", replace=True
        )
        return read_bundle(tmp_path / "bundle")

    return make


def session_log_probs(path: Path, features: np.ndarray) -> np.ndarray:
    lengths = np.array([features.shape[1]], np.int64)
    return CtcSession(path).log_probs(features[None], lengths)[0]


def test_the_folder_of_onnx_asr(make_bundle: BundleMaker, tmp_path: Path) -> None:
    bundle = make_bundle(**NEMO, normalize="per_feature")
    export_for(ONNX_ASR, bundle, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md",
        "config.json",
        "model.onnx",
        "vocab.txt",
    ]
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config == {"model_type": "nemo-conformer-ctc", "features_size": 80, "subsampling_factor": 2}
    assert (tmp_path / "out" / "vocab.txt").read_text() == "▁one 0\n▁two 1\n<blk> 2\n"
    assert (tmp_path / "out" / "model.onnx").read_bytes() == bundle.model_path.read_bytes()


def test_the_folder_of_sherpa_onnx(make_bundle: BundleMaker, tmp_path: Path) -> None:
    bundle = make_bundle(**NEMO, normalize="per_feature")
    export_for(SHERPA_ONNX, bundle, tmp_path / "out")
    model = onnx.load(tmp_path / "out" / "model.onnx")
    metadata = {each.key: each.value for each in model.metadata_props}
    assert [
        metadata[key] for key in ("vocab_size", "subsampling_factor", "normalize_type", "model_type")
    ] == [
        "2",
        "2",
        "per_feature",
        "EncDecCTCModel",
    ]
    assert [each.name for each in model.graph.input] == ["audio_signal", "length"]
    assert model.graph.output[0].name == "logprobs"
    assert "feature_dim=80, sample_rate=16000" in (tmp_path / "out" / "README.md").read_text()


def test_statistics_over_all_features_move_into_the_graph(
    make_bundle: BundleMaker, tmp_path: Path, speech_like: Callable[..., Samples]
) -> None:
    bundle = make_bundle(**NEMO, normalize="all_features")
    export_for(SHERPA_ONNX, bundle, tmp_path / "out")
    samples = speech_like(0.5)
    plain, _ = compute_features(samples, bundle.spec.frontend.model_copy(update={"normalize": "none"}))
    normalized, _ = compute_features(samples, bundle.spec.frontend)
    session = CtcSession(tmp_path / "out" / "model.onnx")
    expected = session_log_probs(bundle.model_path, normalized)
    np.testing.assert_allclose(session_log_probs(tmp_path / "out" / "model.onnx", plain), expected, atol=1e-4)
    padded = np.pad(plain, ((0, 0), (0, 9)), constant_values=-23.0)[None].repeat(2, axis=0)
    lengths = np.array([plain.shape[1], padded.shape[2]], np.int64)
    in_batch = session.log_probs(padded, lengths)[0][:1, : expected.shape[1]]
    np.testing.assert_allclose(in_batch, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("program", "frontend", "message"),
    [
        (SHERPA_ONNX, {"num_mels": 80}, "window_ms is 20.0 here and always 25.0 there"),
        (SHERPA_ONNX, {**NEMO, "kind": "kaldi_fbank"}, "kind is kaldi_fbank here and always logmel there"),
        (SHERPA_ONNX, {**NEMO, "normalize": "per_frame"}, "normalize is per_frame here"),
        (ONNX_ASR, {"num_mels": 64, "window_ms": 25.0}, "num_mels is 64 here and always 80 or 128 there"),
        (ONNX_ASR, {**NEMO, "normalize": "none"}, "normalize is none here and always per_feature there"),
        (ONNX_ASR, {**NEMO, "sample_rate_hz": 8000}, "sample_rate_hz is 8000 here and always 16000 there"),
    ],
)
def test_a_front_end_that_is_not_there_is_named_before_writing(
    make_bundle: BundleMaker, tmp_path: Path, program: ForeignProgram, frontend: dict[str, Any], message: str
) -> None:
    with pytest.raises(ExportError, match=f"{message}.*Nothing was written.*--force"):
        export_for(program, make_bundle(**frontend), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_was_forced_is_on_the_card(make_bundle: BundleMaker, tmp_path: Path) -> None:
    export_for(SHERPA_ONNX, make_bundle(), tmp_path / "out", force=True)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Written by force: the texts will be wrong\n\n- window_ms is 20.0 here" in card


def test_bytes_are_refused(make_bundle: BundleMaker, tmp_path: Path) -> None:
    bundle = make_bundle(("▁one", "<0x41>"), **NEMO)
    with pytest.raises(ExportError, match="bytes of UTF-8"):
        export_for(SHERPA_ONNX, bundle, tmp_path / "out")


def test_a_model_with_too_few_frames_is_not_written(make_bundle: BundleMaker, tmp_path: Path) -> None:
    bundle = make_bundle(subsampling=1, **NEMO)
    with pytest.raises(ExportError, match="reads 64 frames of log-probabilities where the model gives 32"):
        export_for(SHERPA_ONNX, bundle, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_only_such_a_folder_is_replaced(make_bundle: BundleMaker, tmp_path: Path) -> None:
    bundle = make_bundle(**NEMO)
    export_for(SHERPA_ONNX, bundle, tmp_path / "out")
    with pytest.raises(BundleError, match="there is a model here already"):
        export_for(SHERPA_ONNX, bundle, tmp_path / "out")
    export_for(SHERPA_ONNX, bundle, tmp_path / "out", replace=True)
    with pytest.raises(BundleError, match=r"holds other files, such as 'tokens\.txt'"):
        export_for(ONNX_ASR, bundle, tmp_path / "out", replace=True)
    shutil.rmtree(tmp_path / "out")
