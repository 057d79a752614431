"""The loss that wav2vec 2.0 is pre-trained with: its parts by hand, and a run in which it falls."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from linnet.core.config import load_config
from linnet.core.errors import ConfigError
from linnet.manifest.jsonl import read_manifest, write_manifest
from linnet.models.checkpoint import read_checkpoint
from linnet.models.quartznet import quartznet
from linnet.models.wav2vec2 import Wav2Vec2Config
from linnet.training.callbacks import TrainingStatus
from linnet.training.config import TrainConfig
from linnet.training.contrastive import (
    GumbelQuantizer,
    Objective,
    contrastive_losses,
    perplexity,
    scale_gradient,
)
from linnet.training.objective_config import Wav2Vec2ObjectiveConfig
from linnet.training.run import train
from linnet.training.source import load_run

SMALL = Wav2Vec2ObjectiveConfig(num_groups=2, num_entries=5, width=4, num_negatives=7)
ENCODER: dict[str, Any] = {
    "kind": "wav2vec2",
    "convolutions": [[8, 10, 5], [8, 8, 8], [8, 4, 4]],
    "num_layers": 1,
    "width": 8,
    "num_heads": 2,
    "hidden": 8,
    "position_kernel": 4,
    "position_groups": 2,
    "time_mask": {"share": 0.65, "length": 4, "min_spans": 2},
}


def test_the_loss_holds_the_right_frame_against_others_of_its_utterance() -> None:
    torch.manual_seed(0)
    predicted, quantized = torch.randn(5, 4), torch.randn(5, 4)
    entries = torch.arange(10).view(5, 2)
    config = SMALL.model_copy(update={"num_negatives": 400})  # so that each of the others is drawn as often
    losses, right = contrastive_losses(predicted, quantized, entries, torch.tensor([3, 0, 2]), config)
    similarity = functional.cosine_similarity(predicted[:, None], quantized[None], dim=2) / 0.1
    for index, (loss, others) in enumerate(zip(losses, ([1, 2], [0, 2], [0, 1], [4], [3]), strict=True)):
        weights = torch.exp(similarity[index])
        expected = -torch.log(weights[index] / (weights[index] + 400 * weights[others].mean()))
        assert float(loss) == pytest.approx(float(expected), rel=0.1)
        assert bool(right[index]) == bool((similarity[index][others] <= similarity[index, index]).all())


def test_an_equal_frame_is_no_negative_and_one_without_negatives_does_not_count() -> None:
    predicted, quantized = torch.ones(3, 4), torch.eye(3, 4)
    same, counts = torch.tensor([[1, 2], [1, 2], [0, 2]]), torch.tensor([3])
    losses, _ = contrastive_losses(predicted, quantized, same, counts, SMALL)
    assert losses.isfinite().all()
    none, _ = contrastive_losses(predicted, quantized, same[:2].repeat(2, 1)[:3], counts, SMALL)
    lonely, _ = contrastive_losses(predicted[:1], quantized[:1], same[:1], torch.tensor([1]), SMALL)
    assert (len(none), len(lonely)) == (0, 0)


def test_a_frame_is_an_entry_of_each_codebook_and_gradients_pass() -> None:
    torch.manual_seed(0)
    quantizer = GumbelQuantizer(6, SMALL)
    x = torch.randn(9, 6, requires_grad=True)
    found = quantizer(x, temperature=0.7)
    for index in range(9):
        parts = [quantizer.codebooks[group, found.entries[index, group]] for group in range(2)]
        torch.testing.assert_close(found.values[index], torch.cat(parts))
    found.values.sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    best = quantizer.eval()(x, temperature=0.7)
    scores = quantizer.scores(x).view(9, 2, 5)
    assert torch.equal(best.entries, scores.argmax(-1))
    assert not torch.equal(best.entries, found.entries), "in training entries are drawn"


def test_perplexity_counts_the_entries_in_use() -> None:
    uniform, single = torch.full((3, 2, 5), 0.2), functional.one_hot(torch.zeros(3, 2).long(), 5).float()
    assert float(perplexity(uniform)) == pytest.approx(10.0, rel=1e-4)
    assert float(perplexity(single)) == pytest.approx(2.0, rel=1e-4)


def test_the_loss_is_the_sum_of_its_parts() -> None:
    torch.manual_seed(0)
    encoder = Wav2Vec2Config.model_validate(ENCODER).build(1).eval()
    config = SMALL.model_copy(update={"diversity_weight": 0.3, "penalty_weight": 7.0})
    objective = Objective(encoder, config).eval()
    loss, figures = objective(encoder, torch.randn(2, 1, 16000), torch.tensor([16000, 9000]), step=3)
    diversity = (10 - figures["probability_perplexity"]) / 10
    expected = figures["contrastive"] + 0.3 * diversity + 7.0 * figures["feature_penalty"]
    torch.testing.assert_close(loss, expected)
    assert float(figures["contrastive"].detach()) == pytest.approx(
        math.log(8), rel=0.5
    )  # untrained: one of eight
    assert 0 <= figures["accuracy"] <= 1


def test_the_temperature_falls_to_its_end() -> None:
    found = [Wav2Vec2ObjectiveConfig().temperature_at(step) for step in (0, 100_000, 400_000)]
    assert found == pytest.approx([2.0, 2 * 0.999995**100_000, 0.5])


def test_the_gradient_is_scaled_and_the_value_kept() -> None:
    x = torch.randn(3, requires_grad=True)
    y = scale_gradient(x, 0.1)
    y.sum().backward()
    assert torch.equal(y, x)
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full((3,), 0.1))


@pytest.fixture
def make_pretraining(tone_corpus: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """`make_pretraining("key=value", …)` → some steps on the tones, without their texts."""
    for name in ("train", "dev"):
        spoken = read_manifest(tone_corpus / f"{name}.jsonl")
        write_manifest(tmp_path / f"{name}.jsonl", [replace(each, text=None) for each in spoken])

    def make(*overrides: str) -> TrainConfig:
        given = {
            "output_dir": tmp_path / "pretrained",
            "model.frontend": {"kind": "waveform"},
            "model.encoder": ENCODER,
            "data.train": [{"manifest": str(tmp_path / "train.jsonl")}],
            "data.dev": [{"manifest": str(tmp_path / "dev.jsonl")}],
            "objective": {"kind": "wav2vec2", "num_entries": 8, "width": 8, "num_negatives": 10},
            "optimizer": {"name": "adamw", "lr": 0.01, "betas": [0.9, 0.98]},
            "trainer.max_steps": 12,
        }
        values = [f"{key}={value}" for key, value in given.items()]
        return load_config(TrainConfig, tone_corpus / "config.yaml", [*values, *overrides])

    return make


def test_a_model_is_pre_trained_without_texts_and_fine_tuned(
    make_pretraining: Callable[..., TrainConfig], tone_corpus: Path, tmp_path: Path
) -> None:
    reports: list[TrainingStatus] = []
    config = make_pretraining("trainer.log_every_steps=4")
    result = train(config, reports.append)
    assert result.measure.name == "loss"
    assert 0 < result.best_score < math.log(11) + 1
    assert reports[-1].loss < reports[0].loss
    kept = read_checkpoint(result.final)
    assert not any("codebooks" in name for name in kept.weights)
    tuned = load_run(
        tone_corpus / "config.yaml",
        [
            f"output_dir={tmp_path / 'tuned'}",
            f"init={{path: {result.final}, exclude: head, freeze: encoder.features}}",
            "model={name: tuned, encoder: {time_mask: {share: 0.5, length: 2}}, tokenizer: {kind: char}}",
            "schedule={name: tri_stage}",
            "trainer.max_steps=2",
        ],
    )
    final = train(tuned.config, lambda status: None, tuned.source)
    after = read_checkpoint(final.final).weights
    frozen = [name for name in after if name.startswith("encoder.features.")]
    assert all(torch.equal(after[name], kept.weights[name]) for name in frozen)
    moved = "encoder.layers.0.attention.query.weight"
    assert not torch.equal(after[moved], kept.weights[moved])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.encoder.time_mask={share: 0, length: 4}", "objective.kind wav2vec2 needs masks"),
        ("feature_augment.spec_augment.freq_masks=2", "use time_mask and channel_mask of model.encoder"),
        ("auxiliary={}", "knows no texts, and no `auxiliary` head"),
        ("objective.width=5", "width must be a multiple of num_groups"),
    ],
)
def test_what_does_not_go_together_is_refused(
    make_pretraining: Callable[..., TrainConfig], override: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_pretraining(override)


def test_only_wav2vec2_is_trained_so() -> None:
    with pytest.raises(ValueError, match="needs an encoder of that kind, not of jasper"):
        Wav2Vec2ObjectiveConfig().check_encoder(quartznet("5x1"))


def test_speech_is_cut_only_where_no_text_is_learned(make_pretraining: Callable[..., TrainConfig]) -> None:
    segment = "data.augment={transforms: [{name: random_segment}]}"
    assert make_pretraining(segment).data.augment.transforms
    with pytest.raises(ConfigError, match="random_segment cuts speech but not its text"):
        make_pretraining("objective={kind: ctc}", segment)
