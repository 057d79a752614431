"""`linnet tokenizer`: trained from manifests and text files, tried on texts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from linnet.audio.write import write_audio
from linnet.cli.main import app
from linnet.core.arrays import Samples


def linnet(*words: Any, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["tokenizer", *map(str, words)], input=stdin)


@pytest.fixture
def manifest(tmp_path: Path, tone: Callable[..., Samples]) -> Path:
    """Three lines with a text, one without."""
    write_audio(tmp_path / "a.wav", tone(300, duration_s=0.1))
    line = {"audio_filepath": "a.wav", "duration": 0.1}
    lines = [line | {"text": text} for text in ("One two 3", "the tree", "two by two")] + [line]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return tmp_path / "a.jsonl"


def test_a_tokenizer_from_a_manifest_and_a_text_file(manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_bytes(b"it's a one way street\n\xff\n")
    result = linnet(
        "train", "--manifest", manifest, "--text", tmp_path / "more.txt", "--type", "bpe", "--vocab-size", 40,
        "--normalizer", "english", "--output", tmp_path / "made",
    )  # fmt: skip
    folder = tmp_path / "made/tokenizer_spe_bpe_v40"
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{folder}: 40 pieces from 4 texts, 3.47 characters a piece",
        f"in the configuration of a model: tokenizer: {{path: {folder}}}",
    ]
    assert "a.wav: has no text" in result.stderr
    assert "more.txt, line 2: is not UTF-8" in result.stderr
    shown = linnet("show", folder).stdout.splitlines()
    assert shown[:3] == [
        "kind        sentencepiece",
        "normalizer  english, version 1",
        "pieces      40, and the blank",
    ]
    assert shown[3] == "     0  <unk>"
    assert len(shown) == 43


@pytest.fixture
def letters(manifest: Path, tmp_path: Path) -> Path:
    linnet("train", "--manifest", manifest, "--type", "char", "-o", tmp_path)
    return tmp_path / "tokenizer_char_v11"


def test_texts_are_encoded_and_come_back(letters: Path) -> None:
    assert linnet("encode", letters, "One, two").stdout == "o n e ▁ t w o\n"
    ids = linnet("encode", letters, "--ids", stdin="one\ntwo b\n").stdout
    assert linnet("decode", letters, stdin=ids).stdout == "one\ntwo b\n"
    assert linnet("decode", letters, *ids.splitlines()[0].split()).stdout == "one\n"


def test_what_cannot_be_encoded_is_named_and_the_rest_goes_on(letters: Path) -> None:
    result = linnet("encode", letters, "one", "oft", "two")
    assert result.exit_code == 1
    assert result.stdout == "o n e\nt w o\n"
    assert "text 2: text 'oft', character 2: the vocabulary lacks the character 'f'" in result.stderr
    result = linnet("decode", letters, "1", "77")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'77' is not an id from 0 to 10" in result.stderr


def test_a_text_that_no_pieces_can_write_is_left_out_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good\na▁b\n", encoding="utf-8")
    result = linnet(
        "train", "--text", tmp_path / "a.txt", "--type", "char", "--normalizer", "none", "-o", tmp_path
    )
    assert result.exit_code == 1
    assert "a.txt, line 2: text 'a▁b', character 2: " in result.stderr
    assert (tmp_path / "tokenizer_char_v4").is_dir()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "x"], "there is nothing to train on"),
        (["-o", "x", "--text", "gone.txt"], "gone.txt: cannot be read"),
        (["-o", "x", "--text", "gone.txt", "--normalizer", "englisch"], "did you mean 'english'"),
    ],
)
def test_a_mistake_is_said(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = linnet("train", *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_overwritten(letters: Path, manifest: Path, tmp_path: Path) -> None:
    before = (letters / "vocab.txt").read_bytes()
    result = linnet("train", "--manifest", manifest, "--type", "char", "-o", tmp_path)
    assert result.exit_code == 2
    assert "there is something here already" in result.stderr
    assert (letters / "vocab.txt").read_bytes() == before
