"""What of another model's weights is taken, row by row where labels moved, and what is said about it."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from linnet.core.errors import ConfigError
from linnet.models.checkpoint import Checkpoint
from linnet.models.ctc import CtcModel
from linnet.training.init_config import InitConfig
from linnet.training.source import Run
from linnet.training.transfer import Transfer, report_transfer, transfer_weights, write_report

Move = Callable[..., tuple[CtcModel, Checkpoint, Transfer]]


@pytest.fixture
def move(make_run: Callable[..., Run], source_checkpoint: Path) -> Move:
    """`move("key=value", …)` → the new model with what it took, the source, and the report."""

    def move(*overrides: str) -> tuple[CtcModel, Checkpoint, Transfer]:
        run = make_run(f"init={source_checkpoint}", *overrides)
        assert run.source is not None
        assert run.config.init is not None
        model = CtcModel(run.config.model).eval()
        return model, run.source, transfer_weights(model, run.source, run.config.init)

    return move


def same(model: CtcModel, source: Checkpoint, name: str) -> bool:
    return torch.equal(model.state_dict()[name], source.weights[name])


def test_the_same_vocabulary_takes_everything(move: Move) -> None:
    model, source, result = move()
    assert sorted(result.taken) == sorted(source.weights)
    assert all(same(model, source, name) for name in source.weights)
    assert (result.new, result.unused, result.by_label) == ({}, {}, {})
    assert result.head == "head: 3 outputs for the same labels"


def test_labels_keep_their_rows_when_they_move(move: Move) -> None:
    """As many labels in another order fit by shape; copied whole, every word would mean another."""
    model, source, result = move("model.tokenizer.pieces=[two, one]")
    plain, _, _ = move()
    features, lengths = torch.randn(1, 16, 40), torch.tensor([40])
    ours, theirs = model(features, lengths)[0], plain(features, lengths)[0]
    torch.testing.assert_close(ours, theirs[..., [1, 0, 2]])
    assert not same(model, source, "head.weight")
    assert result.by_label == {"head.weight": "3 of 3 rows", "head.bias": "3 of 3 rows"}
    assert result.head == "head: 3 outputs replaced by 3; 3 labels kept: ▁two ▁one <blk>"


def test_a_new_vocabulary_replaces_the_head_alone(move: Move) -> None:
    model, source, result = move("model.tokenizer.pieces=[red, two, green]")
    assert torch.equal(model.head.weight[[1, 3]], source.weights["head.weight"][[1, 2]])
    assert result.head == "head: 3 outputs replaced by 4; 2 labels kept: ▁two <blk>"
    assert all(same(model, source, name) for name in source.weights if name.startswith("encoder"))
    _, _, unlike = move("model.tokenizer={kind: char, pieces: [a, b]}")
    assert unlike.new == {"head.weight": "another vocabulary", "head.bias": "another vocabulary"}
    assert unlike.head == "head: 3 outputs replaced by 4; 0 labels kept"
    _, _, refused = move("model.tokenizer.pieces=[two, one]", "init.keep_known_labels=false")
    assert refused.new.keys() == {"head.weight", "head.bias"}


def test_included_and_excluded_names(move: Move) -> None:
    model, source, result = move("init.include=[encoder.blocks.0, head]", "init.exclude='*.bias'")
    assert same(model, source, "encoder.blocks.0.sub_blocks.0.norm.running_mean")
    assert not same(model, source, "encoder.blocks.1.sub_blocks.0.norm.running_mean")
    assert result.new["encoder.blocks.0.sub_blocks.0.norm.bias"] == "excluded"
    assert "head.weight" in result.taken
    assert result.new["head.bias"] == "excluded"
    assert result.head == "head: 3 outputs for the same labels; these start anew: head.bias (excluded)"
    with pytest.raises(ConfigError, match=r"init\.exclude: 'encoder\.bloks' is the name of nothing"):
        move("init.exclude=encoder.bloks")


def test_another_encoder_gives_what_fits(
    move: Move, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    wider = ("model.encoder.blocks.1.kernel=13", "model.encoder.blocks.1.residual=false", "init.partial=true")
    model, source, result = move(*wider)
    name = "encoder.blocks.1.sub_blocks.0.depthwise.weight"
    assert result.new[name] == "shape 16×1×13 here, 16×1×15 in the source"
    assert result.unused["encoder.blocks.1.residual.0.weight"] == "no such weight here"
    run_init = source_init(tmp_path)
    with caplog.at_level(logging.INFO, logger="linnet"):
        report_transfer(result, model, source, run_init)
    assert "2 tensors start anew" in caplog.text
    assert f"{name} (shape 16×1×13 here" in caplog.text
    write_report(tmp_path / "init.yaml", result, source, run_init)
    written = yaml.safe_load((tmp_path / "init.yaml").read_text())
    assert written["step"] == 5
    assert written["started_anew"] == result.new
    assert written["not_used"] == result.unused
    assert set(written["taken"]) | result.new.keys() == model.state_dict().keys()


def source_init(folder: Path) -> InitConfig:
    return InitConfig(path=str(folder / "source.ckpt"))


def test_nothing_taken_is_an_error(move: Move) -> None:
    with pytest.raises(ConfigError, match=r"source\.ckpt: nothing of the source was taken"):
        move("init.exclude=[encoder, head]")


def test_kept_labels_of_another_normalizer_are_pointed_out(
    move: Move, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    for pieces in ("[two, one]", "[one, two]"):
        caplog.clear()
        model, source, result = move("model.normalizer=none", f"model.tokenizer.pieces={pieces}")
        report_transfer(result, model, source, source_init(tmp_path))
        assert "normalizer 'basic', this run uses 'none'" in caplog.text
