"""Numbers in words, and what happens without the package that knows them."""

import sys

import pytest

from linnet.core.errors import MissingDependencyError
from linnet.text.normalize import normalize
from linnet.text.number_words import say


@pytest.fixture
def without_num2words(monkeypatch: pytest.MonkeyPatch) -> None:
    say.cache_clear()
    monkeypatch.setitem(sys.modules, "num2words", None)


@pytest.mark.usefixtures("without_num2words")
@pytest.mark.parametrize("name", ["english", "russian"])
def test_only_a_number_needs_the_package_and_says_how_to_get_it(name: str) -> None:
    assert normalize("no digits", name) == "no digits"
    with pytest.raises(MissingDependencyError, match=r"num2words.*pip install 'linnet\[text\]'"):
        normalize("5 digits", name)
