"""A folder as transformers saves it, of a model with some hundred weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from linnet.models.wav2vec2 import Wav2Vec2Config

TINY: dict[str, Any] = {
    "architectures": ["Wav2Vec2ForCTC"],
    "model_type": "wav2vec2",
    "conv_dim": [4, 6],
    "conv_kernel": [10, 16],
    "conv_stride": [10, 16],
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "pad_token_id": 0,
    "vocab_size": 7,
    "transformers_version": "4.30.0",
}
VOCABULARY = {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, "A": 5, "B": 6}
PROCESSOR = {"do_normalize": True, "feature_size": 1, "padding_value": 0.0, "sampling_rate": 16000}
THEIRS = {
    "features.layers": "feature_extractor.conv_layers",
    "input_norm": "feature_projection.layer_norm",
    "projection": "feature_projection.projection",
    "position.gain": "encoder.pos_conv_embed.conv.weight_g",
    "position.direction": "encoder.pos_conv_embed.conv.weight_v",
    "position.bias": "encoder.pos_conv_embed.conv.bias",
    "mask_vector": "masked_spec_embed",
    "layers": "encoder.layers",
    "norm": "encoder.layer_norm",
}
PARTS = {
    "query": "q_proj",
    "key": "k_proj",
    "value": "v_proj",
    "output": "out_proj",
    "norm": "layer_norm",
    "attention_norm": "layer_norm",
    "feed_forward_norm": "final_layer_norm",
    "expand": "intermediate_dense",
    "contract": "output_dense",
}


def their_name(ours: str) -> str:
    """Write the name of a weight of the encoder as transformers does."""
    start = next(each for each in THEIRS if ours == each or ours.startswith(f"{each}."))
    parts = ours.removeprefix(start).split(".")
    return THEIRS[start] + ".".join(PARTS.get(part, part) for part in parts)


@pytest.fixture
def tiny_weights() -> dict[str, torch.Tensor]:
    """The weights of the tiny model by the names of transformers."""
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        convolutions=((4, 10, 10), (6, 16, 16)),
        num_layers=1,
        width=8,
        hidden=12,
        num_heads=2,
        position_kernel=4,
        position_groups=2,
    )
    state = config.build(1).state_dict()
    weights = {f"wav2vec2.{their_name(name)}": value for name, value in state.items()}
    return weights | {"lm_head.weight": torch.randn(7, 8), "lm_head.bias": torch.randn(7)}


@pytest.fixture
def write_transformers(tmp_path: Path, tiny_weights: dict[str, torch.Tensor]) -> Callable[..., Path]:
    """`write_transformers(config={…}, weights={…}, vocabulary={…}, **{"file.json": {…} or None})` → a folder.

    What is given replaces or, where it is None, removes.
    """

    def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in {**base, **changes}.items() if value is not None}

    def write(
        config: dict[str, Any] | None = None,
        weights: dict[str, Any] | None = None,
        vocabulary: dict[str, Any] | None = None,
        **files: Any,
    ) -> Path:
        folder = tmp_path / "tiny-model"
        folder.mkdir(exist_ok=True)
        contents = {
            "config.json": merged(TINY, config or {}),
            "vocab.json": VOCABULARY if vocabulary is None else vocabulary,
            "preprocessor_config.json": PROCESSOR,
            **files,
        }
        for name, content in contents.items():
            if content is not None:
                (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
        torch.save(merged(tiny_weights, weights or {}), folder / "pytorch_model.bin")
        return folder

    return write
