"""Vocabularies of NeMo keep their ids, whatever their notation."""

from collections.abc import Callable
from typing import Any

import pytest

from linnet.core.errors import CheckpointError
from linnet.importers.nemo_tokenizer import char_tokenizer, subword_tokenizer
from linnet.importers.section import Section
from linnet.text.sentencepiece_model import train_model
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer


def read_from(**artifacts: bytes) -> Callable[[str], bytes]:
    return lambda reference: artifacts[reference.removeprefix("nemo:").replace(".", "_")]


def subword(section: dict[str, Any], listed: list[str] | None = None, **artifacts: bytes) -> TokenizerConfig:
    return subword_tokenizer(Section(section, "x"), read_from(**artifacts), listed or [], "x")


@pytest.mark.parametrize(
    ("labels", "kind", "ids", "text"),
    [
        ([" ", "a", "b", "'"], "char", [0, 1, 0, 2], "a b"),
        (["a", " ", "b"], "wordpiece", [1, 0, 1, 2], "a b"),
        (["好", "你", "#"], "wordpiece", [1, 0, 2], "你好#"),
        ([" ", "sh", "a", "<unk>"], "wordpiece", [1, 2, 0, 3], "sha <unk>"),
    ],
)
def test_labels_keep_their_ids(labels: list[str], kind: str, ids: list[int], text: str) -> None:
    config = char_tokenizer(labels, "x")
    vocabulary = build_tokenizer(config).vocabulary
    assert (config.kind, vocabulary.blank_id) == (kind, len(labels))
    assert vocabulary.decode(ids) == text


@pytest.mark.parametrize("labels", [None, [], ["a", 1], "abc", ["a", ""], ["a", "\u3000"], ["a", "a"]])
def test_labels_that_are_no_vocabulary(labels: Any) -> None:
    with pytest.raises(CheckpointError, match=r"is no list of labels|its vocabulary cannot be used"):
        char_tokenizer(labels, "x")


def test_a_sentencepiece_model_comes_whole() -> None:
    pytest.importorskip("sentencepiece", reason="SentencePiece needs the extra text")
    model = train_model(["one two three", "three two one"], "bpe", 16)
    for section in (
        {"type": "bpe", "model_path": "nemo:m_model", "vocab_path": "nemo:x"},
        {"type": "BPE", "dir": "somewhere"},
    ):
        tokenizer = build_tokenizer(subword(section, m_model=model, tokenizer_model=model))
        assert tokenizer.vocabulary.decode(tokenizer.encode("one two")) == "one two"
        assert tokenizer.vocabulary.blank_id == 16
    with pytest.raises(CheckpointError, match=r"tokenizer\.model: the SentencePiece model is damaged"):
        subword({"type": "bpe"}, tokenizer_model=b"x")


def test_word_pieces_of_bert() -> None:
    lines = "[UNK]\ngo\n##ing\n"
    config = subword({"type": "wpe", "vocab_path": "nemo:v_txt"}, v_txt=lines.replace("\n", "\r\n").encode())
    assert build_tokenizer(config).vocabulary.decode([1, 2, 1]) == "going go"
    listed = ["[UNK]", "go", "##ing", "[PAD]"]  # BERT added one behind the file's own
    assert len(subword({"type": "wpe"}, listed, vocab_txt=lines.encode()).pieces) == 4
    with pytest.raises(CheckpointError, match=r"vocab\.txt is not UTF-8"):
        subword({"type": "wpe"}, vocab_txt=b"\xff")


def test_the_pieces_of_several_languages_follow_each_other() -> None:
    languages = {
        "en": {"type": "wpe", "vocab_path": "nemo:en"},
        "es": {"type": "wpe", "vocab_path": "nemo:es"},
    }
    config = subword({"type": "agg", "langs": languages}, en=b"go\n##ing\na\n", es=b"a\ngo\n##mos\n")
    tokenizer = build_tokenizer(config)
    assert tokenizer.vocabulary.blank_id == 6
    assert tokenizer.vocabulary.decode([3, 4, 5, 0, 1, 2]) == "a gomos going a"
    assert tokenizer.encode("a gomos") == [2, 0, 5]  # of two ids the first


def test_tokenizers_without_a_counterpart_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"x, tokenizer, langs, en: a set of tokenizers inside"):
        subword({"type": "agg", "langs": {"en": {"type": "agg"}}})
    with pytest.raises(CheckpointError, match="a class of its own"):
        subword({"type": "agg", "langs": {}, "custom_tokenizer": {"_target_": "a.b"}})
    with pytest.raises(CheckpointError, match="at least one piece"):
        subword({"type": "agg", "langs": {}})
    with pytest.raises(CheckpointError, match="unknown type 'words'"):
        subword({"type": "words"})
