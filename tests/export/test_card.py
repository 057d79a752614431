"""The model card of a bundle."""

import pytest
import yaml

from linnet.bundle.schema import BundleSpec
from linnet.export.card import model_card
from linnet.export.proof import Proof
from linnet.features.config import FrontendConfig


@pytest.fixture
def spec() -> BundleSpec:
    return BundleSpec(
        name="digits",
        description="Reads digits.",
        language="en",
        license="Apache-2.0",
        sample_rate_hz=16000,
        frontend=FrontendConfig(),
        normalizer="basic",
        vocabulary="word",
        subsampling=2,
        blank_id=12,
        opset=18,
        parameters=1991228,
        created_with="0.1.0",
        metrics={"WER fsdd": 2.25},
    )


@pytest.fixture
def proof() -> Proof:
    return Proof(recordings=3, audio_s=4.5, alone=2.5e-6, batched=3.5e-6, changed_texts=0)


def test_the_card_says_what_the_bundle_is_and_how_it_was_proved(spec: BundleSpec, proof: Proof) -> None:
    card = model_card(spec, proof)
    for fact in (
        "# digits",
        "Reads digits.",
        "1,991,228",
        "every 20 ms",
        "| WER fsdd | 2.25 |",
        "2.5e-06",
        "3.5e-06",
    ):
        assert fact in card


def test_the_front_matter_is_yaml(spec: BundleSpec, proof: Proof) -> None:
    _, front_matter, _ = model_card(spec, proof).split("---\n", 2)
    assert yaml.safe_load(front_matter)["license"] == "apache-2.0"
    assert yaml.safe_load(front_matter)["language"] == "en"


def test_without_figures_there_is_no_table_of_them(spec: BundleSpec, proof: Proof) -> None:
    assert "Measured" not in model_card(spec.model_copy(update={"metrics": {}}), proof)
