"""`linnet prepare`: results on stdout, warnings on stderr, exit codes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from linnet.audio.write import write_audio
from linnet.cli.main import app
from linnet.core.arrays import Samples
from linnet.corpora.catalog import CORPORA, FORMATS
from linnet.corpora.number_text import DIGIT_WORDS
from linnet.manifest.jsonl import read_manifest


def linnet(*words: Any) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def digits(tmp_path: Path, tone: Callable[..., Samples]) -> Path:
    """The layout of the Free Spoken Digit Dataset, with a .txt beside each recording."""
    for digit, word in enumerate(DIGIT_WORDS):
        for number in (4, 5):
            path = tmp_path / f"fsdd/recordings/{digit}_anna_{number}.wav"
            write_audio(path, tone(200 + 40 * digit, duration_s=0.3))
            path.with_suffix(".txt").write_text(word)
    return tmp_path / "fsdd"


def test_a_folder(digits: Path, tmp_path: Path) -> None:
    (digits / "recordings/0_anna_4.txt").unlink()
    result = linnet("prepare", "folder", digits, "--output", tmp_path)
    assert result.exit_code == 1, "some of the input could not be used"
    assert result.stdout.splitlines() == [
        f"{tmp_path / 'manifest.jsonl'}: 19 utterances, 0.00 hours, speakers unknown",
        "  0.3 to 0.3 s (median 0.3, 95 % below 0.3), 15 characters: efghinorstuvwxz",
        "The license is that of your recordings.",
        f"summary: {tmp_path / 'folder.md'}",
    ]
    assert "left out" in result.stderr
    assert "0_anna_4.wav: no text for this audio" in result.stderr


def test_a_long_list_of_left_out_files_is_cut(digits: Path, tmp_path: Path) -> None:
    for text in sorted(digits.rglob("*.txt"))[1:]:
        text.unlink()
    result = linnet("prepare", "folder", digits, "--output", tmp_path)
    assert result.stderr.count("no text for this audio") == 10
    assert "left out 19 in all" in result.stderr


@pytest.mark.parametrize("given", [("DIR",), ("--source", "DIR"), ("-s", "DIR")])
def test_fsdd(given: tuple[str, ...], digits: Path, tmp_path: Path) -> None:
    words = [str(digits) if word == "DIR" else word for word in given]
    result = linnet("prepare", "fsdd", *words, "-o", tmp_path)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"{tmp_path / 'train.jsonl'}: 10 utterances, 0.00 hours, 1 speakers"
    assert lines[2] == f"{tmp_path / 'test.jsonl'}: 10 utterances, 0.00 hours, 1 speakers"
    assert lines[4].startswith("License: CC BY-SA 4.0")


def test_one_source_is_asked_for(digits: Path, tmp_path: Path) -> None:
    for given in ((), (digits, "--source", digits)):
        result = linnet("prepare", "fsdd", *given, "-o", tmp_path)
        assert result.exit_code == 2
        assert "give one directory" in result.stderr
    assert list(tmp_path.glob("*.jsonl")) == []


def test_what_cannot_be_fetched_says_so(tmp_path: Path) -> None:
    result = linnet("prepare", "wsj", tmp_path, "-o", tmp_path, "--download")
    assert result.exit_code == 2
    assert "wsj cannot be fetched" in result.stderr


def test_a_mistake_is_a_message_and_an_exit_code(digits: Path, tmp_path: Path) -> None:
    assert linnet("prepare", "fsdd", digits, "--output", tmp_path).exit_code == 0
    again = linnet("prepare", "fsdd", digits, "--output", tmp_path)
    assert again.exit_code == 2
    assert "train.jsonl: the manifest exists already" in again.stderr
    assert again.stdout == ""
    assert linnet("prepare", "fsdd", digits, "--output", tmp_path, "--force").exit_code == 0
    assert linnet("prepare", "fsdd", digits).exit_code == 2


def test_what_was_fetched_is_prepared(
    tmp_path: Path, tone: Callable[..., Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    from linnet.corpora import lhotse_recipes

    pytest.importorskip("lhotse", reason="lhotse comes with the extra train")

    def fetch(name: str, target: Path) -> Path:
        chapter = target / "LibriSpeech/dev-clean-2/84/121123"
        write_audio(chapter / "84-121123-0000.flac", tone(duration_s=0.3))
        (chapter / "84-121123.trans.txt").write_text(f"84-121123-0000 {name.upper()}\n84-121123-0001 GONE\n")
        return target / "LibriSpeech"

    monkeypatch.setattr(lhotse_recipes, "download_corpus", fetch)
    result = linnet(
        "prepare", "mini-librispeech", "--download", "-s", tmp_path / "in", "-o", tmp_path / "out"
    )
    assert result.exit_code == 1
    assert "84-121123-0001.flac" in result.stderr
    (utterance,) = read_manifest(tmp_path / "out/dev-clean-2.jsonl")
    assert utterance.text == "MINI-LIBRISPEECH"


def test_joined_digits(digits: Path, tmp_path: Path) -> None:
    linnet("prepare", "fsdd", digits, "--output", tmp_path)
    command = ("prepare", "joined-digits", tmp_path / "train.jsonl", "--hours", 0.005, "--seed", 3)
    result = linnet(*command, "--output", tmp_path / "joined")
    assert result.exit_code == 0, result.stderr
    utterances = read_manifest(tmp_path / "joined/train.jsonl")
    assert f"joined/train.jsonl: {len(utterances)} utterances, 0.0" in result.stdout
    assert sum(utterance.duration_s for utterance in utterances) >= 18


def test_numbers_without_a_synthesizer_say_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = linnet("prepare", "numbers", "--output", tmp_path)
    assert result.exit_code == 2
    assert "apt install espeak-ng flite festival" in result.stderr


def test_numbers_tell_what_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from linnet.corpora import synthetic_speech

    given: dict[str, Any] = {}

    def speak(
        output: Path, script: object, shares: object, *, progress: Callable[[float], None], **options: Any
    ) -> Any:
        progress(0.5)
        given.update(options)
        made = synthetic_speech.SyntheticSpeech(missing_engines=["flite"], manifests=[output / "train.jsonl"])
        made.hours["espeak-ng"] = 0.25
        made.speakers.update(["a", "b"])
        made.dropped["festival: clipped"] = 4
        return made

    monkeypatch.setattr(synthetic_speech, "prepare_synthetic_speech", speak)
    result = linnet("prepare", "numbers", "--output", tmp_path, "--hours", 0.25)
    assert given == {"hours": 0.25, "dev_hours": 0.2, "seed": 0}
    assert result.stdout == f"espeak-ng: 0.25 hours\n2 voices in {tmp_path / 'train.jsonl'}\n"
    assert "flite is not installed" in result.stderr
    assert "left out 4 clips of festival: clipped" in result.stderr


def test_the_help_names_every_corpus() -> None:
    result = linnet("prepare", "--help")
    for name in ("numbers", "joined-digits", *FORMATS, *CORPORA):
        assert f" {name} " in result.stdout
