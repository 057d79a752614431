"""A checkpoint of fairseq becomes wav2vec 1.0 or 2.0, or an error that says why not."""

import re
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from linnet.cli.imported import import_foreign, imported_source
from linnet.core.errors import CheckpointError
from linnet.importers.transformers import import_transformers
from linnet.models.checkpoint import Checkpoint
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.wav2vec import Wav2VecConfig
from linnet.models.wav2vec2 import Wav2Vec2Config
from linnet.training.init_config import InitConfig
from linnet.training.transfer import transfer_weights

FIRST = {"conv_feature_layers": "[(5, 10, 5), (6, 4, 2)]", "agg_zero_pad": False, "log_compression": True}
SECOND = {"conv_feature_layers": "[(4, 10, 10)] + [(6, 16, 16)] * 1", "encoder_attention_heads": 2}
TO_FAIRSEQ = {  # from the names of transformers
    r"^wav2vec2\.masked_spec_embed": "mask_emb",
    r"^wav2vec2\.feature_projection\.projection": "post_extract_proj",
    r"^wav2vec2\.feature_projection\.layer_norm": "layer_norm",
    r"^wav2vec2\.": "",
    r"(conv_layers\.\d)\.conv": r"\1.0",
    r"(conv_layers\.\d)\.layer_norm": r"\1.2",
    r"pos_conv_embed\.conv": "pos_conv.0",
    r"(\.\d)\.layer_norm": r"\1.self_attn_layer_norm",
    r"\.attention\.": ".self_attn.",
    r"feed_forward\.intermediate_dense": "fc1",
    r"feed_forward\.output_dense": "fc2",
    r"^lm_head": "proj",
}
Writer = Callable[..., Path]


def first_weights() -> dict[str, Tensor]:
    """wav2vec 1.0 of two convolutions and a context of two layers, as fairseq names them."""
    torch.manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {
        "feature_extractor.conv_layers.0.0.weight": (5, 1, 10),
        "feature_extractor.conv_layers.1.0.weight": (6, 5, 4),
        "wav2vec_predictions.project_to_steps.weight": (6, 6, 1, 3),
    }
    for index, channels in enumerate((5, 6)):
        shapes |= {
            f"feature_extractor.conv_layers.{index}.2.{part}": (channels,) for part in ("weight", "bias")
        }
    for index, kernel in enumerate((2, 3)):
        layer = f"feature_aggregator.conv_layers.{index}"
        shapes |= {f"{layer}.1.weight": (6, 6, kernel), f"{layer}.1.bias": (6,)}
        shapes |= {f"{layer}.3.weight": (6,), f"{layer}.3.bias": (6,)}
    return {name: torch.randn(shape) for name, shape in shapes.items()}


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """`write(weights, args=…)` → a checkpoint as fairseq saves it, with letters beside it."""

    def written(weights: dict[str, Any], **settings: Any) -> Path:
        state = {"args": None, "cfg": None, **settings, "model": weights, "optimizer_history": [{"x": 1}]}
        torch.save(state, tmp_path / "wave.pt")
        (tmp_path / "dict.ltr.txt").write_text("| 94802\nA 51860\nB 38431\n")
        return tmp_path / "wave.pt"

    return written


@pytest.fixture
def second_weights(tiny_weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """wav2vec 2.0 with a head, as fairseq names it."""
    renamed = {}
    for name, value in tiny_weights.items():
        for theirs, between in TO_FAIRSEQ.items():
            name = re.sub(theirs, between, name)
        renamed[f"w2v_encoder.{name}" if name.startswith("proj") else f"w2v_encoder.w2v_model.{name}"] = value
    return renamed


def source_of(path: Path) -> Checkpoint:
    source = imported_source(str(path))
    assert source is not None
    return source


def test_wav2vec_1_becomes_the_lower_half_of_a_stack(write: Writer) -> None:
    weights = first_weights()
    source = source_of(write(weights, args=Namespace(**FIRST, dropout=0.1)))
    encoder = source.config.encoder
    assert isinstance(encoder, Wav2VecConfig)
    assert (encoder.subsampling, encoder.window_samples, encoder.context_kernels) == (10, 25, (2, 3))
    assert (encoder.context_padding, encoder.log_compression, encoder.dropout) == ("first", True, 0.1)
    assert (source.config.frontend.kind, source.config.frontend.normalize) == ("waveform", "none")
    for ours, theirs in {
        "features.1.convolution.weight": "feature_extractor.conv_layers.1.0.weight",
        "features.0.norm.bias": "feature_extractor.conv_layers.0.2.bias",
        "context.1.convolution.bias": "feature_aggregator.conv_layers.1.1.bias",
        "context.0.norm.weight": "feature_aggregator.conv_layers.0.3.weight",
    }.items():
        assert torch.equal(source.weights[f"encoder.{ours}"], weights[theirs]), ours
    assert len(source.weights) == len(weights) - 1  # without the predictions
    then = {"blocks": [{"filters": 4, "kernel": 3, "residual": False}]}
    values = source.config.model_dump() | {"encoder": {"kind": "stack", "first": encoder, "then": then}}
    model = CtcModel(ModelConfig.model_validate(values))
    result = transfer_weights(model, source, InitConfig(path="wave.pt", partial=True))
    assert [name for name in result.new if name.startswith("encoder.first")] == []


def test_without_settings_steps_are_those_of_the_published_models(write: Writer) -> None:
    encoder = source_of(write(first_weights())).config.encoder
    assert isinstance(encoder, Wav2VecConfig)
    assert [(layer.kernel, layer.stride) for layer in encoder.features] == [(10, 5), (4, 2)]
    zeros = source_of(write(first_weights(), args=Namespace(agg_zero_pad=True))).config.encoder
    assert isinstance(zeros, Wav2VecConfig)
    assert zeros.context_padding == "zero"


def test_a_tuned_wav2vec_2_is_what_transformers_makes_of_it(
    write: Writer, second_weights: dict[str, Tensor], write_transformers: Writer
) -> None:
    arguments = Namespace(normalize=True, w2v_args=Namespace(**SECOND, activation_fn="gelu"))
    ours = import_foreign(str(write(second_weights, args=arguments)), "tuned")
    theirs = import_transformers(write_transformers()).model
    assert (ours.origin, ours.has_head) == ("wav2vec 2.0 or HuBERT of fairseq", True)
    encoder, expected = ours.model.config.encoder, theirs.config.encoder
    assert isinstance(encoder, Wav2Vec2Config)
    assert isinstance(expected, Wav2Vec2Config)
    for part in ("convolutions", "conv_norm", "num_heads", "pre_norm", "position_kernel", "position_groups"):
        assert getattr(encoder, part) == getattr(expected, part), part
    assert ours.model.config.frontend == theirs.config.frontend
    assert ours.model.vocabulary.pieces == ("▁", "<pad>", "</s>", "<unk>", "a", "b")
    state, same = ours.model.state_dict(), theirs.state_dict()
    assert [name for name, value in state.items() if not torch.equal(value, same[name])] == []


class Node:
    """Pickled as a node of omegaconf is."""

    def __init__(self, **state: Any) -> None:
        self.__dict__.update(state)


@pytest.fixture
def omegaconf(monkeypatch: pytest.MonkeyPatch) -> type[Node]:
    """Stands in for omegaconf's class while a file is written."""
    module = ModuleType("omegaconf.dictconfig")
    node = type("DictConfig", (Node,), {"__module__": module.__name__})
    module.DictConfig = node  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "omegaconf", ModuleType("omegaconf"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return node


def test_settings_of_omegaconf_are_read_without_it(
    write: Writer, second_weights: dict[str, Tensor], omegaconf: type[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    def node(values: dict[str, Any]) -> Node:
        content = {
            key: each if isinstance(each, Node) else omegaconf(_val=each) for key, each in values.items()
        }
        return omegaconf(_metadata=[dict, Any], _parent=None, _content=content)

    settings = node({"model": node(SECOND), "task": node({"normalize": True})})
    inner = {key.removeprefix("w2v_encoder.w2v_model."): value for key, value in second_weights.items()}
    pretrained = {key: value for key, value in inner.items() if not key.startswith("w2v_encoder")}
    path = write(pretrained | {"quantizer.vars": torch.ones(1, 4, 2)}, cfg=settings)
    monkeypatch.delitem(sys.modules, "omegaconf.dictconfig")
    source = source_of(path)
    encoder = source.config.encoder
    assert isinstance(encoder, Wav2Vec2Config)
    assert (encoder.num_heads, source.config.frontend.normalize) == (2, "per_feature")
    assert not any(name.startswith("head.") for name in source.weights)
    with pytest.raises(CheckpointError, match=r"has no head.*init\.path"):
        import_foreign(str(path))


def test_faults_are_named(write: Writer, second_weights: dict[str, Tensor]) -> None:
    def refused(weights: dict[str, Any], **settings: Any) -> str:
        with pytest.raises(CheckpointError) as caught:
            source_of(write(weights, **settings))
        return str(caught.value)

    first = first_weights()
    assert "vector_quantizer.vars" in refused(first | {"vector_quantizer.vars": torch.ones(2)})
    assert "skip_connections_agg: False is not" in refused(first, args=Namespace(skip_connections_agg=False))
    strange = {"conv_feature_layers": "__import__('os').getcwd()"}
    assert "is not what the weights have" in refused(first, args=Namespace(**strange))
    assert "holds pickled code (pathlib" in refused(first, args=Path("x"))
    norm = "feature_extractor.conv_layers.0.2.bias"
    assert "has the shape (3,), expected (5,)" in refused(first | {norm: torch.ones(3)})
    assert "a convolution has 16 taps" in refused(second_weights)
    arguments = Namespace(**SECOND)
    without = {key: value for key, value in second_weights.items() if "pos_conv" not in key}
    assert "lacks encoder.pos_conv.0" in refused(without, args=arguments)
    longer = second_weights | {"w2v_encoder.proj.weight": torch.ones(9, 8)}
    assert "lists 3 letters, and the model has 5" in refused(longer, args=arguments)
    assert "no matrix" in refused(second_weights | {"w2v_encoder.proj.weight": torch.ones(7)}, args=arguments)
    flat = first | {"feature_aggregator.conv_layers.0.1.weight": torch.tensor(1.0)}
    assert "shapes that no wav2vec has" in refused(flat)
    assert "residual_scale" in refused(first, args=Namespace(residual_scale=-1.0))
    path = write(second_weights, args=arguments)
    (path.parent / "dict.ltr.txt").unlink()
    with pytest.raises(CheckpointError, match=r"no dict\.ltr\.txt beside the model"):
        import_foreign(str(path))


def test_a_nest_of_lists_ends(write: Writer) -> None:
    nest: list[Any] = []
    for _ in range(25):
        nest = [nest] * 9
    assert source_of(write(first_weights(), args={"nest": nest})).config.encoder.subsampling == 10
