"""A bundle whose model file is no model: the bundle room never looks inside it."""

from pathlib import Path

import pytest

from linnet.bundle.schema import BundleSpec
from linnet.bundle.writer import write_bundle
from linnet.features.config import FrontendConfig
from linnet.text.vocabulary import Vocabulary


@pytest.fixture
def spec() -> BundleSpec:
    return BundleSpec(
        name="toy",
        description="zero and one: “nothing else”",
        language="en",
        license="Apache-2.0",
        sample_rate_hz=16000,
        frontend=FrontendConfig(),
        normalizer="basic",
        vocabulary="word",
        subsampling=2,
        blank_id=2,
        opset=17,
        parameters=12,
        created_with="0.1.0",
        metrics={"wer toy test": 1e-5},
    )


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(("▁zero", "▁one"))


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.bytes"
    path.write_bytes(bytes(range(256)))
    return path


@pytest.fixture
def bundle(tmp_path: Path, spec: BundleSpec, vocabulary: Vocabulary, model_file: Path) -> Path:
    """The directory of a sound bundle."""
    write_bundle(tmp_path / "toy", spec, model_file, vocabulary, "# toy\n")
    return tmp_path / "toy"
