"""`linnet models`: a table, JSON, and the section of a configuration."""

import json
import subprocess
import sys
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


def test_the_table_needs_no_torch() -> None:
    code = (
        "import sys\nfrom linnet.cli.main import app\n"
        "app(['models'], standalone_mode=False)\nsys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_json_has_the_facts_of_a_family() -> None:
    rows = json.loads(linnet_models("quartznet", "--json").stdout)
    assert [row["size"] for row in rows] == list(FAMILIES["quartznet"].variants)
    assert rows[-1] == {
        "family": "quartznet",
        "size": "15x5",
        "title": "QuartzNet",
        "paper": "arXiv:1910.10261",
        "parameters": 18_924_381,
        "num_outputs": 29,
        "gmac_per_s": 0.942,
        "subsampling": 2,
        "frame_ms": 20.0,
        "frontend": {"kind": "logmel", "num_mels": 64, "window_ms": 20.0},
        "wer": {"clean": 3.9, "other": 11.28, "part": "test"},
        "source": "the paper",
    }


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_a_size_is_written_as_a_configuration(family: str) -> None:
    size = next(iter(ARCHITECTURES[family].sizes))
    text = linnet_models(family, size).stdout
    config = ModelConfig.model_validate(yaml.safe_load(text)["model"])
    assert config.encoder == FAMILIES[family].config(size)
    assert config.frontend == ARCHITECTURES[family].frontend_of(size)
    comments = [line.removeprefix("    # ") for line in text.splitlines() if line.startswith("    # ")]
    replaced = {"encoder": {family: size, **yaml.safe_load("\n".join(comments[1:]))}}
    assert ModelConfig.model_validate(config.model_dump() | replaced).encoder == config.encoder


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["quartnet"], "there is no family 'quartnet'. Families: citrinet, conformer"),
        (["quartznet", "6x6"], "quartznet has no size '6x6'. Sizes: 5x1, "),
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
