"""`linnet lm attach`: from then on a bundle is read with its language model, by every command."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from linnet.bundle.schema import OwnSearch
from linnet.cli.main import app


def linnet(*words: object) -> Any:
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, tone_bundle: Path, say_tones: Callable[..., Any]
) -> Path:
    """a.wav ("one two") with a.jsonl, words.lm, and a bundle that it lies in, where each word costs 1000."""
    folder = tmp_path_factory.mktemp("attach")
    soundfile.write(folder / "a.wav", say_tones("one two"), 16000)
    line = {"audio_filepath": "a.wav", "duration": 1.3, "text": "one two"}
    (folder / "a.jsonl").write_text(json.dumps(line) + "\n")
    (folder / "text.txt").write_text("one two\none\ntwo\n")
    build = (
        "lm",
        "build",
        folder / "text.txt",
        "--order",
        2,
        "--discount-fallback",
        "-o",
        folder / "words.lm",
    )
    assert linnet(*build).exit_code == 0
    shutil.copytree(tone_bundle, folder / "bundle")
    weights = ("--beta", -1000, "--beam", 8, "--blank-penalty", 0.5)
    done = linnet("lm", "attach", folder / "words.lm", folder / "bundle", *weights)
    assert (done.exit_code, done.stderr) == (0, "")
    size_mb = (folder / "words.lm").stat().st_size / 1e6
    assert done.stdout == (
        f"{folder / 'bundle'} reads with words.lm (10 n-grams, {size_mb:.2f} MB) "
        "at --alpha 0.5 --beta -1000 --beam 8 --unknown -10 --blank-penalty 0.5\n"
    )
    return folder


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "one"),  # of the texts that the sound leaves possible, the one with the fewest words
        (("--no-lm",), "one two"),
        (("--beta", "0"), "one two"),
        (("--no-lm", "--beam", "4"), "one two"),
    ],
)
def test_it_is_used_unless_told_otherwise(folder: Path, options: tuple[str, ...], text: str) -> None:
    done = linnet("transcribe", folder / "a.wav", "--model", folder / "bundle", *options)
    assert (done.exit_code, done.stdout) == (0, text + "\n")


def test_without_numba_the_text_is_that_of_each_moment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    command = ("transcribe", folder / "a.wav", "--model", folder / "bundle")
    done = linnet(*command)
    said = "tone reads better with its language model: pip install 'linnet[beam]'\n"
    assert (done.exit_code, done.stdout, done.stderr) == (0, "one two\n", said)
    assert linnet(*command, "--no-lm").stderr == ""


def test_figures_say_how_the_texts_were_found(folder: Path, tmp_path: Path) -> None:
    options = ("--model", folder / "bundle", "--json", tmp_path / "report.json")
    done = linnet("evaluate", folder / "a.jsonl", *options)
    assert "decoding      search of 8 texts, language.lm (alpha 0.5, beta -1000)" in done.stdout
    assert json.loads((tmp_path / "report.json").read_text())["words"]["deletions"] == 1
    assert (
        "decoding      the likeliest token of each moment"
        in linnet("evaluate", folder / "a.jsonl", *options, "--no-lm").stdout
    )
    bench = linnet("bench", folder / "a.wav", "--model", folder / "bundle", "--repeat", 1)
    assert "decoding   search of 8 texts, language.lm" in bench.stdout


def test_its_help_tells_the_defaults_and_its_limits_hold(folder: Path) -> None:
    shown = " ".join(linnet("lm", "attach", "--help").stdout.split())
    assert all(f"default: {value:g}." in shown for _, value in OwnSearch())
    done = linnet("lm", "attach", folder / "words.lm", folder / "bundle", "--alpha", -1)
    assert (done.exit_code, "alpha: -1.0 should be greater than or equal to 0" in done.stderr) == (2, True)


def test_a_checkpoint_is_not_searched(folder: Path) -> None:
    done = linnet("evaluate", folder / "a.jsonl", "--model", "a.ckpt", "--beam", 8)
    assert done.exit_code == 2
    assert "a checkpoint is read without a search. Export it first" in done.stderr


def test_what_cannot_be_used_stays_outside(folder: Path, tmp_path: Path) -> None:
    before = (folder / "bundle" / "bundle.yaml").read_bytes()
    content = bytearray((folder / "words.lm").read_bytes())
    content[-1] ^= 1
    (tmp_path / "damaged.lm").write_bytes(content)
    damaged = linnet("lm", "attach", tmp_path / "damaged.lm", folder / "bundle")
    assert damaged.exit_code == 2
    assert "its content does not have the checksum" in damaged.stderr
    letters = ("--tokenizer", "chars", "--order", 2, "--discount-fallback", "-o", tmp_path / "letters.lm")
    assert linnet("lm", "build", folder / "text.txt", *letters).exit_code == 0
    foreign = linnet("lm", "attach", tmp_path / "letters.lm", folder / "bundle")
    assert "has none of this recognizer's" in foreign.stderr
    assert (folder / "bundle" / "bundle.yaml").read_bytes() == before
