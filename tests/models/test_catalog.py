"""The figures in the catalog are those of the models, and every named size has an entry."""

import pytest

import model_costs
from linnet.models.catalog import ARCHITECTURES
from linnet.models.encoders import FAMILIES

SIZES = [(family, size) for family, architecture in ARCHITECTURES.items() for size in architecture.sizes]


def test_every_named_size_has_an_entry() -> None:
    listed = {name: tuple(architecture.sizes) for name, architecture in ARCHITECTURES.items()}
    assert listed == {name: family.variants for name, family in FAMILIES.items()}


@pytest.mark.parametrize(("family", "size"), SIZES)
def test_parameters_and_subsampling_are_those_of_the_model(family: str, size: str) -> None:
    architecture = ARCHITECTURES[family]
    assert model_costs.count_parameters(family, size) == architecture.sizes[size].parameters
    assert FAMILIES[family].config(size).subsampling == architecture.subsampling


@pytest.mark.parametrize(
    "family", ["conformer", "deepspeech2", "quartznet", "squeezeformer", "wav2vec2", "zipformer"]
)  # each kind
def test_the_cost_is_that_of_the_model(family: str) -> None:
    sizes = ARCHITECTURES[family].sizes
    cheapest = min(sizes, key=lambda name: sizes[name].parameters)
    frames = model_costs.frames_to_count(family)
    counted = model_costs.count_cost(family, cheapest, frames).gmac_per_s
    assert sizes[cheapest].gmac_per_s == pytest.approx(counted, rel=0.005)  # it has three digits


def test_the_count_agrees_with_a_published_one() -> None:
    # OpenVINO's copy of QuartzNet 15x5: 2.4195 GFLOPs for 1.28 s, two operations a multiplication.
    counted = model_costs.count_cost("quartznet", "15x5", num_frames=128).gmac_per_s
    assert counted == pytest.approx(2.4195 / 2 / 1.28, rel=0.005)
