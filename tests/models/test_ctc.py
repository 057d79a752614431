"""The whole acoustic model: the same scores alone and in any batch, a configuration that explains itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from linnet.core.config import load_config
from linnet.core.errors import ConfigError
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.quartznet import quartznet
from linnet.training.loss import ctc_loss

Batch = Callable[..., tuple[Tensor, Tensor]]
ROWS = "{blocks: [{filters: 8, kernel: 3}]}"


@torch.inference_mode()
def test_an_utterance_scores_the_same_alone_and_in_a_padded_batch(
    tiny_model: CtcModel, padded_batch: Batch
) -> None:
    features, lengths = padded_batch(50, 33, 2, 1)
    log_probs, output_lengths = tiny_model(features, lengths)
    assert output_lengths.tolist() == [25, 17, 1, 1]
    for row, length, scores, num_scores in zip(
        features, lengths.tolist(), log_probs, output_lengths.tolist(), strict=True
    ):
        alone, alone_lengths = tiny_model(row[None, :, :length], torch.tensor([length]))
        assert alone_lengths.tolist() == [num_scores] == [alone.shape[1]]
        torch.testing.assert_close(scores[:num_scores], alone[0], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_more_padding_changes_nothing(tiny_model: CtcModel, padded_batch: Batch) -> None:
    features, lengths = padded_batch(30, 21)
    log_probs, output_lengths = tiny_model(features, lengths)
    longer, longer_lengths = tiny_model(torch.nn.functional.pad(features, (0, 45), value=5.0), lengths)
    assert longer_lengths.tolist() == output_lengths.tolist()
    for ours, expected, length in zip(longer, log_probs, output_lengths.tolist(), strict=True):
        torch.testing.assert_close(ours[:length], expected[:length], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_samples_score_the_same_alone_and_in_a_padded_batch(tiny_model: CtcModel) -> None:
    torch.manual_seed(0)
    samples, lengths = torch.randn(2, 8000) * 0.1, torch.tensor([8000, 3333])
    log_probs, output_lengths = tiny_model(*tiny_model.frontend(samples, lengths))
    alone, _ = tiny_model(*tiny_model.frontend(samples[1:, :3333], lengths[1:]))
    torch.testing.assert_close(log_probs[1, : output_lengths[1]], alone[0], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_the_4d_form_gives_the_same_scores(tiny_model: CtcModel, padded_batch: Batch) -> None:
    features, lengths = padded_batch(50, 20)
    flat, flat_lengths = tiny_model(features, lengths)
    tall, tall_lengths = tiny_model(features.unsqueeze(2), lengths)
    assert tall.shape == flat.shape
    assert torch.equal(tall_lengths, flat_lengths)
    torch.testing.assert_close(tall, flat, atol=1e-5, rtol=0)


@torch.inference_mode()
def test_each_frame_holds_a_distribution(tiny_model: CtcModel, padded_batch: Batch) -> None:
    log_probs, _ = tiny_model(*padded_batch(12))
    assert log_probs.shape == (1, 6, tiny_model.vocabulary.size)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(1, 6))


def test_the_loss_reaches_every_parameter(tiny_model: CtcModel, padded_batch: Batch) -> None:
    log_probs, lengths = tiny_model.train()(*padded_batch(40, 30))
    ctc_loss(log_probs, lengths, torch.tensor([[1, 2], [2, 0]]), torch.tensor([2, 1])).sum().backward()
    silent = [name for name, weight in tiny_model.named_parameters() if not weight.grad.abs().sum() > 0]
    assert silent == []


def test_a_frame_of_scores_lasts_as_long_as_the_frames_it_came_from(tiny_model: CtcModel) -> None:
    assert tiny_model.frame_shift_s == pytest.approx(0.02)


def write_model(tmp_path: Path, **values: str) -> Path:
    lines = {"name": "demo", "encoder": ROWS, "tokenizer": "{}"} | values
    path = tmp_path / "model.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return path


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "encoder",
            "{quartznet: 5x6}",
            "encoder.quartznet: '5x6' is not one of 5x1, 5x3-paper-rows, 5x3, 5x5, 10x5, 15x5",
        ),
        ("encoder", "{quartznet: 5x1, dropout: 0.1}", "encoder.dropout: unknown key"),
        ("encoder", "{blocks: [{filters: 8, kernel: 4}]}", "encoder.blocks.0: kernel must be odd, not 4"),
        ("encodr", ROWS, "encodr: unknown key; did you mean encoder?"),
        ("normalizer", "basics", "normalizer: 'basics': there is no text normalizer .* mean 'basic'"),
        ("name", "my model", "name: 'my model' should match pattern"),
    ],
)
def test_a_wrong_model_is_explained(tmp_path: Path, key: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(ModelConfig, write_model(tmp_path, **{key: value}))


def test_a_variant_stands_for_its_table(tmp_path: Path) -> None:
    config = load_config(ModelConfig, write_model(tmp_path, encoder="{quartznet: 5x1}"))
    assert config.encoder == quartznet("5x1")
    assert ModelConfig.model_validate(config.model_dump(mode="json")) == config
