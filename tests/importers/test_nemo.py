"""A .nemo file becomes a model with every weight in its place, or an error that says why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from linnet.core.errors import CheckpointError
from linnet.importers.nemo import import_nemo, model_name
from linnet.models.heads import LstmHeadConfig

NemoWriter = Callable[..., Path]
Config = dict[str, Any]
Tiny = tuple[Config, dict[str, torch.Tensor]]

HYBRID = "nemo.collections.asr.models.hybrid_rnnt_ctc_models.EncDecHybridRNNTCTCModel"


def with_value(config: Config, dotted: str, value: Any) -> Config:
    """Set a key of a nested section, making the sections on the way."""
    *parents, last = dotted.split(".")
    section = config
    for key in parents:
        section = section.setdefault(key, {})
    section[last] = value
    return config


def test_weights_and_settings_arrive(write_nemo: NemoWriter, tiny_nemo: Tiny) -> None:
    config, weights = tiny_nemo
    imported = import_nemo(write_nemo(config, weights))
    model = imported.model
    assert not model.training
    assert (imported.origin, imported.left_out) == ("EncDecCTCModel of NeMo 1.23.0", {})
    assert (model.config.name, model.config.normalizer) == ("model", "basic")
    assert model.vocabulary.pieces == ("▁", "a", "b")
    assert model.config.frontend.pad_mode == "reflect"
    state = model.state_dict()
    assert torch.equal(state["head.weight"], weights["decoder.decoder_layers.0.weight"])
    assert torch.equal(
        state["encoder.blocks.0.sub_blocks.0.mixing.weight"], weights["encoder.encoder.0.mconv.0.conv.weight"]
    )
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_batch_norm_may_come_without_its_counter(write_nemo: NemoWriter, tiny_nemo: Tiny) -> None:
    config, weights = tiny_nemo
    counters = [key for key in weights if key.endswith("num_batches_tracked")]
    assert counters
    without = {key: value for key, value in weights.items() if key not in counters}
    imported = import_nemo(write_nemo(config, without)).model.state_dict()
    for key, value in import_nemo(write_nemo(config, weights)).model.state_dict().items():
        assert key.endswith("num_batches_tracked") or torch.equal(imported[key], value)


@pytest.mark.parametrize("word", ["cls", "target"])
def test_the_first_betas_wrote_a_class_and_params(write_nemo: NemoWriter, tiny_nemo: Tiny, word: str) -> None:
    config, weights = tiny_nemo
    for key in ("preprocessor", "encoder", "decoder"):
        name = config[key].pop("_target_")
        config[key] = {word: name, "params": config[key]}
    del config["nemo_version"]
    imported = import_nemo(write_nemo({"model": config}, weights), "mine")
    assert imported.model.config.name == "mine"
    assert imported.origin == "EncDecCTCModel of NeMo an early version"
    assert imported.model.config.frontend.pad_mode == "reflect"


def test_hybrid_models_give_their_ctc_branch(write_nemo: NemoWriter, tiny_nemo: Tiny) -> None:
    config, weights = tiny_nemo
    config |= {"target": HYBRID, "aux_ctc": {"decoder": config["decoder"]}}
    config["decoder"] = {"_target_": "nemo.collections.asr.modules.RNNTDecoder", "prednet": {}}
    bias = weights["decoder.decoder_layers.0.bias"] + 3
    weights["ctc_decoder.decoder_layers.0.weight"] = weights.pop("decoder.decoder_layers.0.weight")
    weights["ctc_decoder.decoder_layers.0.bias"] = bias
    del weights["decoder.decoder_layers.0.bias"]
    weights["decoder.prediction.embed.weight"] = torch.zeros(5, 2)
    weights["joint.pred.weight"] = torch.zeros(3)
    imported = import_nemo(write_nemo(config, weights))
    assert torch.equal(imported.model.state_dict()["head.bias"], bias)
    assert imported.left_out == {
        "the transducer's prediction network": 10,
        "the transducer's joint network": 3,
    }


def test_an_lstm_decoder(write_nemo: NemoWriter, tiny_nemo: Tiny) -> None:
    config, weights = tiny_nemo
    lstm = torch.nn.LSTM(4, 6, num_layers=2, batch_first=True, bidirectional=True)
    linear = torch.nn.Linear(12, 4)
    config["decoder"] |= {
        "_target_": "nemo.collections.asr.modules.LSTMDecoder",
        "lstm_hidden_size": 6,
        "num_layers": 2,
        "bidirectional": True,
    }
    kept = {key: value for key, value in weights.items() if key.startswith("encoder.")}
    kept |= {f"decoder.lstm_layer.{key}": value for key, value in lstm.state_dict().items()}
    kept |= {f"decoder.linear_layer.{key}": value for key, value in linear.state_dict().items()}
    model = import_nemo(write_nemo(config, kept)).model
    assert isinstance(model.config.head, LstmHeadConfig)
    encoded = torch.randn(1, 4, 9, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = linear(lstm(encoded.transpose(1, 2))[0]).log_softmax(-1)
        torch.testing.assert_close(model.score(encoded, torch.tensor([9])), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("target", "a.EncDecRNNTBPEModel", "holds a transducer without a CTC head: EncDecRNNTBPEModel"),
        ("target", "a.EncDecMultiTaskModel", "attention decoder"),
        ("target", "a.EncDecSpeakerLabelModel", "a speaker model"),
        ("target", "a.SpeechEncDecSelfSupervisedModel", "self-supervised training"),
        ("target", "a.Something", "no CTC model: Something.*begin with EncDecCTC"),
        ("target", None, "target is missing"),
        ("nemo_version", "newest", "'newest' is no version of NeMo"),
        ("preprocessor._target_", "a.Raw", "the preprocessor 'Raw' is not supported"),
        ("preprocessor", None, "preprocessor: None is not a section"),
        ("encoder._target_", None, "encoder: _target_ is missing"),
        ("encoder._target_", "a.TransformerEncoder", "the encoder 'TransformerEncoder' is not supported"),
        ("encoder.feat_in", 80, "feat_in: 80, but the preprocessor gives 8 features"),
        ("encoder.new_trick", True, "encoder: unknown keys: new_trick"),
        ("encoder.jasper", [], "encoder: blocks"),
        ("decoder._target_", "a.Linear", "the decoder 'Linear' is not supported"),
        ("decoder.num_classes", 4, "num_classes: 4, but the vocabulary has 3 pieces"),
        ("decoder.vocabulary", ["a", "a", "b"], "its vocabulary cannot be used: piece 'a'.*two ids"),
        ("decoder.vocabulary", [1, 2, 3], "is no list of labels"),
        ("decoder.add_blank", False, "add_blank: False is not supported"),
        ("decoder.extra", 1, "decoder: unknown keys: extra"),
    ],
)
def test_what_linnet_does_not_compute_is_refused(
    write_nemo: NemoWriter, tiny_nemo: Tiny, key: str, value: Any, message: str
) -> None:
    config, weights = tiny_nemo
    with pytest.raises(CheckpointError, match=message):
        import_nemo(write_nemo(with_value(config, key, value), weights))


def test_unknown_missing_and_misshapen_weights_are_listed(write_nemo: NemoWriter, tiny_nemo: Tiny) -> None:
    config, weights = tiny_nemo
    unknown = weights | {"encoder.adapter.weight": torch.zeros(1), "spk.bias": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=r"2 weights are unknown.*encoder\.adapter\.weight, spk\.bias"):
        import_nemo(write_nemo(config, unknown))
    weights["encoder.encoder.0.mconv.1.bias"] = torch.zeros(5)
    del weights["decoder.decoder_layers.0.bias"]
    with pytest.raises(
        CheckpointError,
        match=r"missing: head\.bias; .*norm\.bias has the shape \(5,\), expected \(4,\)",
    ):
        import_nemo(write_nemo(config, weights))


def test_a_size_that_only_the_configuration_claims_takes_no_memory(
    write_nemo: NemoWriter, tiny_nemo: Tiny
) -> None:
    config, weights = tiny_nemo
    config["encoder"]["jasper"][0]["filters"] = 65536
    with pytest.raises(CheckpointError, match=r"mixing\.weight has the shape \(4, 8, 3\), expected \(65536"):
        import_nemo(write_nemo(config, weights))


def test_a_name_is_made_of_the_files() -> None:
    assert model_name("stt_en_quartznet15x5.nemo") == "stt_en_quartznet15x5"
    assert model_name("Моя модель (2).nemo") == "2"
    assert model_name("….nemo") == "imported"
