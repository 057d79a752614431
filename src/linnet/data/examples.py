"""From manifests to training examples: token targets checked and encoded before the first step."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from linnet.core.errors import LinnetError, ManifestError, TextError
from linnet.core.remote import as_url
from linnet.data.config import DataConfig, SourceConfig
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance
from linnet.text.normalize import normalize
from linnet.text.tokenizer import Tokenizer

logger = logging.getLogger(__name__)
NAMED_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TextEncoder:
    """How texts become targets.

    Attributes:
        normalizer: name of the text normalizer.
        strict: tokenizer that refuses what its vocabulary lacks.
        skipping: the same vocabulary, unknown words skipped.
        auxiliary: tokenizer of the auxiliary head, or None.
    """

    normalizer: str
    strict: Tokenizer
    skipping: Tokenizer
    auxiliary: Tokenizer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One utterance ready for training.

    Attributes:
        utterance: where its audio lies.
        text: the reference the model's head can be scored against ("" for auxiliary examples).
        tokens: targets of the model's head, or None when it is not trained on this utterance.
        auxiliary_tokens: targets of the auxiliary head, or None.
        source: index of the source in the configuration.
    """

    utterance: Utterance
    text: str
    tokens: tuple[int, ...] | None
    auxiliary_tokens: tuple[int, ...] | None
    source: int


def load_examples(
    sources: Sequence[SourceConfig], encoder: TextEncoder | None, data: DataConfig
) -> list[Example]:
    """Read and encode every source, naming what has to be left out.

    Args:
        sources: the manifests.
        encoder: how texts become targets; None where no text is learned, and none is needed.
        data: which durations are used.

    Raises:
        ManifestError: when a source gives no usable utterance.
        LinnetError: when a manifest cannot be read.
    """
    examples: list[Example] = []
    for index, source in enumerate(sources):
        kept = _load_source(index, source, encoder, data)
        if not kept:
            raise ManifestError(
                "no usable utterance",
                where=_named(source),
                remedy="The log above names what was left out and why",
            )
        logger.info(
            "%s: %d utterances, %.2f h",
            _named(source),
            len(kept),
            sum(e.utterance.duration_s for e in kept) / 3600,
        )
        examples.extend(kept)
    return examples


def _load_source(
    index: int, source: SourceConfig, encoder: TextEncoder | None, data: DataConfig
) -> list[Example]:
    kept: list[Example] = []
    problems: list[str] = []
    for utterance in read_manifest(source.manifest):
        try:
            if encoder is None:
                _check_duration(utterance, data)
                kept.append(_without_text(index, utterance))
                continue
            text = normalize(_text_of(utterance), encoder.normalizer)
            if source.only_known_words and not is_known(text, encoder):
                continue
            _check_duration(utterance, data)
            kept.append(encode_example(index, source, utterance, text, encoder))
        except LinnetError as error:
            problems.append(f"{utterance.audio}: {error}")
    for problem in problems[:NAMED_PROBLEMS]:
        logger.warning("left out %s", problem)
    if len(problems) > NAMED_PROBLEMS:
        logger.warning("left out %d more utterances of %s", len(problems) - NAMED_PROBLEMS, _named(source))
    return kept


def _without_text(index: int, utterance: Utterance) -> Example:
    return Example(utterance=utterance, text="", tokens=None, auxiliary_tokens=None, source=index)


def _named(source: SourceConfig) -> str:
    return as_url(source.manifest) or str(source.manifest)


def encode_example(
    index: int, source: SourceConfig, utterance: Utterance, text: str, encoder: TextEncoder
) -> Example:
    """Encode a normalized text as the source number `index` wants it.

    Raises:
        TextError: on what the vocabulary of a head that is trained on it cannot write.
    """
    tokens: tuple[int, ...] | None = None
    reference = ""
    ambiguous = source.target == "known_words" and not source.ambiguous_words.isdisjoint(text.split())
    if source.target != "auxiliary" and not ambiguous:
        tokenizer = encoder.strict if source.target == "full" else encoder.skipping
        tokens = tuple(tokenizer.encode(text))
        reference = tokenizer.vocabulary.decode(tokens)
    auxiliary = tuple(encoder.auxiliary.encode(text)) if encoder.auxiliary else None
    return Example(
        utterance=utterance, text=reference, tokens=tokens, auxiliary_tokens=auxiliary, source=index
    )


def is_known(text: str, encoder: TextEncoder) -> bool:
    """Tell whether the model's vocabulary can write a normalized text."""
    return encoder.skipping.vocabulary.decode(encoder.skipping.encode(text)) == text


def _text_of(utterance: Utterance) -> str:
    if utterance.text is None:
        raise TextError("has no text", remedy='Add a "text" field to its manifest line')
    return utterance.text


def _check_duration(utterance: Utterance, data: DataConfig) -> None:
    if not data.min_duration_s <= utterance.duration_s <= data.max_duration_s:
        raise ManifestError(
            f"lasts {utterance.duration_s:.2f} s, outside {data.min_duration_s}–{data.max_duration_s} s",
            remedy="Cut it, or widen data.min_duration_s and data.max_duration_s",
        )
