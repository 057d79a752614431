"""Checkpoints come back as they were; damage and malice are refused before anything of them runs."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.models.checkpoint import load_model, read_checkpoint, save_model
from linnet.models.ctc import CtcModel


@pytest.fixture
def saved(tmp_path: Path, tiny_model: CtcModel) -> Path:
    path = tmp_path / "model.ckpt"
    save_model(path, tiny_model.config, tiny_model.state_dict(), step=7)
    return path


class Payload:
    """Unpickling it creates a file."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.victim,)


def test_a_model_comes_back_with_its_weights(saved: Path, tiny_model: CtcModel) -> None:
    loaded = load_model(saved)
    assert loaded.config == tiny_model.config
    assert not loaded.training
    expected = tiny_model.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[key]) for key, value in loaded.state_dict().items())
    assert read_checkpoint(saved).step == 7


def test_the_weights_of_a_training_beside_the_model_are_left_alone(saved: Path, tiny_model: CtcModel) -> None:
    content = torch.load(saved, weights_only=True)
    content["state_dict"]["auxiliary_head.weight"] = torch.zeros(3)
    torch.save(content, saved)
    assert read_checkpoint(saved).weights.keys() == tiny_model.state_dict().keys()


@pytest.mark.parametrize(
    "pack", [torch.save, lambda content, path: path.write_bytes(pickle.dumps(content, 2))]
)
def test_a_malicious_pickle_is_refused_and_does_nothing(tmp_path: Path, pack: Any) -> None:
    victim, path = tmp_path / "victim", tmp_path / "evil.ckpt"
    pack({"linnet": Payload(victim), "state_dict": {}}, path)
    with pytest.raises(CheckpointError, match=r"evil\.ckpt: is damaged, or holds more than tensors"):
        load_model(path)
    assert not victim.exists()
    pickle.loads(pickle.dumps(Payload(victim)))
    assert victim.exists(), "the payload is a dud, so the test above proves nothing"


def test_a_refusal_does_not_pass_on_the_advice_to_run_the_file(tmp_path: Path) -> None:
    path = tmp_path / "evil.ckpt"
    torch.save(Payload(tmp_path / "victim"), path)
    with pytest.raises(CheckpointError) as caught:
        load_model(path)
    assert "weights_only" not in str(caught.value)


def test_a_file_cut_off_anywhere_is_refused(saved: Path) -> None:
    data = saved.read_bytes()
    for size in range(0, len(data) - 1, 509):
        saved.write_bytes(data[:size])
        with pytest.raises(CheckpointError, match="is damaged"):
            load_model(saved)


@pytest.mark.parametrize("content", [b"", b"hello\n", b"PK\x03\x04", bytes(range(256))])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.ckpt"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"other\.ckpt: is damaged"):
        load_model(path)


@pytest.mark.parametrize(
    "change",
    [
        {"linnet": None},
        {"linnet": {"format": 2, "model": {}}},
        {"linnet": {"format": 1}},
        {"state_dict": [1, 2]},
        {"global_step": "many"},
    ],
)
def test_a_torch_file_of_something_else_is_refused(saved: Path, change: dict[str, object]) -> None:
    torch.save(torch.load(saved, weights_only=True) | change, saved)
    with pytest.raises(CheckpointError, match=r"is not a checkpoint of linnet.*`linnet train`"):
        load_model(saved)


def test_a_model_of_a_later_version_is_refused(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    content["linnet"]["model"]["encoder"]["kind"] = "conformer"
    torch.save(content, saved)
    with pytest.raises(CheckpointError, match=r"describes a model this version does not know.*Update"):
        load_model(saved)


def test_a_checkpoint_opens_no_other_file(saved: Path, tmp_path: Path) -> None:
    content = torch.load(saved, weights_only=True)
    content["linnet"]["model"]["tokenizer"] = {"path": str(tmp_path)}
    torch.save(content, saved)
    with pytest.raises(CheckpointError, match="refers to a tokenizer outside of it"):
        load_model(saved)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (None, r'Missing key\(s\) in state_dict: "head.weight"'),
        (torch.zeros(2, 2, 1), "size mismatch for head.weight"),
        ("text", r'Missing key\(s\) in state_dict: "head.weight"'),
    ],
)
def test_weights_that_do_not_fit_are_named(saved: Path, weight: object, message: str) -> None:
    content = torch.load(saved, weights_only=True)
    content["state_dict"]["model.head.weight"] = weight
    torch.save(content, saved)
    with pytest.raises(CheckpointError, match=f"does not fit its own model: .*{message}"):
        load_model(saved)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"gone\.ckpt: there is no such checkpoint"):
        load_model(tmp_path / "gone.ckpt")


def test_a_failed_write_leaves_the_old_file(
    saved: Path, tiny_model: CtcModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def fail_half_way(content: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail_half_way)
    with pytest.raises(OSError, match="disk full"):
        save_model(saved, tiny_model.config, tiny_model.state_dict(), step=8)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
