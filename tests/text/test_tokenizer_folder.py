"""Folders of tokenizers are written as NeMo does, and NeMo's are read."""

from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import TextError
from linnet.text import tokenizer_folder as module
from linnet.text.tokenizer import tokenizer_of
from linnet.text.tokenizer_folder import (
    TokenizerAbout,
    TokenizerFiles,
    read_tokenizer_folder,
    write_tokenizer_folder,
)
from linnet.text.tokenizer_training import folder_name, train_tokenizer

TEXTS = ["one two three", "the tree", "two by two", "it's a one way street"] * 3
SIZES = {"bpe": 40, "unigram": 20, "wordpiece": 45, "tevr": 20}
NAMES: Any = {
    "char": "tokenizer_char_v14",
    "byte": "tokenizer_byte_v256",
    "bpe": "tokenizer_spe_bpe_v40",
    "unigram": "tokenizer_spe_unigram_v20",
    "wordpiece": "tokenizer_wpe_v45",
    "tevr": "tokenizer_tevr_v20",
}
CHARACTERS = TokenizerFiles(TokenizerAbout(kind="char"), ("a", "b"))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("trained_type", NAMES)
def test_every_type_survives_its_folder(trained_type: Any, tmp_path: Path) -> None:
    files = train_tokenizer(TEXTS, trained_type, "basic", SIZES.get(trained_type))
    name = folder_name(trained_type, files)
    write_tokenizer_folder(tmp_path / name, files)
    assert name == NAMES[trained_type]
    assert name.endswith(f"_v{tokenizer_of(files, name).vocabulary.blank_id}")
    assert read_tokenizer_folder(tmp_path / name) == files
    assert files.about.normalizer == "basic"
    assert names_in(tmp_path) == [name]


def test_a_sentencepiece_folder_has_the_files_of_nemo(tmp_path: Path) -> None:
    files = train_tokenizer(TEXTS, "bpe", "basic", 40)
    write_tokenizer_folder(tmp_path / "bpe", files)
    assert names_in(tmp_path / "bpe") == ["linnet.yaml", "tokenizer.model", "tokenizer.vocab", "vocab.txt"]
    scores = (tmp_path / "bpe/tokenizer.vocab").read_text(encoding="utf-8").splitlines()
    assert [line.partition("\t")[0] for line in scores] == list(files.pieces)
    assert scores[:3] == ["<unk>\t0", f"{files.pieces[1]}\t-0", f"{files.pieces[2]}\t-1"]
    listed = (tmp_path / "bpe/vocab.txt").read_text(encoding="utf-8").splitlines()
    assert len(listed) == 39  # NeMo leaves out <unk>
    assert {"▁", "##o", "two"} <= set(listed)


def test_folders_of_nemo_are_known_by_their_files(tmp_path: Path) -> None:
    files = train_tokenizer(TEXTS, "unigram", "basic", 20)
    (tmp_path / "spe").mkdir()
    (tmp_path / "spe/tokenizer.model").write_bytes(files.model)
    assert read_tokenizer_folder(tmp_path / "spe") == TokenizerFiles(
        TokenizerAbout(kind="sentencepiece"), files.pieces, files.model
    )
    (tmp_path / "wpe").mkdir()
    (tmp_path / "wpe/vocab.txt").write_bytes(b"[PAD]\r\n[UNK]\r\none\r\n##s\r\n")
    assert read_tokenizer_folder(tmp_path / "wpe") == TokenizerFiles(
        TokenizerAbout(kind="wordpiece"), ("[PAD]", "[UNK]", "one", "##s")
    )


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    write_tokenizer_folder(tmp_path / "a", CHARACTERS)
    with pytest.raises(TextError, match="a: there is something here already"):
        write_tokenizer_folder(tmp_path / "a", TokenizerFiles(TokenizerAbout(kind="char"), ("c",)))
    assert read_tokenizer_folder(tmp_path / "a") == CHARACTERS


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(module, "write_text", fail)
    with pytest.raises(OSError, match="disk full"):
        write_tokenizer_folder(tmp_path / "a", CHARACTERS)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("other.txt", b"", "neither tokenizer.model nor vocab.txt is in this folder"),
        ("tokenizer.model", b"junk", r"tokenizer\.model: the SentencePiece model is damaged"),
        ("vocab.txt", b"\xff", r"vocab\.txt: is not UTF-8"),
        ("linnet.yaml", b"kind: magic", "kind: 'magic' is not one of"),
        ("linnet.yaml", b"kind: char", r"vocab\.txt: cannot be read"),
        ("linnet.yaml", b"kind: char\nrun: evil", "run: unknown key"),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TextError, match=message):
        read_tokenizer_folder(tmp_path)


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tokenizer_folder(tmp_path / "a", CHARACTERS)
    monkeypatch.setattr(module, "MAX_TOKENS_BYTES", 2)
    with pytest.raises(TextError, match=r"vocab\.txt: has more than 2 bytes"):
        read_tokenizer_folder(tmp_path / "a")
