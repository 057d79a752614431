"""The configuration of a .nemo file as one of ours, or an error that names what linnet cannot compute.

What could change a result is read, expected or refused key by key; what belongs to training is passed over.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import CheckpointError
from linnet.importers import nemo_conformer, nemo_jasper, nemo_squeezeformer
from linnet.importers.nemo_archive import CONFIG_MEMBER, NemoArchive
from linnet.importers.nemo_frontend import translate_preprocessor
from linnet.importers.nemo_head import translate_head
from linnet.importers.nemo_tokenizer import char_tokenizer, normalizer_of, subword_tokenizer
from linnet.importers.section import SAVE_AGAIN, Section
from linnet.models.ctc import ModelConfig
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer


@dataclass(frozen=True, slots=True)
class Family:
    """How one encoder class of NeMo is read.

    Attributes:
        translate: turns its section into a configuration of ours.
        rename: turns a key of its state dict, without "encoder.", into ours; None where linnet has no use for
            it. KeyError for a key that it does not know.
    """

    translate: Callable[[Section], Any]
    rename: Callable[[str, Any], str | None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model class of NeMo keeps its CTC head.

    Attributes:
        section: the keys that lead to the head's section.
        prefix: of the head's weights.
        left_out: what other weights belong to, by their prefixes.
    """

    section: tuple[str, ...]
    prefix: str
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NemoConfig:
    """A configuration, translated.

    Attributes:
        model: the model in our terms.
        nemo_class: the class of the model in NeMo.
        nemo_version: the version that wrote it; None in files of NeMo's first betas.
        target: where its head is.
        family: how its encoder is read.
    """

    model: ModelConfig
    nemo_class: str
    nemo_version: str | None
    target: Target
    family: Family


FAMILIES: Mapping[str, Family] = {
    "ConformerEncoder": Family(nemo_conformer.translate_encoder, nemo_conformer.rename),
    "ConvASREncoder": Family(nemo_jasper.translate_encoder, nemo_jasper.rename),
    "SqueezeformerEncoder": Family(nemo_squeezeformer.translate_encoder, nemo_squeezeformer.rename),
}

_CTC = Target(("decoder",), "decoder.", {})
_HYBRID = Target(
    ("aux_ctc", "decoder"),
    "ctc_decoder.",
    {"decoder.": "the transducer's prediction network", "joint.": "the transducer's joint network"},
)
TARGETS: Mapping[str, Target] = {
    "EncDecCTCModel": _CTC,
    "EncDecCTCModelBPE": _CTC,
    "EncDecHybridRNNTCTCModel": _HYBRID,
    "EncDecHybridRNNTCTCBPEModel": _HYBRID,
}
# What the name of a class without a plain CTC head says of it.
_OTHERS = {
    "Prompt": "a model that is told its language by a prompt",
    "RNNT": "a transducer without a CTC head",
    "MultiTask": "an encoder with an attention decoder",
    "Transf": "an encoder with an attention decoder",
    "SelfSupervised": "an encoder of self-supervised training, without a head",
    "DenoiseMasked": "an encoder of self-supervised training, without a head",
    "Speaker": "a speaker model",
    "Sortformer": "a speaker model",
    "Classification": "a classifier",
    "SLU": "a model of intents and slots",
    "K2": "a model with the losses of k2",
}
_REMEDY = "Import a CTC or a hybrid model: their classes begin with EncDecCTC or EncDecHybridRNNTCTC"


def translate_config(archive: NemoArchive, name: str) -> NemoConfig:
    """Translate the configuration of an archive.

    Args:
        archive: the open file.
        name: what the model shall be called.

    Raises:
        CheckpointError: when the model is of another kind, or has a key or value that linnet does not know.
        MissingDependencyError: when its tokenizer is of SentencePiece, which is not installed.
    """
    where = f"{archive.path}, {CONFIG_MEMBER}"
    values = archive.config()
    top = Section(values.get("model") or values, where)  # NeMo, too, takes the part below `model`
    nemo_class = _last_part(top.take("target", str))
    target = _find_target(nemo_class, where)
    version = None if top.get("nemo_version") is None else str(top.get("nemo_version"))
    frontend = translate_preprocessor(*component(top.get("preprocessor"), f"{where}, preprocessor"), version)
    family, encoder = _encoder(top, frontend.num_features)
    head_class, head = _head_section(top, target)
    tokenizer = _tokenizer(top, head, archive, by_pieces="BPE" in nemo_class)
    try:
        model = ModelConfig(
            name=name,
            frontend=frontend,
            encoder=encoder,
            head=translate_head(head_class, head),
            tokenizer=tokenizer,
            normalizer=normalizer_of(build_tokenizer(tokenizer).vocabulary.pieces),
        )
    except ValidationError as error:
        raise CheckpointError(config_error(error, ModelConfig, where).what, where=where) from None
    return NemoConfig(model, nemo_class, version, target, family)


def component(values: Any, where: str) -> tuple[str, Section]:
    """Split the section of a module into the name of its class and its own keys.

    NeMo 1.0's first betas wrote `cls` or `target`, and `params`; later versions write `_target_` with the
    keys beside it.

    Raises:
        CheckpointError: when it is no section or names no class.
    """
    if not isinstance(values, Mapping):
        raise CheckpointError(f"{shorten(values)} is not a section", where=where, remedy=SAVE_AGAIN)
    names = ("_target_", "cls", "target") if "params" in values else ("_target_", "cls")
    keys = {key: value for key, value in values.items() if key not in (*names, "params")}
    if isinstance(params := values.get("params"), Mapping):
        keys.update(params)
    named = next((values[key] for key in names if values.get(key)), None)
    if not isinstance(named, str):
        raise CheckpointError("_target_ is missing", where=where, remedy=SAVE_AGAIN)
    return _last_part(named), Section(keys, where)


def _find_target(nemo_class: str, where: str) -> Target:
    if nemo_class in TARGETS:
        return TARGETS[nemo_class]
    kind = next((what for part, what in _OTHERS.items() if part in nemo_class), "no CTC model")
    raise CheckpointError(f"holds {kind}: {nemo_class}", where=where, remedy=_REMEDY)


def _encoder(top: Section, num_features: int) -> tuple[Family, Any]:
    name, encoder = component(top.get("encoder"), f"{top.where}, encoder")
    if name not in FAMILIES:
        raise CheckpointError(
            f"the encoder {name!r} is not supported; known: {', '.join(FAMILIES)}", where=encoder.where
        )
    found = encoder.take("feat_in", int, num_features)
    if found != num_features:
        raise CheckpointError(
            f"feat_in: {found}, but the preprocessor gives {num_features} features",
            where=encoder.where,
            remedy=SAVE_AGAIN,
        )
    try:
        return FAMILIES[name], FAMILIES[name].translate(encoder)
    except ValidationError as error:  # a value that is of the right type and out of range
        details = error.errors(include_url=False)[0]
        key = ".".join(map(str, details["loc"]))
        raise CheckpointError(f"{key}: {details['msg']}", where=encoder.where) from None
    except OverflowError:
        raise CheckpointError("a number is too large", where=encoder.where) from None


def _head_section(top: Section, target: Target) -> tuple[str, Section]:
    section = top
    for key in target.section[:-1]:
        section = Section(section.get(key), f"{section.where}, {key}")
    return component(section.get(target.section[-1]), f"{section.where}, {target.section[-1]}")


def _tokenizer(top: Section, head: Section, archive: NemoArchive, *, by_pieces: bool) -> TokenizerConfig:
    """Read the vocabulary and hold it against the size that the head says."""
    listed = head.get("vocabulary")
    if by_pieces:
        about = Section(top.get("tokenizer"), f"{top.where}, tokenizer")
        listed = listed if isinstance(listed, list) else []
        tokenizer = subword_tokenizer(about, archive.artifact, listed, top.where)
    else:
        tokenizer = char_tokenizer(listed or top.get("labels"), head.where)
    num_pieces = build_tokenizer(tokenizer).vocabulary.blank_id
    num_classes = head.take("num_classes", int, -1)
    if num_classes > 0 and num_classes != num_pieces:
        raise CheckpointError(
            f"num_classes: {num_classes}, but the vocabulary has {num_pieces} pieces",
            where=head.where,
            remedy=SAVE_AGAIN,
        )
    return tokenizer


def _last_part(dotted: str) -> str:
    return dotted.rpartition(".")[2]
