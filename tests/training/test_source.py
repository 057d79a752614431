"""Which model a run starts from, and what of its configuration comes from there."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("lightning", reason="training needs the extra train")

from linnet.bundle.schema import CHECKPOINT_FILE, SPEC_FILE
from linnet.core.errors import CheckpointError, ConfigError
from linnet.models.checkpoint import Checkpoint, read_checkpoint
from linnet.training.source import Run, load_run, read_source

MakeRun = Callable[..., Run]


def test_what_the_configuration_leaves_out_is_the_sources(make_run: MakeRun, source_checkpoint: Path) -> None:
    run = make_run("model={name: new}", f"init={source_checkpoint}")
    theirs = read_checkpoint(source_checkpoint).config
    assert run.config.model == theirs.model_copy(update={"name": "new"})
    assert run.config.init is not None
    assert run.config.init.path == str(source_checkpoint)
    assert run.source is not None
    assert run.source.step == 5
    dithered = make_run("model={name: new, frontend: {dither: 0.1}}", f"init={source_checkpoint}")
    assert dithered.config.model.frontend == theirs.frontend.model_copy(update={"dither": 0.1})


def test_without_init_nothing_is_read_and_the_encoder_is_needed(make_run: MakeRun) -> None:
    assert make_run().source is None
    with pytest.raises(ConfigError, match=r"model\.encoder: is missing"):
        make_run("model={name: new, tokenizer: {}}")


@pytest.mark.parametrize("order", [1, -1])
def test_the_short_form_and_its_keys_stand_in_any_order(
    make_run: MakeRun, source_checkpoint: Path, order: int
) -> None:
    init = make_run(*[f"init={source_checkpoint}", "init.freeze=encoder"][::order]).config.init
    assert init is not None
    assert (init.path, init.freeze) == (str(source_checkpoint), ("encoder",))


def test_a_file_may_name_the_source_alone(tmp_path: Path, source_checkpoint: Path) -> None:
    path = tmp_path / "tune.yaml"
    path.write_text(
        "output_dir: out\ninit: ${config_dir}/source.ckpt\nmodel: {name: new}\n"
        "data: {train: [{manifest: a}], dev: [{manifest: b}]}\ntrainer: {max_steps: 1}\n"
    )
    assert load_run(path, ["init.exclude=[head]"]).source is not None


def test_keys_that_differ_are_listed_with_both_values(make_run: MakeRun, source_checkpoint: Path) -> None:
    wrong = (
        "model.frontend.sample_rate_hz=8000", "model.encoder.blocks.1.kernel=13",
        "model.encoder.blocks.1.dropout=0.1", f"init={source_checkpoint}",
    )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        make_run(*wrong)
    assert "model.frontend.sample_rate_hz: 8000 here, 16000 in the source" in str(caught.value)
    assert "model.encoder.blocks.1.kernel: 13 here, 15 in the source" in str(caught.value)
    assert "dropout: " not in str(caught.value), "of training alone"
    assert make_run(*wrong, "init.partial=true").source is not None


def test_a_resumed_run_is_completed_by_itself(
    make_run: MakeRun, source_checkpoint: Path, tmp_path: Path
) -> None:
    resumed = ("model={name: new}", "init=none.ckpt", "trainer.resume=true")
    with pytest.raises(CheckpointError, match=r"none\.ckpt: there is no such checkpoint"):
        make_run(*resumed)  # nothing was saved yet
    last = tmp_path / "tuned" / "checkpoints" / "last.ckpt"
    last.parent.mkdir(parents=True)
    last.write_bytes(source_checkpoint.read_bytes())
    run = make_run(*resumed)
    assert run.source is None
    assert run.config.model.encoder == read_checkpoint(source_checkpoint).config.encoder


def test_a_directory_gives_its_averaged_or_its_best_model(source_checkpoint: Path, tmp_path: Path) -> None:
    run = tmp_path / "other"
    (run / "checkpoints").mkdir(parents=True)
    with pytest.raises(CheckpointError, match=r"no final\.ckpt, no checkpoints/best"):
        read_source(str(run))
    for name in ("best-00000009-0.2500", "best-00000003-0.1000", "best-00000012-1.0000"):
        (run / "checkpoints" / f"{name}.ckpt").write_bytes(b"")
    (run / "checkpoints" / "best-00000003-0.1000.ckpt").write_bytes(source_checkpoint.read_bytes())
    assert read_source(str(run)).step == 5
    (run / "final.ckpt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"final\.ckpt: is damaged"):
        read_source(str(run))


def test_a_bundle_needs_its_checkpoint(source_checkpoint: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / SPEC_FILE).write_text("")
    with pytest.raises(CheckpointError, match=r"bundle: .* holds no source\.ckpt.*--keep-checkpoint"):
        read_source(str(bundle))
    with pytest.raises(CheckpointError, match=r"model\.onnx: .*cannot be trained on"):
        read_source(str(bundle / "model.onnx"))
    (bundle / CHECKPOINT_FILE).write_bytes(source_checkpoint.read_bytes())
    assert read_source(str(bundle)).step == 5


def test_a_foreign_model_comes_from_its_reader(source_checkpoint: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    def read(path: str) -> Checkpoint | None:
        asked.append(path)
        return read_checkpoint(source_checkpoint) if path.startswith("hf:") else None

    assert read_source("hf:owner/model", read).step == 5
    with pytest.raises(CheckpointError, match=r"none\.ckpt: there is no such checkpoint"):
        read_source("none.ckpt", read)
    assert asked == ["hf:owner/model", "none.ckpt"]
