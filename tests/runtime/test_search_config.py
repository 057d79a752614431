"""What was chosen about a search, completed by what the model brings."""

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from linnet.bundle.reader import Bundle, read_bundle
from linnet.bundle.schema import OwnSearch
from linnet.runtime.search_config import SearchConfig, search_with

OWN = OwnSearch(alpha=0.7, beta=-1.5, beam=32, unknown=-20.0, blank_penalty=0.5)


@pytest.fixture(scope="module")
def plain(tone_bundle: Path) -> Bundle:
    return read_bundle(tone_bundle)


@pytest.fixture(scope="module")
def bundle(plain: Bundle) -> Bundle:
    """The same model with a language model of its own, whose file nobody opens here."""
    spec = plain.spec.model_copy(update={"search": OWN})
    return Bundle(spec, plain.vocabulary, plain.model_path, plain.path)


def test_the_language_model_in_the_bundle_is_used(bundle: Bundle) -> None:
    lm = bundle.path / "language.lm"
    brought = SearchConfig(lm=lm, alpha=0.7, beta=-1.5, beam=32, unknown=-20.0, blank_penalty=0.5)
    assert search_with(bundle, None) == brought
    favoring = SearchConfig(hotword=("one",), beta=0.0)
    completed = brought.model_copy(update={"hotword": ("one",), "beta": 0.0})
    assert search_with(bundle, favoring) == completed
    assert completed.summary == "search of 32 texts, language.lm (alpha 0.7, beta 0), 1 hotwords"


def test_it_is_left_aside_when_it_is_not_wanted(bundle: Bundle) -> None:
    assert search_with(bundle, SearchConfig(no_lm=True)) is None
    for chosen in (SearchConfig(no_lm=True, beam=8), SearchConfig(lm=Path("other.lm"))):
        assert search_with(bundle, chosen) == chosen
    with pytest.raises(ValidationError, match="take one of them"):
        SearchConfig(lm=Path("other.lm"), no_lm=True)


def test_without_numba_only_what_was_asked_for_is_searched(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert search_with(bundle, None) is None
    asked = search_with(bundle, SearchConfig(hotword=("one",)))
    assert asked is not None
    assert asked.lm == bundle.language_model


def test_a_model_without_a_language_model_is_searched_only_when_asked(plain: Bundle) -> None:
    assert search_with(plain, None) is None
    assert search_with(plain, SearchConfig()) is None
    assert search_with(plain, SearchConfig(beam=64)) == SearchConfig(beam=64)
    completed = SearchConfig(beam=8, alpha=0.5, beta=1.0, unknown=-10.0, blank_penalty=0.0)
    assert SearchConfig(beam=8).completed(OwnSearch()) == completed
