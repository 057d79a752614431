"""A model with any kind of pieces trains, is read back without its tokenizer's folder, and exports."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from linnet.bundle.reader import read_bundle
from linnet.core.arrays import Samples
from linnet.core.config import load_config
from linnet.export.options import ExportOptions
from linnet.export.run import export_bundle
from linnet.models.checkpoint import load_model, save_model
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.recognizer import CheckpointRecognizer
from linnet.runtime.recognizer import Recognizer
from linnet.text.tokenizer import build_tokenizer
from linnet.text.tokenizer_folder import write_tokenizer_folder
from linnet.text.tokenizer_training import train_tokenizer
from linnet.training.config import TrainConfig
from linnet.training.run import train

Run = Callable[..., Path]


@pytest.fixture
def train_with(tone_corpus: Path, tmp_path: Path) -> Run:
    """`train_with("bpe", 9)` → the checkpoint of one step on the tones, its tokenizer's folder gone."""

    def run(trained_type: Any, vocab_size: int | None) -> Path:
        files = train_tokenizer(["one two", "two one"], trained_type, "basic", vocab_size)
        write_tokenizer_folder(tmp_path / "tokenizer", files)
        overrides = [
            f"output_dir={tmp_path / 'run'}",
            f"model.tokenizer={{path: '{tmp_path / 'tokenizer'}'}}",
            "trainer.max_steps=1",
            "trainer.average_last=1",
        ]
        config = load_config(TrainConfig, tone_corpus / "config.yaml", overrides)
        shutil.rmtree(tmp_path / "tokenizer")
        return train(config, lambda _: None).final

    return run


@pytest.mark.parametrize(
    ("trained_type", "vocab_size"),
    [("bpe", 9), ("unigram", 8), ("wordpiece", 13), ("tevr", 7), ("byte", None)],
)
def test_a_checkpoint_needs_no_folder(train_with: Run, trained_type: str, vocab_size: int | None) -> None:
    model = load_model(train_with(trained_type, vocab_size))
    assert model.head.weight.shape[0] == model.vocabulary.size == (vocab_size or 256) + 1
    tokenizer = build_tokenizer(model.config.tokenizer)
    assert tokenizer.vocabulary.decode(tokenizer.encode("two  one")) == "two one"


def test_the_written_configuration_trains_again(train_with: Run, tmp_path: Path) -> None:
    final = train_with("bpe", 9)
    config = load_config(
        TrainConfig, tmp_path / "run/config.yaml", ["trainer.resume=true", "trainer.max_steps=2"]
    )
    assert config.model == load_model(final).config
    assert train(config, lambda _: None).final == final


def test_a_bundle_of_pieces_reads_what_the_checkpoint_reads(
    recordings: list[Samples], tmp_path: Path
) -> None:
    files = train_tokenizer(["one two", "two one"], "bpe", "basic", 9)
    write_tokenizer_folder(tmp_path / "tokenizer", files)
    blocks = [{"filters": 8, "kernel": 5, "stride": 2, "separable": False, "residual": False}]
    values = {"name": "pieces", "encoder": {"blocks": blocks}, "tokenizer": {"path": tmp_path / "tokenizer"}}
    torch.manual_seed(0)
    model = CtcModel(ModelConfig.model_validate(values))
    torch.nn.init.normal_(model.head.weight)  # untrained, but it says something
    save_model(tmp_path / "model.ckpt", model.config, model.state_dict(), step=0)
    export_bundle(tmp_path / "model.ckpt", tmp_path / "bundle", recordings, ExportOptions())
    bundle = read_bundle(tmp_path / "bundle")
    assert bundle.spec.vocabulary == "sentencepiece"
    assert bundle.vocabulary.pieces == files.pieces
    source = CheckpointRecognizer.load(tmp_path / "model.ckpt").transcribe_samples(recordings)
    exported = Recognizer.load(tmp_path / "bundle").transcribe_samples(recordings)
    assert [each.text for each in exported] == [each.text for each in source]
    assert all(each.text for each in source), "an empty text agrees with anything"
