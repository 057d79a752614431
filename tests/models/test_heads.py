"""Heads: the linear one is the default, an LSTM sees what came before and no padding."""

from typing import Any

import pytest
import torch
from torch import Tensor

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.heads import LinearHeadConfig, LstmHeadConfig

WITH_LSTM = {"kind": "lstm", "hidden": 6, "num_layers": 2, "dropout": 0.1}


def build(head: LstmHeadConfig) -> torch.nn.Module:
    torch.manual_seed(0)
    return head.build(5, 3).eval()


def test_an_old_configuration_has_the_linear_head(tiny_config: ModelConfig, tiny_model: CtcModel) -> None:
    assert tiny_config.head == LinearHeadConfig()
    assert tiny_model.state_dict()["head.weight"].shape == (4, 9, 1)
    assert tiny_model.state_dict()["head.bias"].shape == (4,)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_lstm_head_has_its_size(
    tiny_config: ModelConfig, tiny_model: CtcModel, bidirectional: bool
) -> None:
    head: dict[str, Any] = WITH_LSTM | {"bidirectional": bidirectional}
    config = ModelConfig.model_validate(tiny_config.model_dump(mode="json") | {"head": head})
    assert ModelConfig.model_validate(config.model_dump(mode="json")) == config
    directions = 1 + bidirectional
    width = 6 * directions
    lstms = directions * 4 * 6 * ((9 + 6 + 2) + (width + 6 + 2))
    linear_head = 9 * 4 + 4
    expected = tiny_model.num_parameters() - linear_head + lstms + width * 4 + 4
    assert CtcModel(config).num_parameters() == expected


@torch.inference_mode()
def test_a_unidirectional_lstm_sees_what_came_before_alone() -> None:
    head, x = build(LstmHeadConfig(hidden=6)), torch.randn(1, 5, 8)
    changed = x.clone()
    changed[..., 5:] += 1.0
    before, after = head(x, torch.tensor([8])), head(changed, torch.tensor([8]))
    same = (before == after).all(1).flatten().tolist()
    assert same == [True] * 5 + [False] * 3
    assert not torch.equal(head(x[..., 1:], torch.tensor([7])), before[..., 1:])


@torch.inference_mode()
def test_a_bidirectional_lstm_scores_alike_with_any_padding_and_in_both_forms() -> None:
    head: Any = build(LstmHeadConfig(hidden=6, bidirectional=True))
    x, lengths = torch.randn(2, 5, 8), torch.tensor([8, 3])
    scores: Tensor = head(x, lengths)
    torch.testing.assert_close(head(x.unsqueeze(2), lengths), scores)
    torch.testing.assert_close(scores[1:, :, :3], head(x[1:, :, :3], lengths[1:]), atol=1e-6, rtol=0)
