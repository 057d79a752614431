"""A model's name is found inside the package, a path outside of it."""

from pathlib import Path

import pytest

from linnet.core.errors import BundleError
from linnet.runtime import packaged
from linnet.runtime.packaged import DEFAULT_MODEL, find_model, packaged_models, packaged_sample


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with the models "digits" and "words", and a folder that is no model."""
    for name in ("words", "digits"):
        (tmp_path / "package" / name).mkdir(parents=True)
        (tmp_path / "package" / name / "bundle.yaml").touch()
    (tmp_path / "package" / "other").mkdir()
    monkeypatch.setattr(packaged, "_packaged", lambda: tmp_path / "package")
    return tmp_path / "package"


def test_models_are_listed_by_name(package: Path) -> None:
    assert packaged_models() == {"digits": package / "digits", "words": package / "words"}


def test_a_name_wins_over_a_directory(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_model("digits") == package / "digits"
    assert find_model("./digits") == Path("digits")
    assert find_model(Path("digits")) == Path("digits")


def test_an_unknown_name_is_answered_with_the_nearest(package: Path) -> None:
    with pytest.raises(
        BundleError, match=r"no model 'digit'.*Packaged: digits, words; did you mean 'digits'"
    ):
        find_model("digit")


def test_each_model_has_a_sample_and_others_have_the_default_models() -> None:
    assert set(packaged_models()) == {DEFAULT_MODEL, "digits"}
    for name, path in packaged_models().items():
        assert packaged_sample(name) == path / "sample.wav"
        assert packaged_sample(name).is_file()
    for other in (None, "models/mine", "hf:someone/something"):
        assert packaged_sample(other) == packaged_models()[DEFAULT_MODEL] / "sample.wav"
