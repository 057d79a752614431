"""Normalized texts keep their originals."""

from collections.abc import Callable

import pytest

from linnet.core.errors import TextError
from linnet.manifest import normalization
from linnet.manifest.normalization import normalize_texts
from linnet.manifest.utterance import Utterance


def test_what_changes_keeps_its_original(make_utterance: Callable[..., Utterance]) -> None:
    utterances = [
        make_utterance(text="Hello, You!", extra={"snr": 3}),
        make_utterance(text="hello"),
        make_utterance(text=None),
        make_utterance(text="A.", extra={"raw_text": "the first original"}),
    ]
    kept = normalize_texts(utterances, "basic").kept
    assert [each.text for each in kept] == ["hello you", "hello", None, "a"]
    assert kept[0].extra == {"raw_text": "Hello, You!", "snr": 3}
    assert kept[1] is utterances[1]
    assert kept[3].extra == {"raw_text": "the first original"}


def test_what_cannot_be_normalized_is_left_out_with_the_reason(
    make_utterance: Callable[..., Utterance], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(text: str, name: str) -> str:
        if "½" in text:
            raise TextError("'½' has no words")
        return text

    monkeypatch.setattr(normalization, "normalize", refusing)
    selection = normalize_texts([make_utterance(text="½"), make_utterance(text="one")], "basic")
    assert [each.text for each in selection.kept] == ["one"]
    assert [(each.reason, each.detail) for each in selection.left_out] == [
        ("the text cannot be normalized", "'½' has no words")
    ]


def test_an_unknown_normalizer_is_an_error() -> None:
    with pytest.raises(TextError, match="did you mean 'basic'"):
        normalize_texts([], "basik")
