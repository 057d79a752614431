"""Frozen parts stay as they are to the bit, and so do their statistics; the rest learns."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Trainer
from torch import nn

from linnet.core.errors import ConfigError
from linnet.models.checkpoint import read_checkpoint
from linnet.models.layers.squeeze_excite import SqueezeExcite
from linnet.training import run
from linnet.training.callbacks import TrainingStatus
from linnet.training.config import TrainConfig
from linnet.training.freezing import evaluate_frozen, freeze, frozen_names
from linnet.training.init_config import InitConfig
from linnet.training.module import CtcTraining
from linnet.training.run import train
from linnet.training.source import Run

MakeRun = Callable[..., Run]
NORMS = (".norm.", "residual.1.")


def ignore(status: TrainingStatus) -> None:
    """Report to nobody."""


def changed(run: Run) -> set[str]:
    """Train, and name what is not as it was in the source."""
    assert run.source is not None
    result = train(run.config, ignore, run.source)
    after = read_checkpoint(result.final).weights
    return {name for name, value in run.source.weights.items() if not torch.equal(after[name], value)}


def is_norm(name: str) -> bool:
    return any(part in name for part in NORMS)


@pytest.mark.parametrize("optimizer", ["novograd", "adamw"])
def test_a_frozen_encoder_stays_as_it_is(make_run: MakeRun, source_checkpoint: Path, optimizer: str) -> None:
    run = make_run(f"init={source_checkpoint}", "init.freeze=encoder", f"optimizer.name={optimizer}")
    assert changed(run) == {"head.weight", "head.bias"}
    last = torch.load(run.config.output_dir / "checkpoints" / "last.ckpt", weights_only=True)
    assert len(last["optimizer_states"][0]["state"]) == 2, "only the head has moments"
    assert (run.config.output_dir / "init.yaml").is_file()


def test_batch_norms_may_learn_in_a_frozen_encoder(make_run: MakeRun, source_checkpoint: Path) -> None:
    run = make_run(f"init={source_checkpoint}", "init.freeze=encoder", "init.unfreeze_batchnorm=true")
    assert run.source is not None
    expected = {name for name in run.source.weights if is_norm(name) or name.startswith("head.")}
    assert changed(run) == expected


def test_frozen_parts_are_trained_after_so_many_steps(make_run: MakeRun, source_checkpoint: Path) -> None:
    keys = (f"init={source_checkpoint}", "init.freeze=encoder.blocks.0", "init.unfreeze_after_steps=1")
    first = "encoder.blocks.0."
    assert not any(name.startswith(first) for name in changed(make_run(*keys, "trainer.max_steps=1")))
    on = make_run(*keys, "trainer.max_steps=3", "trainer.resume=true", "trainer.log_every_steps=1")
    steps: list[int] = []
    assert on.source is None
    train(on.config, lambda status: steps.append(status.step), on.source)
    assert steps == [2, 3]
    before = read_checkpoint(source_checkpoint).weights
    after = read_checkpoint(on.config.output_dir / "final.ckpt").weights
    assert all(not torch.equal(after[name], before[name]) for name in before if name.startswith(first))


def test_some_layers_stay_frozen_when_the_others_are_trained(make_config: Callable[..., TrainConfig]) -> None:
    keys = ("init.path=x", "init.freeze=encoder", "init.keep_frozen=encoder.blocks.0")
    module = CtcTraining(make_config(*keys, "init.unfreeze_after_steps=1"))
    assert {name.split(".")[0] for name in module.frozen} == {"encoder"}
    first = {name for name in module.frozen if name.startswith("encoder.blocks.0.")}
    optimized = [name for group in module.parameter_groups() for name in group.names]
    assert first
    assert first.isdisjoint(optimized)
    assert set(module.frozen) - first <= set(optimized)
    assert module.always_frozen == first


def test_modules_frozen_as_a_whole_run_as_in_evaluation(make_config: Callable[..., TrainConfig]) -> None:
    keys = ("init.path=x", "init.freeze=[encoder.blocks.0, encoder.blocks.1.sub_blocks.0.norm]")
    module = CtcTraining(make_config(*keys)).eval().train()
    first, second = module.model.encoder.blocks[0], module.model.encoder.blocks[1]
    assert not first.training
    assert not first.sub_blocks[0].norm.training
    assert not second.sub_blocks[0].norm.training
    assert second.training
    assert second.sub_blocks[0].training, "it keeps padding out of the statistics of others"
    assert module.model.head.training
    tuned = CtcTraining(make_config("init.path=x", "init.freeze=encoder", "init.unfreeze_batchnorm=true"))
    block = tuned.model.encoder.blocks[0].sub_blocks[0]
    assert block.training
    assert block.norm.training
    assert block.norm.weight.requires_grad
    assert not block.mixing.weight.requires_grad


def test_a_frozen_recurrent_layer_lets_gradients_through_on_a_gpu() -> None:
    layers = nn.ModuleDict({"rnn": nn.LSTM(2, 2), "dropout": nn.Dropout()})
    freeze(layers, frozenset(name for name, _ in layers.named_parameters()))
    evaluate_frozen(layers)
    assert layers["rnn"].training
    assert not layers["dropout"].training


def test_squeeze_and_excitation_counts_as_a_batch_norm() -> None:
    layers = {"se": SqueezeExcite(4, 2, nn.ReLU()), "mixing": nn.Linear(4, 4), "head": nn.Linear(4, 2)}
    init = InitConfig(path="x", freeze=("se", "mixing"), unfreeze_batchnorm=True)
    assert frozen_names(nn.ModuleDict(layers), init) == {"mixing.weight", "mixing.bias"}


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (
            "encoder.block",
            r"init\.freeze: 'encoder\.block' is the name of nothing. Did you mean encoder\.blocks\?",
        ),
        ("[encoder, head]", r"init\.freeze leaves nothing to train"),
    ],
)
def test_what_cannot_be_frozen_is_refused(
    make_config: Callable[..., TrainConfig], freeze: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        CtcTraining(make_config("init.path=x", f"init.freeze={freeze}"))


def test_several_processes_cannot_unfreeze(make_config: Callable[..., TrainConfig]) -> None:
    config = make_config("init.path=x", "init.freeze=encoder", "init.unfreeze_after_steps=1")
    run._check_processes(config, Trainer(accelerator="cpu", devices=1, logger=False))
    with pytest.raises(ConfigError, match=r"init\.unfreeze_after_steps cannot be used by 2 processes"):
        run._check_processes(config, Trainer(accelerator="cpu", devices=2, logger=False))


def test_a_run_goes_on_with_its_own_groups_only(make_run: MakeRun, source_checkpoint: Path) -> None:
    keys = (f"init={source_checkpoint}", "optimizer.layer_decay=0.5", "trainer.max_steps=1")
    run = make_run(*keys)
    train(run.config, ignore, run.source)
    again = ("trainer.resume=true", "trainer.max_steps=2")
    with pytest.raises(ConfigError, match=r"init\.freeze or the groups of the optimizer differ"):
        train(make_run(*keys, "optimizer.layer_decay=1.0", *again).config, ignore)
    train(make_run(*keys, *again).config, ignore)
    last = torch.load(run.config.output_dir / "checkpoints" / "last.ckpt", weights_only=True)
    peaks = [group["initial_lr"] for group in last["optimizer_states"][0]["param_groups"]]
    assert peaks == pytest.approx([0.02 / 16, 0.02 / 8, 0.02 / 4, 0.02 / 2, 0.02])
