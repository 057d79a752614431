"""Texts become numbered words; what is no text is left out by name."""

import gzip
from pathlib import Path

import numpy as np

from linnet.core.errors import TextError
from linnet.lm import sentences
from linnet.lm.sentences import SentenceReader, letters
from linnet.lm.vocabulary import BOS, EOS, UNK, FixedVocabulary, GrowingVocabulary


def read(reader: SentenceReader, vocabulary: GrowingVocabulary | FixedVocabulary) -> list[int]:
    return [number for batch in reader.batches(vocabulary) for number in batch.words.tolist()]


def test_words_are_numbered_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone two\tone\r\n\nthree")
    with gzip.open(tmp_path / "b.gz", "wb") as file:
        file.write("two éins\n".encode())
    reader, vocabulary = SentenceReader([tmp_path / "a.txt", tmp_path / "b.gz"]), GrowingVocabulary()
    assert read(reader, vocabulary) == [3, 4, 3, EOS, EOS, 5, EOS, 4, 6, EOS]
    assert vocabulary.words() == [b"<unk>", b"<s>", b"</s>", b"one", b"two", b"three", "éins".encode()]
    assert (reader.num_words, reader.num_sentences, reader.problems) == (6, 4, [])
    assert read(reader, FixedVocabulary(vocabulary.words()[:5])) == [3, 4, 3, EOS, EOS, 0, EOS, 4, 0, EOS]


def test_the_words_before_a_word(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\nc\n")
    (batch,) = SentenceReader([tmp_path / "a.txt"]).batches(GrowingVocabulary())
    before = [batch.before(distance).tolist() for distance in (1, 2)]
    assert before == [[BOS, 3, 4, BOS, 5], [-1, BOS, 3, -1, BOS]]
    assert batch.before(2, beyond=BOS).tolist() == [BOS, BOS, 3, BOS, BOS]


def test_what_is_no_text_is_named_and_leaves_no_word(tmp_path: Path, monkeypatch) -> None:  # noqa: ANN001
    monkeypatch.setattr(sentences, "MAX_LINE_BYTES", 40)
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\nbad \xff word\nmore </s> marks\nthe <unk> word\n" + b"x" * 41 + b"\nlast\n")
    reader, vocabulary = SentenceReader([path]), GrowingVocabulary()
    assert read(reader, vocabulary) == [3, EOS, 4, EOS]
    assert vocabulary.words()[3:] == [b"good", b"last"]
    assert reader.num_problems == 4
    assert reader.problems == [
        f"{path}, line 2: is not UTF-8: invalid start byte at byte 5",
        f"{path}, line 3: '</s>' is no word of a text, but a mark of the model",
        f"{path}, line 4: '<unk>' is no word of a text, but a mark of the model",
        f"{path}, line 5: the line is longer than 40 bytes",
    ]
    assert read(reader, FixedVocabulary([b"<unk>", b"<s>", b"</s>"])) == [
        UNK,
        EOS,
        UNK,
        UNK,
        UNK,
        EOS,
        UNK,
        EOS,
    ]


def test_letters_are_words_of_a_model_of_letters(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("on  no\n")
    vocabulary = GrowingVocabulary()
    read(SentenceReader([tmp_path / "a.txt"], letters, "char"), vocabulary)
    assert b" ".join(vocabulary.words()[3:]).decode() == "o n ▁"


def test_what_the_tokenizer_refuses_is_left_out(tmp_path: Path) -> None:
    def refuse(text: str) -> list[str]:
        if "7" in text:
            raise TextError("there is no piece for '7'")
        return text.split()

    (tmp_path / "a.txt").write_text("seven\n7\n")
    reader = SentenceReader([tmp_path / "a.txt"], refuse, "piece")
    assert np.array_equal(read(reader, GrowingVocabulary()), [3, EOS])
    assert reader.problems == [f"{tmp_path / 'a.txt'}, line 2: there is no piece for '7'"]
