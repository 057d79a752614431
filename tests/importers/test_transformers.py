"""A folder of transformers becomes a model with every weight in its place, or an error that says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.importers.fetch import is_transformers_folder
from linnet.importers.transformers import import_transformers

Writer = Callable[..., Path]
Weights = dict[str, torch.Tensor]
Q = "wav2vec2.encoder.layers.0.attention.q_proj.weight"


def test_weights_and_settings_arrive(write_transformers: Writer, tiny_weights: Weights) -> None:
    folder = write_transformers({"hidden_dropout": 0.25, "mask_time_prob": 0.3, "layer_norm_eps": 1e-6})
    assert is_transformers_folder(str(folder))
    imported = import_transformers(folder)
    model, encoder = imported.model, imported.model.config.encoder
    assert not model.training
    assert (imported.origin, imported.left_out) == ("Wav2Vec2ForCTC of transformers 4.30.0", {})
    assert (model.config.name, model.config.normalizer) == ("tiny-model", "basic")
    assert (encoder.dropout, encoder.norm_eps, encoder.time_mask.share) == (0.25, 1e-6, 0.3)
    assert (model.config.frontend.window_samples, model.config.frontend.normalize) == (160, "per_feature")
    state = model.state_dict()
    assert torch.equal(state["encoder.layers.0.attention.query.weight"], tiny_weights[Q])
    assert torch.equal(state["encoder.mask_vector"], tiny_weights["wav2vec2.masked_spec_embed"])
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_space_comes_first_and_the_blank_last(write_transformers: Writer, tiny_weights: Weights) -> None:
    model = import_transformers(write_transformers()).model
    assert model.vocabulary.pieces == ("▁", "<s>", "</s>", "<unk>", "a", "b")
    order = [4, 1, 2, 3, 5, 6, 0]
    assert torch.equal(model.head.weight.squeeze(-1), tiny_weights["lm_head.weight"][order])
    assert torch.equal(model.head.bias, tiny_weights["lm_head.bias"][order])


@pytest.mark.parametrize(
    ("vocabulary", "files", "pieces"),
    [
        ({"a": 0, "A": 1, "|": 2, "[UNK]": 3, "é": 4, "[PAD]": 5}, {}, ("▁", "a", "A", "[UNK]", "é", "<s>")),
        ({"sch": 0, "_": 1, "b": 2, "c": 3, "d": 4, "[PAD]": 5}, {}, ("▁", "sch", "b", "c", "d", "<s>")),
    ],
    ids=["cases", "groups"],
)
def test_tokens_may_have_other_names(
    vocabulary: dict[str, int], files: dict[str, Any], pieces: tuple[str, ...], write_transformers: Writer
) -> None:
    about = {
        "pad_token": {"content": "[PAD]", "lstrip": True},
        "word_delimiter_token": "_" if "_" in vocabulary else "|",
        "added_tokens_decoder": {"6": {"content": "<s>"}, "9": {"content": "</s>"}},
    }
    folder = write_transformers(
        {"pad_token_id": 5}, vocabulary=vocabulary, **{"tokenizer_config.json": about, **files}
    )
    assert import_transformers(folder).model.vocabulary.pieces == pieces


def test_hubert_is_read_and_newer_names_of_weight_norm(
    write_transformers: Writer, tiny_weights: Weights
) -> None:
    conv = "encoder.pos_conv_embed.conv."
    newer = {"weight_g": "parametrizations.weight.original0", "weight_v": "parametrizations.weight.original1"}
    weights: dict[str, Any] = dict.fromkeys(tiny_weights)
    for key, value in tiny_weights.items():
        for old, new in newer.items():
            key = key.replace(conv + old, conv + new)
        weights[key.replace("wav2vec2.", "hubert.")] = value
    config = {"model_type": "hubert", "architectures": ["HubertForCTC"], "feat_proj_layer_norm": True}
    model = import_transformers(write_transformers(config, weights)).model
    expected = tiny_weights[f"wav2vec2.{conv}weight_v"]
    assert torch.equal(model.state_dict()["encoder.position.direction"], expected)


def test_the_processor_of_newer_versions_and_raw_samples(write_transformers: Writer) -> None:
    files = {
        "preprocessor_config.json": None,
        "processor_config.json": {"feature_extractor": {"do_normalize": False, "sampling_rate": 8000}},
    }
    frontend = import_transformers(write_transformers(**files)).model.config.frontend
    assert (frontend.normalize, frontend.sample_rate_hz, frontend.window_samples) == ("none", 8000, 160)


def test_weights_of_safetensors_come_first(write_transformers: Writer, tiny_weights: Weights) -> None:
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is part of the extra train")
    folder = write_transformers(weights={Q: torch.zeros(8, 8)})
    safetensors.save_file(tiny_weights, folder / "model.safetensors")
    state = import_transformers(folder).model.state_dict()
    assert torch.equal(state["encoder.layers.0.attention.query.weight"], tiny_weights[Q])
    (folder / "model.safetensors").write_bytes(b"\xff" * 40)
    with pytest.raises(CheckpointError, match=r"model\.safetensors: is damaged, or no file of safetensors"):
        import_transformers(folder)


def test_a_pre_trained_model_is_for_training_alone(write_transformers: Writer) -> None:
    weights = {"lm_head.weight": None, "lm_head.bias": None, "quantizer.codevectors": torch.zeros(1, 4, 2)}
    folder = write_transformers({"architectures": ["Wav2Vec2ForPreTraining"]}, weights)
    (folder / "vocab.json").unlink()
    imported = import_transformers(folder, needs_head=False)
    assert (imported.left_out, imported.has_head) == ({"codebooks": 8}, False)
    with pytest.raises(CheckpointError, match=r"fine-tune it first, with init\.path"):
        import_transformers(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "whisper"}, r"config\.json: model_type: 'whisper' is not supported; known: wav2vec2"),
        ({"model_type": ["wav2vec2"]}, r"model_type: \['wav2vec2'\] is not supported"),
        ({"architectures": [["x"]]}, "architectures: .* is not supported"),
        ({"architectures": ["Wav2Vec2ForXVector"]}, "Wav2Vec2ForXVector.* is not supported"),
        ({"hidden_act": "relu"}, "hidden_act: 'relu' is not supported; known: 'gelu'"),
        ({"add_adapter": True}, "add_adapter: True is not supported"),
        ({"num_attention_heads": 3}, "width must be a multiple of num_heads"),
        ({"conv_dim": [4]}, "conv_dim, conv_kernel and conv_stride differ in length"),
        ({"hidden_size": "8"}, "hidden_size: '8' is not int"),
        ({"hidden_size": 10**9}, "width: 1000000000 should be less than"),
        ({"magic": 1}, "unknown keys: magic(.|\n)*take them out of the file"),
        ({"vocab_size": 8}, r"vocab\.json: there is no token for output 7, and the model has 8"),
        ({"pad_token_id": 9}, "pad_token_id is 9, and the model has 7"),
        ({"num_hidden_layers": 2}, r"missing: encoder\.layers\.1"),
        ({"intermediate_size": 16}, "has the shape .12, 8., expected .16, 8."),
    ],
)
def test_other_models_are_refused_by_name(
    config: dict[str, Any], message: str, write_transformers: Writer
) -> None:
    with pytest.raises(CheckpointError, match=message):
        import_transformers(write_transformers(config))


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        ({"deu": {"<pad>": 0}}, "holds the tokens of several languages(.|\n)*set_target_lang"),
        ({"<pad>": 0, "|": 0}, "'|' and '<pad>' have one id, 0"),
        ({"<pad>": "0"}, "the id of '<pad>' is '0'"),
        (dict(zip("p|abcde", range(7), strict=True)) | {"|": 99, "x": 1}, "no output is the space between"),
        ({"<pad>": 0, "|": 1, "a": 2, "b": 3, "c": 4, "d": 5, "longest": 6}, "longer than 4 letters"),
    ],
)
def test_strange_tokens_are_refused(
    vocabulary: dict[str, Any], message: str, write_transformers: Writer
) -> None:
    with pytest.raises(CheckpointError, match=message):
        import_transformers(write_transformers(vocabulary=vocabulary))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"preprocessor_config.json": None}, r"preprocessor_config\.json is missing(.|\n)*Fetch all files"),
        ({"preprocessor_config.json": {"feature_size": 80}}, "feature_size: 80 is not supported"),
        ({"preprocessor_config.json": {"sampling_rate": 1}}, "sample_rate_hz: 1 should be"),
        ({"vocab.json": "{"}, r"vocab\.json: is no JSON"),
        ({"vocab.json": "[" * 100_000}, r"vocab\.json: is no JSON"),
        ({"config.json": "[]"}, r"config\.json: is no object of JSON"),
        (
            {"tokenizer_config.json": {"pad_token": "</s>"}},
            "CTC's blank, is '</s>' here",
        ),
    ],
)
def test_broken_files_are_named(files: dict[str, Any], message: str, write_transformers: Writer) -> None:
    with pytest.raises(CheckpointError, match=message):
        import_transformers(write_transformers(**files))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({Q: torch.full((8, 8), torch.nan)}, "holds NaN or infinity"),
        ({Q: None}, r"missing: encoder\.layers\.0\.attention\.query\.weight"),
        ({"wav2vec2.adapter.x": torch.zeros(1)}, r"1 weights are unknown to linnet: wav2vec2\.adapter\.x"),
        ({"lm_head.weight": torch.zeros(6, 8)}, r"lm_head.weight has the shape \(6, 8\)"),
        ({"x": Path("x")}, "holds pickled code"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    weights: dict[str, Any], message: str, write_transformers: Writer
) -> None:
    with pytest.raises(CheckpointError, match=message):
        import_transformers(write_transformers(weights=weights))


def test_weights_in_several_files_are_refused(write_transformers: Writer) -> None:
    folder = write_transformers(**{"pytorch_model.bin.index.json": {}})
    (folder / "pytorch_model.bin").unlink()
    assert is_transformers_folder(str(folder))
    with pytest.raises(CheckpointError, match="spread over several files"):
        import_transformers(folder)
