"""A checkpoint of fairseq, with wav2vec 1.0 or 2.0 or HuBERT, as a model of linnet."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError
from linnet.importers.fairseq_letters import read_letters_beside
from linnet.importers.fitting import fitted, under_our_names
from linnet.importers.imported_model import ImportedModel
from linnet.importers.nemo import model_name
from linnet.importers.nemo_weights import StoredModel
from linnet.importers.section import Section
from linnet.importers.transformers import blank_head, head_rows, our_name
from linnet.importers.transformers_vocabulary import OutputTokens
from linnet.importers.waveform import waveform_frontend
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.wav2vec import Wav2VecConfig
from linnet.models.wav2vec2 import Wav2Vec2Config
from linnet.text.tokenizer import TokenizerConfig

RATE_HZ = 16000  # of all that fairseq published
HEAD_WIDTH = 64  # of attention, in all that fairseq published

_TUNED, _INSIDE, _HEAD = "w2v_encoder.", "w2v_encoder.w2v_model.", "w2v_encoder.proj."
_FIRST = "feature_extractor.conv_layers."
_FIRST_WEIGHT = re.compile(rf"{re.escape(_FIRST)}(\d{{1,3}})\.0\.weight")
_CONTEXT_WEIGHT = re.compile(r"feature_aggregator\.conv_layers\.(\d{1,3})\.1\.weight")
_STEPS = {10: 5, 8: 4, 4: 2, 3: 2, 2: 2, 1: 1}  # by taps, in all that fairseq published
_TERM = re.compile(r"\[((?:\(\d{1,5},\d{1,5},\d{1,5}\),?)+)\](?:\*(\d{1,2}))?")
_DAMAGED = "The file may be damaged or of another model; take it as fairseq saved it"
_LEFT_OUT = {  # parts of pre-training
    "wav2vec_predictions.": "predictions",
    "quantizer.": "codebooks",
    "project_q.": "projections to the codebooks",
    "final_proj.": "projections to the codebooks",
    "label_embs_concat": "codebooks",
}
_WAV2VEC = {  # fairseq's: ours, within wav2vec 1.0
    r"feature_extractor\.conv_layers\.(\d+)\.0\.weight": r"features.\1.convolution.weight",
    r"feature_extractor\.conv_layers\.(\d+)\.2\.(weight|bias)": r"features.\1.norm.\2",
    r"feature_aggregator\.conv_layers\.(\d+)\.1\.(weight|bias)": r"context.\1.convolution.\2",
    r"feature_aggregator\.conv_layers\.(\d+)\.3\.(weight|bias)": r"context.\1.norm.\2",
}
_TRANSFORMERS = (  # fairseq's: those of transformers, within wav2vec 2.0 and HuBERT
    (r"mask_emb", "masked_spec_embed"),
    (r"(feature_extractor\.conv_layers\.\d+)\.0\.", r"\1.conv."),
    (r"(feature_extractor\.conv_layers\.\d+)\.2\.(?:1\.)?", r"\1.layer_norm."),
    (r"layer_norm\.", "feature_projection.layer_norm."),
    (r"post_extract_proj\.", "feature_projection.projection."),
    (r"encoder\.pos_conv\.0\.", "encoder.pos_conv_embed.conv."),
    (r"(encoder\.layers\.\d+)\.self_attn\.", r"\1.attention."),
    (r"(encoder\.layers\.\d+)\.self_attn_layer_norm\.", r"\1.layer_norm."),
    (r"(encoder\.layers\.\d+)\.fc1\.", r"\1.feed_forward.intermediate_dense."),
    (r"(encoder\.layers\.\d+)\.fc2\.", r"\1.feed_forward.output_dense."),
)


def is_fairseq(weights: Mapping[str, Tensor]) -> bool:
    """Tell a speech model of fairseq by the names of its weights."""
    return any(key.startswith((_FIRST, _TUNED)) for key in weights)


def import_fairseq(
    stored: StoredModel, path: Path, name: str | None = None, *, needs_head: bool = True
) -> ImportedModel:
    """Make a model of what `load_checkpoint` read from a file of fairseq.

    Its sizes are those of its tensors; what these do not tell comes from the settings in the file, and where
    it has none is taken to be as in the models that fairseq published.

    Args:
        stored: weights and settings.
        path: the file; the letters of a model that was fine-tuned are in dict.ltr.txt beside it.
        name: what the model is called from now on; None takes the name of the file.
        needs_head: whether a model without a head, as pre-training leaves it, is refused.

    Raises:
        CheckpointError: when it is another kind of model, or asks for something that linnet does not compute.
    """
    where = str(path)
    head = {key: value for key, value in stored.weights.items() if key.startswith(_HEAD)}
    inner = {key.removeprefix(_INSIDE): value for key, value in stored.weights.items() if key not in head}
    if needs_head and not head:
        raise CheckpointError(
            "has no head: it gives features, not texts",
            where=where,
            remedy="Fine-tune it first, with init.path in the configuration of a run",
        )
    section, normalized = _settings(stored.settings, where)
    is_first = any(key.startswith("feature_aggregator.") for key in inner)
    encoder = _encoder(inner, section, is_first=is_first, where=where)
    letters = read_letters_beside(path, _num_outputs(head, where)) if head else None
    if normalized is None:
        normalized = isinstance(encoder, Wav2Vec2Config) and encoder.conv_norm == "layer"
    config = ModelConfig(
        name=name or model_name(path.stem),
        frontend=waveform_frontend(RATE_HZ, encoder.window_samples, normalized=normalized, where=where),
        encoder=encoder,
        tokenizer=TokenizerConfig() if letters is None else letters.tokenizer,
        normalizer="basic",
    )
    renamed, left_out = under_our_names(
        inner,
        lambda key: (ours := rename(key, is_first=is_first)) and f"encoder.{ours}",
        _LEFT_OUT,
        where,
        remedy="Read are wav2vec 1.0 with convolutions, wav2vec 2.0 and HuBERT, without adapters",
    )
    renamed |= blank_head(config) if letters is None else _head(head, letters, where)
    model = CtcModel(config)
    model.load_state_dict(fitted(config, renamed, where))
    kind = "wav2vec 1.0" if is_first else "wav2vec 2.0 or HuBERT"
    return ImportedModel(model.eval(), f"{kind} of fairseq", left_out, has_head=bool(head))


def _settings(values: Mapping[str, Any], where: str) -> tuple[Section, bool | None]:
    """Find what was said of the pre-trained model, and whether samples are normalized, if it is said."""
    normalized: bool | None = None
    while True:
        model, task = values.get("model", values), values.get("task", values)
        model, task = (each if isinstance(each, Mapping) else {} for each in (model, task))
        if isinstance(task.get("normalize"), bool):
            normalized = task["normalize"]
        inner = model.get("w2v_args")
        if not isinstance(inner, Mapping) or not inner:
            return Section(model, f"{where}, settings"), normalized
        values = inner


def _num_outputs(head: Mapping[str, Tensor], where: str) -> int:
    weight = head.get(f"{_HEAD}weight")
    if weight is None or weight.dim() != 2:
        raise CheckpointError(f"{_HEAD}weight is missing, or no matrix", where=where, remedy=_DAMAGED)
    return len(weight)


def _encoder(
    weights: Mapping[str, Tensor], section: Section, *, is_first: bool, where: str
) -> Wav2VecConfig | Wav2Vec2Config:
    """Read the sizes off the tensors."""
    try:
        return (_wav2vec if is_first else _wav2vec2)(weights, section)
    except KeyError as error:
        raise CheckpointError(f"lacks {error.args[0]}", where=where, remedy=_DAMAGED) from None
    except IndexError:
        what = "has tensors of shapes that no wav2vec has"
        raise CheckpointError(what, where=where, remedy=_DAMAGED) from None
    except ValidationError as error:
        config = Wav2VecConfig if is_first else Wav2Vec2Config
        raise CheckpointError(config_error(error, config, where).what, where=where) from None


def _wav2vec(weights: Mapping[str, Tensor], section: Section) -> Wav2VecConfig:
    known: dict[str, list[Any]] = {
        "aggregator": ["cnn"],
        "activation": ["relu"],
        "skip_connections_feat": [False],
        "skip_connections_agg": [True],
        "vq_type": ["none", None],
    }
    for key, allowed in known.items():
        section.expect(key, allowed)
    kernels = _found(weights, _CONTEXT_WEIGHT)
    zeros = section.take("agg_zero_pad", bool, False)
    return Wav2VecConfig.model_validate(
        {
            "features": [
                {"filters": filters, "kernel": kernel, "stride": step}
                for filters, kernel, step in _convolutions(weights, section)
            ],
            "context_kernels": [each.shape[2] for each in kernels],
            "context_padding": "zero" if zeros else "first",
            "log_compression": section.take("log_compression", bool, True),
            "residual_scale": section.take("residual_scale", float, 0.5),
            "dropout": section.take("dropout", float, 0.0),
        }
    )


def _wav2vec2(weights: Mapping[str, Tensor], section: Section) -> Wav2Vec2Config:
    section.expect("activation_fn", ["gelu"])
    section.expect("quantize_input", [False])
    layered = f"{_FIRST}0.2.1.weight" in weights
    direction = weights.get("encoder.pos_conv.0.weight_v")
    if direction is None:
        direction = weights["encoder.pos_conv.0.parametrizations.weight.original1"]
    width, per_group, position_kernel = direction.shape[0], direction.shape[1], direction.shape[2]
    layers = {key.split(".")[2] for key in weights if key.startswith("encoder.layers.")}
    return Wav2Vec2Config.model_validate(
        {
            "convolutions": _convolutions(weights, section),
            "conv_bias": f"{_FIRST}0.0.bias" in weights,
            "conv_norm": "layer" if layered else "group",
            "num_layers": len(layers),
            "width": width,
            "num_heads": section.take("encoder_attention_heads", int, max(1, width // HEAD_WIDTH)),
            "hidden": weights["encoder.layers.0.fc1.weight"].shape[0],
            "pre_norm": section.take("layer_norm_first", bool, layered),
            "position_kernel": position_kernel,
            "position_groups": width // max(1, per_group),
        }
    )


def _convolutions(weights: Mapping[str, Tensor], section: Section) -> list[tuple[int, int, int]]:
    """Give channels, taps and step of each convolution from the samples; steps are in the settings alone."""
    shapes = [(each.shape[0], each.shape[2]) for each in _found(weights, _FIRST_WEIGHT)]
    if "conv_feature_layers" not in section:
        if strange := [taps for _, taps in shapes if taps not in _STEPS]:
            raise CheckpointError(
                f"a convolution has {strange[0]} taps, and no settings tell its step",
                where=section.where,
                remedy="Take the file as fairseq saved it, with args or cfg beside the weights",
            )
        return [(channels, taps, _STEPS[taps]) for channels, taps in shapes]
    text = section.take("conv_feature_layers", str)
    layers = _parsed(text)
    if [layer[:2] for layer in layers] != shapes:
        raise CheckpointError(
            f"conv_feature_layers: {shorten(text)} is not what the weights have, {shorten(shapes)}",
            where=section.where,
            remedy=_DAMAGED,
        )
    return layers


def _parsed(text: str) -> list[tuple[int, int, int]]:
    """Read "[(512, 10, 5)] + [(512, 3, 2)] * 4", Python to fairseq; gives [] for anything else."""
    layers: list[tuple[int, int, int]] = []
    for term in re.sub(r"\s", "", text[:2000]).split("+"):
        match = _TERM.fullmatch(term)
        if match is None:
            return []
        numbers = list(map(int, re.findall(r"\d+", match[1])))
        triples = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
        layers += triples * int(match[2] or 1)
    return layers


def _found(weights: Mapping[str, Tensor], pattern: re.Pattern[str]) -> list[Tensor]:
    """Give the weights that a pattern names, by the number in their names."""
    numbered = {int(match[1]): value for key, value in weights.items() if (match := pattern.fullmatch(key))}
    return [numbered[index] for index in sorted(numbered)]


def rename(key: str, *, is_first: bool) -> str | None:
    """Turn a key of fairseq's wav2vec 1.0 or 2.0 into ours, within the encoder; None for an unknown one."""
    if is_first:
        found = (
            match.expand(ours) for theirs, ours in _WAV2VEC.items() if (match := re.fullmatch(theirs, key))
        )
        return next(found, None)
    for theirs, between in _TRANSFORMERS:
        if match := re.match(theirs, key):
            return our_name(match.expand(between) + key[match.end() :])
    return our_name(key)


def _head(head: Mapping[str, Tensor], letters: OutputTokens, where: str) -> dict[str, Tensor]:
    return {
        f"head.{key.removeprefix(_HEAD)}": head_rows(key, value, letters, where)
        for key, value in head.items()
    }
