"""`linnet import` and .nemo files where a bundle is asked for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

pytest.importorskip("onnxscript", reason="importing needs the extra train")

from linnet.audio.write import write_audio
from linnet.bundle.reader import read_bundle
from linnet.cli.imported import cache_folder, language_of
from linnet.cli.main import app
from linnet.core.arrays import Samples
from linnet.export import run
from linnet.export.options import ExportOptions
from linnet.export.proof import Proof
from linnet.importers import fetch
from linnet.models.checkpoint import load_model
from linnet.models.ctc import CtcModel
from linnet.runtime import packaged
from linnet.runtime.packaged import find_model

PROOF = Proof(recordings=2, audio_s=3.25, alone=1.5e-6, batched=2.5e-6, changed_texts=0)


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def source(write_nemo: Callable[..., Path], tiny_nemo: tuple[Any, Any]) -> Path:
    return write_nemo(*tiny_nemo)


@pytest.fixture
def speaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tone: Callable[..., Samples]) -> None:
    """Puts a long tone, which the tone model hears as "one", in the place of the packaged sample."""
    write_audio(tmp_path / "tone.wav", tone(300.0))
    monkeypatch.setattr(packaged, "packaged_sample", lambda: tmp_path / "tone.wav")


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CtcModel, list[Samples], ExportOptions]]:
    """Puts the packaged model where a bundle shall be written; gives what was to be exported."""
    calls: list[tuple[CtcModel, list[Samples], ExportOptions]] = []

    def export_model(model: CtcModel, directory: Path, recordings: list[Samples], options: Any) -> Proof:
        calls.append((model, recordings, options))
        shutil.copytree(find_model("digits"), directory)
        return PROOF

    monkeypatch.setattr(run, "export_model", export_model)
    return calls


def test_help_says_what_is_read() -> None:
    shown = " ".join(invoke("import", "--help").stdout.split())
    assert "a folder of transformers, a .pt file of icefall or fairseq, an .onnx file or its folder," in shown
    assert "hf:OWNER/NAME or ngc:NAME." in shown
    for option in ("--tokens", "--config", "--frontend", "--name", "--language", "--license", "--replace"):
        assert option in shown


def test_a_nemo_file_becomes_a_proved_bundle(
    source: Path, tmp_path: Path, tone: Callable[..., Samples]
) -> None:
    write_audio(tmp_path / "tone.wav", tone(duration_s=0.5))
    checkpoint = tmp_path / "model.ckpt"
    done = invoke(
        *("import", source, tmp_path / "bundle", "--name", "stt_de_tiny", "--license", "CC-BY-4.0"),
        *("--audio", tmp_path / "tone.wav", "--checkpoint", checkpoint),
    )
    assert done.exit_code == 0, done.output
    shown = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert shown[0] == ["model", "stt_de_tiny: EncDecCTCModel of NeMo 1.23.0"]
    assert shown[1] == ["encoder", "jasper, 124 parameters, a frame every 20 ms"]
    assert shown[2] == ["vocabulary", "3 pieces, char; texts by basic"]
    assert shown[3][1].startswith("end   logmel, 8 features, 20/10 ms at 16000 Hz, per_feature, reflect")
    assert done.stdout.splitlines()[4].startswith("compared on 3 recordings")
    spec = read_bundle(tmp_path / "bundle").spec
    assert (spec.name, spec.language, spec.license) == ("stt_de_tiny", "de", "CC-BY-4.0")
    assert load_model(checkpoint).config.name == "stt_de_tiny"


def test_nothing_is_imported_over_something(source: Path, tmp_path: Path, exports: list[Any]) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "notes.txt").write_text("mine")
    (tmp_path / "old.ckpt").write_text("mine")
    for arguments in (["bundle"], ["new", "--checkpoint", tmp_path / "old.ckpt"]):
        done = invoke("import", source, tmp_path / arguments[0], *arguments[1:])
        assert (done.exit_code, exports) == (2, [])
    assert not (tmp_path / "new").exists()


def test_a_bad_file_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "bad.nemo").write_bytes(b"bad")
    for arguments in (["import", tmp_path / "bad.nemo", tmp_path / "x"], ["transcribe", "--sample", "-m"]):
        arguments += [tmp_path / "bad.nemo"] if arguments[0] == "transcribe" else []
        done = invoke(*arguments)
        assert done.exit_code == 2
        assert "bad.nemo: is no tar archive" in done.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["bad.nemo"]


@pytest.mark.parametrize("command", [["transcribe", "--sample"], ["bench", "--repeat", "1"]])
def test_a_nemo_file_runs_from_the_cache(
    command: list[str], source: Path, exports: list[Any], cache: Path
) -> None:
    first, second = (invoke(*command, "--model", source) for _ in range(2))
    assert first.exit_code == second.exit_code == 0, first.output
    assert "importing" in first.stderr
    assert "importing" not in second.stderr
    assert len(exports) == 1
    ((model, recordings, options),) = exports
    assert (model.config.name, len(recordings), options.language) == ("model", 2, "und")
    assert len(list((cache / "imported").iterdir())) == 1
    source.write_bytes(source.read_bytes() + bytes(512))  # another file, another key
    assert "importing" in invoke(*command, "--model", source).stderr


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    done = invoke("transcribe", "--sample", "--model", tmp_path / "none.nemo")
    assert done.exit_code == 2
    assert "none.nemo: there is no such file" in done.stderr


def test_a_bundle_on_the_hub_runs_and_is_copied(
    tone_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "snapshot"
    shutil.copytree(tone_bundle, snapshot)
    monkeypatch.setattr(fetch, "fetch_bundle", lambda source: snapshot if source == "hf:owner/tone" else None)
    assert invoke("transcribe", "--sample", "--model", "hf:owner/tone").exit_code == 0
    done = invoke("import", "hf:owner/tone", tmp_path / "tone")
    assert (done.exit_code, done.stdout) == (0, f"wrote {tmp_path / 'tone'}\n")
    assert read_bundle(tmp_path / "tone").spec == read_bundle(tone_bundle).spec
    assert invoke("import", snapshot, tmp_path / "copy").exit_code == 0  # a folder of the hub's own cache
    assert read_bundle(tmp_path / "copy").spec == read_bundle(tone_bundle).spec
    (snapshot / "tokens.txt").write_text("one 0\n")  # changed on its way
    for command in (
        ["import", "hf:owner/tone", tmp_path / "x"],
        ["import", snapshot, tmp_path / "x"],
        ["transcribe", "--sample", "-m", "hf:owner/tone"],
    ):
        refused = invoke(*command)
        assert refused.exit_code == 2
        assert "tokens.txt: the file was changed or damaged: its SHA-256 differs" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "snapshot", "tone"]


def test_an_exported_model_becomes_a_bundle(tone_bundle: Path, tmp_path: Path) -> None:
    exported = invoke("export", tone_bundle, tmp_path / "sherpa", "--for", "sherpa-onnx", "--force")
    assert exported.exit_code == 0, exported.output
    assert "warning: sherpa-onnx: window_ms is 20.0 here and always 25.0 there" in exported.stderr
    done = invoke("import", tmp_path / "sherpa", tmp_path / "bundle", "--name", "back", "--language", "de")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "model       back: 0 parameters, a frame every 20 ms"
    assert lines[1] == "vocabulary  2 pieces, word; texts by basic"
    assert "linnet's own description in the file" in lines[2]
    spec = read_bundle(tmp_path / "bundle").spec
    assert (spec.name, spec.language, spec.frontend) == ("back", "de", read_bundle(tone_bundle).spec.frontend)


def test_tokens_in_another_order_are_noticed(tone_bundle: Path, tmp_path: Path, speaking: None) -> None:
    shutil.copytree(tone_bundle, tmp_path / "exported")
    (tmp_path / "frontend.yaml").write_text("normalize: none\n")
    model = tmp_path / "exported" / "model.onnx"
    done = invoke("import", model, tmp_path / "bundle", "--frontend", tmp_path / "frontend.yaml")
    assert done.exit_code == 0, done.output
    assert "token 0, '▁one', is the best of" in done.stderr


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINNET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/linnet")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "linnet"


def test_the_language_comes_from_nvidias_names() -> None:
    names = ("stt_en_quartznet15x5", "nvidia-stt_ru_conformer_ctc_large", "QuartzNet15x5Base-En")
    assert [language_of(name) for name in names] == ["en", "ru", "und"]
