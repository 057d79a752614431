"""Texts become targets, and what cannot is left out and named."""

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.write import write_audio
from linnet.core.errors import ManifestError
from linnet.data.config import DataConfig, SourceConfig
from linnet.data.examples import Example, TextEncoder, load_examples
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer

WORDS = TokenizerConfig(kind="word", pieces=("one", "two"))


@pytest.fixture
def encoder() -> TextEncoder:
    return TextEncoder(
        normalizer="basic",
        strict=build_tokenizer(WORDS),
        skipping=build_tokenizer(WORDS.model_copy(update={"skip_unknown": True})),
    )


@pytest.fixture
def with_letters(encoder: TextEncoder) -> TextEncoder:
    """With an auxiliary head of letters."""
    return TextEncoder(
        normalizer="basic",
        strict=encoder.strict,
        skipping=encoder.skipping,
        auxiliary=build_tokenizer(TokenizerConfig(skip_unknown=True)),
    )


def load(
    folder: Path,
    encoder: TextEncoder,
    texts: Sequence[str | None],
    durations_s: Sequence[float] = (),
    **keys: Any,
) -> list[Example]:
    """Load a manifest of these texts from one source; `keys` go to SourceConfig and DataConfig."""
    write_audio(folder / "a.wav", np.zeros(1600, np.float32))
    lines = [
        {"audio_filepath": "a.wav", "duration": duration_s, "offset": number}
        | ({} if text is None else {"text": text})
        for number, (text, duration_s) in enumerate(
            zip(texts, durations_s or [1.0] * len(texts), strict=True)
        )
    ]
    path = folder / "m.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    data_keys = {key: keys.pop(key) for key in tuple(keys) if key in DataConfig.model_fields}
    source = SourceConfig(manifest=path, **keys)
    return load_examples([source], encoder, DataConfig(train=(source,), dev=(source,), **data_keys))


def test_texts_are_normalized_and_encoded(tmp_path: Path, encoder: TextEncoder) -> None:
    (example,) = load(tmp_path, encoder, ["One, TWO!"])
    assert (example.text, example.tokens, example.auxiliary_tokens) == ("one two", (0, 1), None)
    assert example.utterance.text == "One, TWO!"


def test_a_text_the_vocabulary_cannot_write_is_left_out_and_named(
    tmp_path: Path, encoder: TextEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "linnet"):
        examples = load(tmp_path, encoder, ["one", "three", "two"])
    assert [example.text for example in examples] == ["one", "two"]
    warning, summary = caplog.messages
    assert warning.startswith("left out ")
    assert "a.wav" in warning
    assert "the vocabulary lacks the word 'three'" in warning
    assert "2 utterances" in summary


def test_many_problems_are_counted_after_the_first_few(
    tmp_path: Path, encoder: TextEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    load(tmp_path, encoder, ["one"] + ["three"] * 8)
    assert len(caplog.messages) == 6
    assert "left out 3 more utterances of" in caplog.messages[-1]


@pytest.mark.parametrize(
    ("texts", "durations_s", "message"),
    [
        (["one", None], (1.0, 1.0), "has no text.*manifest line"),
        (["one", "two"], (1.0, 30.0), r"lasts 30\.00 s, outside 0\.1–20\.0 s.*max_duration_s"),
        (["one", "two"], (1.0, 0.05), r"lasts 0\.05 s, outside"),
    ],
)
def test_no_text_and_odd_durations_are_left_out(
    tmp_path: Path,
    encoder: TextEncoder,
    caplog: pytest.LogCaptureFixture,
    texts: list[str | None],
    durations_s: tuple[float, ...],
    message: str,
) -> None:
    assert [example.text for example in load(tmp_path, encoder, texts, durations_s)] == ["one"]
    (warning,) = caplog.messages
    assert re.search(message, warning)


def test_a_source_without_anything_usable_is_refused(tmp_path: Path, encoder: TextEncoder) -> None:
    with pytest.raises(ManifestError, match=r"m\.jsonl: no usable utterance"):
        load(tmp_path, encoder, ["three"])


def test_known_words_trains_on_the_words_it_has(tmp_path: Path, encoder: TextEncoder) -> None:
    examples = load(tmp_path, encoder, ["call one of two", "nothing here"], target="known_words")
    assert [(example.text, example.tokens) for example in examples] == [("one two", (0, 1)), ("", ())]


def test_only_known_words_takes_whole_texts_alone(
    tmp_path: Path, encoder: TextEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    examples = load(tmp_path, encoder, ["two", "call one", "one two"], only_known_words=True)
    assert [example.text for example in examples] == ["two", "one two"]
    assert caplog.messages == [], "leaving them out was asked for"


def test_ambiguous_words_keep_an_utterance_from_the_head(tmp_path: Path, with_letters: TextEncoder) -> None:
    examples = load(
        tmp_path, with_letters, ["one to go", "one today"], target="known_words", ambiguous_words={"to"}
    )
    assert [example.tokens for example in examples] == [None, (0,)]
    assert [len(example.auxiliary_tokens or ()) for example in examples] == [9, 9]


def test_an_auxiliary_source_trains_the_other_head_only(tmp_path: Path, with_letters: TextEncoder) -> None:
    (example,) = load(tmp_path, with_letters, ["any speech"], target="auxiliary")
    assert (example.text, example.tokens) == ("", None)
    assert example.auxiliary_tokens == tuple(with_letters.auxiliary.encode("any speech"))


def test_examples_know_their_source(tmp_path: Path, encoder: TextEncoder) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        load(tmp_path / name, encoder, ["one"])
    sources = tuple(SourceConfig(manifest=tmp_path / name / "m.jsonl") for name in ("a", "b"))
    examples = load_examples(sources, encoder, DataConfig(train=sources, dev=sources))
    assert [example.source for example in examples] == [0, 1]
