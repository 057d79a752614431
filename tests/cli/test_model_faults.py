"""A model that is damaged, incomplete or of a newer linnet: named with its remedy, and nothing is written."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from linnet.bundle.reader import file_sha256
from linnet.cli.main import app

Fault = Callable[[Path], None]


def edit_spec(bundle: Path, **changes: object) -> None:
    path = bundle / "bundle.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes), encoding="utf-8")


def truncate_and_say_so(bundle: Path) -> None:
    """A model that was damaged before its checksum was taken."""
    model = bundle / "model.onnx"
    model.write_bytes(model.read_bytes()[:200])
    files = yaml.safe_load((bundle / "bundle.yaml").read_text())["files"]
    edit_spec(bundle, files=files | {"model.onnx": file_sha256(model)})


def flip_a_bit(bundle: Path) -> None:
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (truncate_and_say_so, "cannot load the model"),
        (flip_a_bit, "model.onnx: the file was changed or damaged: its SHA-256 differs"),
        (
            lambda bundle: edit_spec(bundle, schema_version=2),
            "schema version 2, this linnet reads up to 1. Upgrade",
        ),
        (lambda bundle: (bundle / "tokens.txt").unlink(), "the file tokens.txt is missing. Copy the whole"),
    ],
)
@pytest.mark.parametrize("command", ["transcribe", "export"])
def test_a_model_that_cannot_be_used(
    tone_bundle: Path, tmp_path: Path, command: str, fault: Fault, message: str
) -> None:
    shutil.copytree(tone_bundle, tmp_path / "model")
    fault(tmp_path / "model")
    arguments = {
        "transcribe": ["--sample", "--model", str(tmp_path / "model"), "--output-dir", str(tmp_path / "out")],
        "export": [str(tmp_path / "model"), str(tmp_path / "out"), "--for", "onnx-asr", "--force"],
    }
    result = CliRunner().invoke(app, [command, *arguments[command]], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert message in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
