"""`linnet lm`: from texts to models, ARPA files, perplexities and mixtures."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from linnet.cli.main import app
from linnet.lm.packed import PackedModel

REFERENCE = Path(__file__).parents[1] / "lm" / "reference"


def linnet(*words: Any) -> Result:
    return CliRunner().invoke(app, ["lm", *map(str, words)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """text.txt and unseen.txt, and pruned.lm of the first."""
    folder = tmp_path_factory.mktemp("lm")
    sentences = runpy.run_path(str(REFERENCE / "text.py"))["sentences"]
    for name in ("text", "unseen"):
        (folder / f"{name}.txt").write_text(
            "".join(f"{line}\n" for line in sentences(name)), encoding="utf-8"
        )
    built = linnet("build", folder / "text.txt", "--order", 3, "--prune", "0,0,1", "-o", folder / "pruned.lm")
    assert built.exit_code == 0, built.stderr
    counts = "360 words in 90 sentences; 63 1-grams, 291 2-grams, 14 3-grams"
    assert built.stdout == f"{folder / 'pruned.lm'}: {counts}\n"
    return folder


def test_a_built_model_goes_out_and_comes_back(folder: Path, tmp_path: Path) -> None:
    assert linnet("export", folder / "pruned.lm", "-o", tmp_path / "a.arpa.gz").exit_code == 0
    assert linnet("import", tmp_path / "a.arpa.gz", "-o", tmp_path / "a.lm").exit_code == 0
    assert (tmp_path / "a.lm").read_bytes() == (folder / "pruned.lm").read_bytes()


def test_perplexity_is_that_of_kenlm(folder: Path) -> None:
    expected = [
        "perplexity with unknown words     31.5569",
        "perplexity without unknown words  30.3256",
        "unknown words                     1",
        "words and ends of sentences       51",
    ]
    for model in (folder / "pruned.lm", REFERENCE / "pruned.arpa"):
        assert linnet("perplexity", model, folder / "unseen.txt").stdout.splitlines() == expected


def test_a_mixture_is_better_than_its_parts(folder: Path, tmp_path: Path) -> None:
    models = [REFERENCE / "limited.arpa", folder / "pruned.lm"]
    mixed = linnet("interpolate", *models, "--tune", folder / "unseen.txt", "-o", tmp_path / "m.lm")
    lines = mixed.stdout.splitlines()
    assert mixed.exit_code == 0, mixed.stderr
    assert [line.split(": perplexity")[0].split(" · ")[-1] for line in lines] == [
        *map(str, models),
        str(tmp_path / "m.lm"),
    ]
    assert sum(float(line.split(" · ")[0]) for line in lines[:2]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (("--ngrams", 100), "threshold 0.001316; 63 1-grams, 37 2-grams"),
        (("--threshold", 1), "threshold 1; 63 1-grams"),
        (("--size", "9.5KB"), "threshold 0.0008143; 63 1-grams, 85 2-grams"),
        (("--size", "12KB", "--compact"), "threshold 0.0005182; 63 1-grams, 128 2-grams, 2 3-grams"),
    ],
)
def test_pruning_keeps_what_is_asked(
    target: tuple[str, object], kept: str, folder: Path, tmp_path: Path
) -> None:
    pruned = linnet("prune", folder / "pruned.lm", *target, "-o", tmp_path / "a.lm")
    assert pruned.stdout == f"{tmp_path / 'a.lm'}: {kept}\n"
    assert linnet("perplexity", tmp_path / "a.lm", folder / "unseen.txt").exit_code == 0


def test_letters_and_pieces_make_models_too(folder: Path, tmp_path: Path) -> None:
    text, options = folder / "text.txt", ("--order", 3, "--discount-fallback")
    assert linnet("build", text, "--tokenizer", "chars", *options, "-o", tmp_path / "c.lm").exit_code == 0
    letters = PackedModel(tmp_path / "c.lm")
    assert letters.header.unit == "char"
    assert "▁".encode() in letters.words()
    assert linnet("perplexity", tmp_path / "c.lm", folder / "unseen.txt").exit_code == 0

    trained = [
        "tokenizer",
        "train",
        "--text",
        text,
        "--type",
        "wordpiece",
        "--vocab-size",
        40,
        "-o",
        tmp_path,
    ]
    assert CliRunner().invoke(app, list(map(str, trained))).exit_code == 0
    (pieces,) = tmp_path.glob("tokenizer_*")
    assert linnet("build", text, "--tokenizer", pieces, *options, "-o", tmp_path / "p.lm").exit_code == 0
    refused = linnet("perplexity", tmp_path / "p.lm", folder / "unseen.txt")
    assert refused.exit_code == 2
    assert "is a model of pieces. Name the folder of its tokenizer with --tokenizer" in refused.stderr
    done = linnet("perplexity", tmp_path / "p.lm", folder / "text.txt", "--tokenizer", pieces)
    assert done.exit_code == 0
    other = linnet("perplexity", tmp_path / "c.lm", folder / "text.txt", "--tokenizer", pieces)
    assert "is a model of chars, but --tokenizer gives pieces" in other.stderr


def test_lines_that_are_no_text_are_named_and_the_rest_is_used(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes((folder / "text.txt").read_bytes() + b"\xff\n<s> a\n")
    built = linnet("build", tmp_path / "a.txt", "--order", 2, "--quantize", "-o", tmp_path / "a.lm")
    assert built.exit_code == 1
    assert "360 words in 90 sentences" in built.stdout
    assert "a.txt, line 91: is not UTF-8" in built.stderr
    assert "a.txt, line 92: '<s>' is no word of a text" in built.stderr
    assert PackedModel(tmp_path / "a.lm").header.quantized


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "text.txt", "-o", "text.txt"], "text.txt exists already"),
        (["build", "gone.txt", "-o", "a.lm"], "gone.txt: cannot read the text"),
        (["build", "text.txt", "-o", "a.lm", "--prune", "1,x"], "prune"),
        (["build", "text.txt", "-o", "a.lm", "--memory", "lots"], "--memory is 'lots'"),
        (["build", "text.txt", "-o", "a.lm", "--vocab", "gone.txt"], "gone.txt: cannot be read"),
        (["build", "text.txt", "-o", "a.lm", "--order", "4"], "--discount-fallback"),
        (["import", "text.txt", "-o", "a.lm"], "text.txt: is no ARPA file"),
        (["export", "text.txt", "-o", "a.arpa"], "is no packed language model"),
        (["prune", "pruned.lm", "-o", "a.lm"], "it is not said how much is to stay"),
        (["prune", "pruned.lm", "-o", "a.lm", "--size", "4"], "--size is '4'"),
        (
            ["prune", "pruned.lm", "-o", "a.lm", "--size", "4KB"],
            "the 63 words of the model alone are too many",
        ),
        (["interpolate", "pruned.lm", "--tune", "text.txt", "-o", "a.lm"], "there is nothing to mix"),
    ],
)
def test_a_mistake_is_said_and_nothing_written(
    words: list[str], message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = linnet(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert {path.name for path in folder.iterdir()} == {"text.txt", "unseen.txt", "pruned.lm"}
