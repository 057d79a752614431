"""Attention over fewer frames than in training: what is near by is read as before; others are refused."""

from typing import Any

import pytest
import torch

from linnet.core.errors import ConfigError
from linnet.export.attention import with_attention_over
from linnet.models.ctc import CtcModel, ModelConfig

CONFORMER = {"num_layers": 1, "width": 8, "num_heads": 2, "expansion": 2, "subsampling_channels": 4}


def build(encoder: dict[str, Any]) -> CtcModel:
    torch.manual_seed(0)
    values = {"name": "a", "frontend": {"num_mels": 8}, "encoder": encoder, "tokenizer": {"kind": "char"}}
    return CtcModel(ModelConfig.model_validate(values)).eval()


def scores(model: CtcModel, num_frames: int) -> torch.Tensor:
    torch.manual_seed(1)
    with torch.inference_mode():
        log_probs, _ = model(torch.randn(1, 8, num_frames), torch.tensor([num_frames]))
    return log_probs


def test_only_what_lies_further_away_is_left_out() -> None:
    model = build({"conformer": "s", **CONFORMER})
    local = with_attention_over(model, 20)
    assert local.config.encoder.model_dump()["context_frames"] == (20, 20)
    torch.testing.assert_close(scores(local, 80), scores(model, 80), atol=1e-5, rtol=0)
    assert (scores(local, 400) - scores(model, 400)).abs().max() > 1e-4


@pytest.mark.parametrize(
    "encoder", [{"quartznet": "5x1"}, {"conformer": "s", **CONFORMER, "positions": "absolute"}]
)
def test_other_encoders_are_refused(encoder: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="--attention-frames is for Conformers"):
        with_attention_over(build(encoder), 20)
