"""`linnet models`: a table, JSON, and the section of a configuration."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

import doc_commands
from linnet.cli.main import app
from linnet.models.catalog import ARCHITECTURES
from linnet.models.ctc import ModelConfig
from linnet.models.encoders import FAMILIES


def linnet_models(*words: str) -> Result:
    return CliRunner().invoke(app, ["models", *words])


def test_the_table_has_a_line_for_each_size() -> None:
    result = linnet_models()
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    for family, architecture in ARCHITECTURES.items():
        for size in architecture.sizes:
            assert [family, size] in [words[:2] for words in lines]
    assert ["quartznet", "15x5", "18.9", "0.942", "2", "3.9/11.28", "the", "paper"] in lines
    assert ["quartznet", "5x5", "6.7", "0.334", "2", "dev", "5.39/15.69", "the", "paper"] in lines


def test_json_has_the_facts_of_a_family() -> None:
    rows = json.loads(linnet_models("quartznet", "--json").stdout)
    assert [row["size"] for row in rows] == ["5x1", "5x3", "5x5", "10x5", "15x5"]
    assert rows[-1] == {
        "family": "quartznet",
        "size": "15x5",
        "title": "QuartzNet",
        "paper": "arXiv:1910.10261",
        "parameters": 18_924_381,
        "num_outputs": 29,
        "gmac_per_s": 0.942,
        "subsampling": 2,
        "frontend": {"kind": "logmel", "num_mels": 64, "window_ms": 20.0},
        "wer": {"clean": 3.9, "other": 11.28, "part": "test"},
        "source": "the paper",
    }


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_a_size_is_written_as_a_configuration(family: str) -> None:
    for size in ARCHITECTURES[family].sizes:
        text = linnet_models(family, size).stdout
        config = ModelConfig.model_validate(yaml.safe_load(text)["model"])
        assert config.encoder == FAMILIES[family].config(size)
        assert config.frontend == ARCHITECTURES[family].frontend_of(size)


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_the_values_behind_a_size_replace_it(family: str) -> None:
    size = next(iter(ARCHITECTURES[family].sizes))
    lines = linnet_models(family, size).stdout.splitlines()
    shown = [line.removeprefix("    # ") for line in lines if line.startswith("    # ")]
    values = yaml.safe_load("\n".join(shown[1:]))
    config = ModelConfig.model_validate(
        {"name": "same", "encoder": {family: size, **values}, "tokenizer": {"kind": "char"}}
    )
    assert config.encoder == FAMILIES[family].config(size)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["quartnet"], "there is no family 'quartnet'. Families: citrinet, conformer"),
        (["quartznet", "6x6"], "quartznet has no size '6x6'. Sizes: 5x1, 5x3, 5x5, 10x5, 15x5"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(words: list[str], message: str) -> None:
    result = linnet_models(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_the_page_shows_what_the_command_prints(repo_root: Path) -> None:
    blocks = doc_commands.read_blocks(repo_root / "docs" / "models.md")
    (shown,) = [block.output for block in blocks if block.commands == ("linnet models",)]
    assert list(shown) == [line.rstrip() for line in linnet_models().stdout.rstrip().splitlines()]
