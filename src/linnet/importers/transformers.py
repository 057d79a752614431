"""A wav2vec 2.0, HuBERT or WavLM model that transformers saved, as a model of linnet."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError
from linnet.features.config import FrontendConfig
from linnet.importers.fetch import TRANSFORMERS_CONFIG
from linnet.importers.fitting import fitted, under_our_names
from linnet.importers.imported_model import ImportedModel
from linnet.importers.nemo import model_name
from linnet.importers.section import Section
from linnet.importers.transformers_folder import read_json, read_weights
from linnet.importers.transformers_vocabulary import OutputTokens, read_vocabulary
from linnet.importers.waveform import waveform_frontend
from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.wav2vec2 import Wav2Vec2Config
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer

PREFIXES = {"wav2vec2": "wav2vec2.", "hubert": "hubert.", "wavlm": "wavlm."}
HEADS = ("Wav2Vec2ForCTC", "HubertForCTC", "WavLMForCTC")
WITHOUT_HEAD = ("Wav2Vec2Model", "Wav2Vec2ForPreTraining", "HubertModel", "WavLMModel")
_LEFT_OUT = {  # parts of pre-training
    "quantizer.": "codebooks",
    "project_hid.": "projections to the codebooks",
    "project_q.": "projections to the codebooks",
}
_NAMES = {  # theirs: ours, within the encoder
    r"masked_spec_embed": "mask_vector",
    r"feature_extractor\.conv_layers\.(\d+)\.conv\.(weight|bias)": r"features.layers.\1.conv.\2",
    r"feature_extractor\.conv_layers\.(\d+)\.layer_norm\.(weight|bias)": r"features.layers.\1.norm.\2",
    r"feature_projection\.layer_norm\.(weight|bias)": r"input_norm.\1",
    r"feature_projection\.projection\.(weight|bias)": r"projection.\1",
    r"encoder\.pos_conv_embed\.conv\.(?:weight_g|parametrizations\.weight\.original0)": "position.gain",
    r"encoder\.pos_conv_embed\.conv\.(?:weight_v|parametrizations\.weight\.original1)": "position.direction",
    r"encoder\.pos_conv_embed\.conv\.bias": "position.bias",
    r"encoder\.layers\.(\d+)\.attention\.q_proj\.(weight|bias)": r"layers.\1.attention.query.\2",
    r"encoder\.layers\.(\d+)\.attention\.k_proj\.(weight|bias)": r"layers.\1.attention.key.\2",
    r"encoder\.layers\.(\d+)\.attention\.v_proj\.(weight|bias)": r"layers.\1.attention.value.\2",
    r"encoder\.layers\.(\d+)\.attention\.out_proj\.(weight|bias)": r"layers.\1.attention.output.\2",
    r"encoder\.layers\.0\.attention\.rel_attn_embed\.weight": "distance_bias.weight",
    r"encoder\.layers\.(\d+)\.attention\.gru_rel_pos_const": r"layers.\1.attention.gate_scale",
    r"encoder\.layers\.(\d+)\.attention\.gru_rel_pos_linear\.(weight|bias)": r"layers.\1.attention.gate.\2",
    r"encoder\.layers\.(\d+)\.layer_norm\.(weight|bias)": r"layers.\1.attention_norm.\2",
    r"encoder\.layers\.(\d+)\.feed_forward\.intermediate_dense\.(\w+)": r"layers.\1.feed_forward.expand.\2",
    r"encoder\.layers\.(\d+)\.feed_forward\.output_dense\.(\w+)": r"layers.\1.feed_forward.contract.\2",
    r"encoder\.layers\.(\d+)\.final_layer_norm\.(weight|bias)": r"layers.\1.feed_forward_norm.\2",
    r"encoder\.layer_norm\.(weight|bias)": r"norm.\1",
}
# Of training, of generation, of other heads, or about the file itself.
_HARMLESS = (
    *("_name_or_path", "activation_dropout", "architectures", "dtype", "torch_dtype", "transformers_version"),
    *("model_type", "initializer_range", "gradient_checkpointing", "ctc_loss_reduction", "ctc_zero_infinity"),
    *("bos_token_id", "eos_token_id", "tokenizer_class", "feature_extractor_type", "processor_class"),
    *("num_feat_extract_layers", "feat_quantizer_dropout", "num_codevectors_per_group", "codevector_dim"),
    *("num_codevector_groups", "contrastive_logits_temperature", "num_negatives", "proj_codevector_dim"),
    *("diversity_loss_weight", "classifier_proj_size", "tdnn_dim", "tdnn_kernel", "tdnn_dilation"),
    *("xvector_output_dim", "adapter_kernel_size", "adapter_stride", "num_adapter_layers"),
    *("output_hidden_size", "return_dict", "output_hidden_states", "output_attentions", "use_cache"),
    *("attn_implementation", "_attn_implementation", "_attn_implementation_autoset", "problem_type"),
    *("id2label", "label2id", "finetuning_task", "freeze_feat_extract_train", "mask_channel_length"),
    *("mask_channel_min_space", "mask_channel_other", "mask_channel_prob", "mask_channel_selection"),
    *("mask_time_min_space", "mask_time_other", "mask_time_selection", "no_mask_channel_overlap"),
    *("no_mask_time_overlap", "feat_extract_dropout", "hidden_dropout_prob", "num_conv_groups", "cache_dir"),
    *("max_length", "min_length", "tie_word_embeddings", "is_encoder_decoder", "task_specific_params"),
)


def import_transformers(folder: Path, name: str | None = None, *, needs_head: bool = True) -> ImportedModel:
    """Read a folder that transformers saved; nothing in it is run, and nothing is written.

    Args:
        folder: with config.json, the weights, vocab.json and the files of the processor.
        name: what the model is called from now on; None takes the name of the folder.
        needs_head: whether a model without a head, as pre-training leaves it, is refused.

    Raises:
        CheckpointError: when it is damaged or hostile, holds another kind of model, or asks for something
            that linnet does not compute.
        MissingDependencyError: when safetensors is not installed.
    """
    values = read_json(folder / TRANSFORMERS_CONFIG)
    section = Section(values, str(folder / TRANSFORMERS_CONFIG))
    kind, architecture = _architecture(values, section.where, needs_head=needs_head)
    has_head = architecture in HEADS
    encoder = _encoder(section, biased=kind == "wavlm")
    vocabulary = None
    if has_head:
        sizes = section.take("vocab_size", int, 32), section.take("pad_token_id", int, 0)
        vocabulary = read_vocabulary(folder, *sizes)
    section.ignore("vocab_size", "pad_token_id", *_HARMLESS)
    _finish(section)
    config = _model_config(
        name or model_name(folder.resolve().name), _frontend(folder, encoder), encoder, vocabulary
    )
    weights, path = read_weights(folder)
    renamed, left_out = _rename(weights, PREFIXES[kind], vocabulary, str(path))
    renamed.setdefault("encoder.mask_vector", torch.zeros(encoder.width))  # of training alone
    if vocabulary is None:
        renamed |= blank_head(config)
    checked = fitted(config, renamed, str(path))
    model = CtcModel(config)
    model.load_state_dict(checked, assign=True)
    version = values.get("transformers_version")
    known = version if isinstance(version, str) else "(an unknown version)"
    return ImportedModel(model.eval(), f"{architecture} of transformers {known}", left_out, has_head)


def _architecture(values: Mapping[str, Any], where: str, *, needs_head: bool) -> tuple[str, str]:
    kind, architectures = values.get("model_type"), values.get("architectures")
    if not isinstance(kind, str) or kind not in PREFIXES:
        raise CheckpointError(
            f"model_type: {shorten(kind)} is not supported; known: {', '.join(PREFIXES)}", where=where
        )
    known = HEADS if needs_head else (*HEADS, *WITHOUT_HEAD)
    if not isinstance(architectures, list) or len(architectures) != 1 or architectures[0] not in known:
        remedy = "Give a model that was fine-tuned for CTC"
        if isinstance(architectures, list) and any(each in WITHOUT_HEAD for each in architectures):
            remedy = "It has no head yet: fine-tune it first, with init.path in the configuration of a run"
        raise CheckpointError(
            f"architectures: {shorten(architectures)} is not supported; known: {', '.join(known)}",
            where=where,
            remedy=remedy,
        )
    return kind, architectures[0]


def _encoder(section: Section, *, biased: bool) -> Wav2Vec2Config:
    """Translate what the encoder computes; defaults are those of transformers."""
    known: dict[str, list[Any]] = {
        "feat_extract_activation": ["gelu"],
        "hidden_act": ["gelu"],
        "add_adapter": [False],
        "adapter_attn_dim": [None],
        "use_weighted_layer_sum": [False],
        "feat_proj_layer_norm": [True],
        "conv_pos_batch_norm": [False],
    }
    for key, allowed in known.items():
        section.expect(key, allowed)
    shapes = [
        section.take("conv_dim", list, [512] * 7),
        section.take("conv_kernel", list, [10, 3, 3, 3, 3, 2, 2]),
        section.take("conv_stride", list, [5, 2, 2, 2, 2, 2, 2]),
    ]
    if len({len(each) for each in shapes}) != 1:
        raise CheckpointError("conv_dim, conv_kernel and conv_stride differ in length", where=section.where)
    masked = section.take("apply_spec_augment", bool, True)
    values = {
        "convolutions": list(zip(*shapes, strict=True)),
        "conv_bias": section.take("conv_bias", bool, False),
        "conv_norm": section.take("feat_extract_norm", str, "group"),
        "num_layers": section.take("num_hidden_layers", int, 12),
        "width": section.take("hidden_size", int, 768),
        "num_heads": section.take("num_attention_heads", int, 12),
        "hidden": section.take("intermediate_size", int, 3072),
        "pre_norm": section.take("do_stable_layer_norm", bool, False),
        "position_kernel": section.take("num_conv_pos_embeddings", int, 128),
        "position_groups": section.take("num_conv_pos_embedding_groups", int, 16),
        **(_distance_bias(section) if biased else {}),
        "norm_eps": section.take("layer_norm_eps", float, 1e-5),
        "dropout": section.take("hidden_dropout", float, 0.1),
        "attention_dropout": section.take("attention_dropout", float, 0.1),
        "hidden_dropout": section.take("activation_dropout", float, 0.1),
        "input_dropout": section.take("feat_proj_dropout", float, 0.0),
        "output_dropout": section.take("final_dropout", float, 0.1),
        "layer_dropout": section.take("layerdrop", float, 0.1),
        "time_mask": _mask(section, "time", 0.05, 2) | ({} if masked else {"share": 0.0}),
        "channel_mask": _mask(section, "feature", 0.0, 0) | ({} if masked else {"share": 0.0}),
    }
    try:
        return Wav2Vec2Config.model_validate(values)
    except ValidationError as error:
        raise _refused(error, Wav2Vec2Config, section.where) from None


def _distance_bias(section: Section) -> dict[str, int]:
    section.ignore("replace_prob", "num_ctc_classes")
    return {
        "bias_buckets": section.take("num_buckets", int, 320),
        "bias_distance": section.take("max_bucket_distance", int, 800),
    }


def _mask(section: Section, axis: str, share: float, min_spans: int) -> dict[str, Any]:
    return {
        "share": section.take(f"mask_{axis}_prob", float, share),
        "length": section.take(f"mask_{axis}_length", int, 10),
        "min_spans": section.take(f"mask_{axis}_min_masks", int, min_spans),
    }


def _frontend(folder: Path, encoder: Wav2Vec2Config) -> FrontendConfig:
    """Read how samples are prepared: preprocessor_config.json, or processor_config.json of transformers 5."""
    path = folder / "preprocessor_config.json"
    if not path.is_file() and (newer := folder / "processor_config.json").is_file():
        section = Section(read_json(newer).get("feature_extractor"), f"{newer}, feature_extractor")
    else:
        section = Section(read_json(path), str(path))
    section.expect("feature_extractor_type", ["Wav2Vec2FeatureExtractor"])
    section.expect("feature_size", [1])
    section.expect("padding_side", ["right"])
    section.expect("padding_value", [0, 0.0])
    section.ignore("return_attention_mask", "processor_class", "do_resample", "tokenizer_class")
    rate_hz = section.take("sampling_rate", int, 16000)
    normalized = section.take("do_normalize", bool, True)
    _finish(section)
    return waveform_frontend(rate_hz, encoder.window_samples, normalized=normalized, where=section.where)


def _model_config(
    name: str, frontend: FrontendConfig, encoder: Wav2Vec2Config, vocabulary: OutputTokens | None
) -> ModelConfig:
    tokenizer = TokenizerConfig() if vocabulary is None else vocabulary.tokenizer
    return ModelConfig(name=name, frontend=frontend, encoder=encoder, tokenizer=tokenizer, normalizer="basic")


def _finish(section: Section) -> None:
    try:
        section.finish()
    except CheckpointError as error:
        raise CheckpointError(
            error.what,
            where=error.where,
            remedy="If they change nothing that the model computes, take them out of the file",
        ) from None


def _refused(error: ValidationError, model: Any, where: str) -> CheckpointError:
    return CheckpointError(config_error(error, model, where).what, where=where)


def _rename(
    weights: Mapping[str, Tensor], prefix: str, vocabulary: OutputTokens | None, where: str
) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Give the weights under our names, and how many numbers were left out, by what they are."""

    def ours(key: str) -> str | None:
        if key in ("lm_head.weight", "lm_head.bias") and vocabulary is not None:
            return f"head.{key.removeprefix('lm_head.')}"
        inner = our_name(key.removeprefix(prefix))
        return inner and f"encoder.{inner}"

    remedy = "They may belong to adapters, or to another head"
    renamed, left_out = under_our_names(weights, ours, _LEFT_OUT, where, remedy)
    if vocabulary is not None:
        head = {key: value for key, value in renamed.items() if key.startswith("head.")}
        renamed |= {key: head_rows(f"lm_{key}", value, vocabulary, where) for key, value in head.items()}
    return renamed, left_out


def our_name(key: str) -> str | None:
    """Translate the key of a weight within the encoder; None when it is unknown."""
    for theirs, ours in _NAMES.items():
        if match := re.fullmatch(theirs, key):
            return match.expand(ours)
    return None


def head_rows(key: str, value: Tensor, vocabulary: OutputTokens, where: str) -> Tensor:
    """Put the rows of the head in the order of our vocabulary: the space first, the blank last.

    Raises:
        CheckpointError: when it has another number of rows.
    """
    if value.shape[:1] != (len(vocabulary.order),):
        raise CheckpointError(
            f"{key} has the shape {tuple(value.shape)}, and there are {len(vocabulary.order)} tokens",
            where=where,
            remedy="The vocabulary beside the weights may be another model's",
        )
    rows = value[list(vocabulary.order)]
    return rows.unsqueeze(-1) if rows.dim() == 2 else rows  # ours is a convolution over one frame


def blank_head(config: ModelConfig) -> dict[str, Tensor]:
    """Give a head of zeros, for a model that has none."""
    head = config.head.build(config.encoder.output_width, build_tokenizer(config.tokenizer).vocabulary.size)
    return {f"head.{key}": torch.zeros_like(value) for key, value in head.state_dict().items()}
