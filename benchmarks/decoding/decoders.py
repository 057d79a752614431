"""The decoders of the comparison, all made to read the same log-probs with the same language model."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from linnet.core.arrays import LogProbs
from linnet.decoding.beam import BeamConfig, BeamDecoder
from linnet.decoding.language_model import LanguageModel
from linnet.lm.packed import PackedModel
from linnet.lm.vocabulary import SPECIAL_WORDS
from linnet.text.vocabulary import BLANK, BOUNDARY, Vocabulary

LN_10 = math.log(10)
logging.getLogger("pyctcdecode").setLevel(logging.ERROR)

Pruning = Literal["own", "linnet"]
Read = Callable[[LogProbs], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """What one run of a decoder is made with.

    Attributes:
        beam: how many hypotheses are kept.
        alpha: weight of the language model's natural log-prob.
        beta: bonus for each word.
        pruning: the decoder's own defaults, or as much of linnet's as it can be told.
        hotwords: phrases to favor.
    """

    beam: int = 64
    alpha: float = 0.5
    beta: float = 1.0
    pruning: Pruning = "own"
    hotwords: tuple[str, ...] = ()


@dataclass(frozen=True)
class Materials:
    """What all decoders of a comparison share.

    Attributes:
        pieces: the vocabulary, without the blank, which comes last.
        lm: the language model, packed by `linnet lm`; None decodes without one.
        kenlm: the same in a binary file of KenLM.
        spell: gives the tokens of a word, for decoders that need a lexicon.
    """

    pieces: tuple[str, ...]
    lm: Path | None
    kenlm: Path | None
    spell: Callable[[str], Sequence[int]] = field(default=lambda _: ())

    @cached_property
    def words(self) -> list[str]:
        """The words that the language model knows."""
        return (
            [word.decode() for word in PackedModel(self.lm).words()[len(SPECIAL_WORDS) :]] if self.lm else []
        )

    @property
    def is_bpe(self) -> bool:
        """Whether words begin with pieces that say so, rather than after a space of its own."""
        return any(piece.startswith(BOUNDARY) and piece != BOUNDARY for piece in self.pieces)


class Decoder(Protocol):
    """A decoder with everything loaded that does not depend on a setting."""

    name: str

    def reader(self, setting: Setting) -> Read:
        """Return what reads log-probs (S, V), the blank last, with a setting."""
        ...


class Linnet:
    """linnet's beam search; its own pruning is top 12, log p > -7, margin 12, blank_only -0.005."""

    name = "linnet"

    def __init__(self, materials: Materials) -> None:
        self._vocabulary = Vocabulary(materials.pieces)
        self._model = LanguageModel.load(materials.lm, self._vocabulary) if materials.lm else None

    def reader(self, setting: Setting) -> Read:
        """Return what reads log-probs with a setting."""
        config = BeamConfig(beam=setting.beam, alpha=setting.alpha, beta=setting.beta)
        hotwords = [(phrase, 0.75 * len(phrase)) for phrase in setting.hotwords]
        decoder = BeamDecoder(self._vocabulary, config, self._model, hotwords)
        return lambda log_probs: self._vocabulary.decode(decoder.decode(log_probs).hypotheses[0].tokens)


class Pyctcdecode:
    """pyctcdecode; its own pruning is log p > -5 and margin 10."""

    name = "pyctcdecode"

    def __init__(self, materials: Materials) -> None:
        self._decoder = self._build(materials)

    def _build(self, materials: Materials) -> Any:
        from pyctcdecode import build_ctcdecoder

        path = str(materials.kenlm) if materials.kenlm else None
        return build_ctcdecoder(_labels(materials), path, materials.words or None)

    def reader(self, setting: Setting) -> Read:
        """Return what reads log-probs with a setting."""
        decoder, options = self._decoder, _alike_options(setting)
        if (
            decoder._language_model is not None
        ):  # it has no other way to tell, and refuses to be told without one
            decoder.reset_params(alpha=setting.alpha, beta=setting.beta)
        return lambda log_probs: str(decoder.decode(log_probs, **options))


class CtcBeamDecoder:
    """ctc-beam-decoder, a port of pyctcdecode to C++ with the same pruning."""

    name = "ctc-beam-decoder"

    def __init__(self, materials: Materials) -> None:
        self._materials = materials

    def reader(self, setting: Setting) -> Read:
        """Return what reads log-probs with a setting."""
        from ctc_beam_decoder import build_ctcdecoder

        decoder = build_ctcdecoder(
            _labels(self._materials),
            self._materials.kenlm,
            self._materials.words or None,
            alpha=setting.alpha,
            beta=setting.beta,
        )
        options = _alike_options(setting)
        return lambda log_probs: str(decoder.decode(log_probs, **options))


class FlashlightLexicon:
    """flashlight-text with a lexicon; its own pruning is none of tokens and margin 50, as torchaudio has it.

    A word must be spelled as the tokenizer does, and with letters be followed by the space. So a last frame
    with a sure space is put behind the log-probs of letters, as without it the last word could not end.
    """

    name = "flashlight lexicon"

    def __init__(self, materials: Materials) -> None:
        from flashlight.lib.text.decoder import SmearingMode, Trie
        from flashlight.lib.text.decoder.kenlm import KenLM
        from flashlight.lib.text.dictionary import Dictionary

        self._num_pieces = len(materials.pieces)
        self._words = Dictionary([*materials.words, "<unk>"])
        self._lm = KenLM(str(materials.kenlm), self._words)
        has_space = BOUNDARY in materials.pieces
        self._space = materials.pieces.index(BOUNDARY) if has_space else self._num_pieces
        self._spaced = not materials.is_bpe
        self._trie = Trie(self._num_pieces + 1, self._space)
        start = self._lm.start(False)
        for number, word in enumerate(materials.words):
            spelling = [*materials.spell(word), *([self._space] if self._spaced else [])]
            self._trie.insert(spelling, number, self._lm.score(start, number)[1])
        self._trie.smear(SmearingMode.MAX)

    def reader(self, setting: Setting) -> Read:
        """Return what reads log-probs with a setting."""
        from flashlight.lib.text.decoder import CriterionType, LexiconDecoder, LexiconDecoderOptions

        options = LexiconDecoderOptions(
            beam_size=setting.beam,
            lm_weight=setting.alpha * LN_10,  # its scores are decimal logarithms
            word_score=setting.beta,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
            **_flashlight_pruning(setting, self._num_pieces + 1),
        )
        unknown = self._words.get_index("<unk>")
        decoder = LexiconDecoder(
            options, self._trie, self._lm, self._space, self._num_pieces, unknown, [], False
        )
        return lambda log_probs: self._read(decoder, log_probs)

    def _read(self, decoder: Any, log_probs: LogProbs) -> str:
        rows = np.ascontiguousarray(log_probs)
        if self._spaced:
            rows = np.concatenate([rows, np.full((1, rows.shape[1]), -20, np.float32)])
            rows[-1, self._space] = 0.0
        results = decoder.decode(rows.ctypes.data, *rows.shape)
        return (
            " ".join(self._words.get_entry(word) for word in results[0].words if word >= 0) if results else ""
        )


class FlashlightFree:
    """flashlight-text without a lexicon and, as it knows no words then, with a model of tokens or none."""

    name = "flashlight free"

    def __init__(self, materials: Materials) -> None:
        from flashlight.lib.text.decoder import ZeroLM
        from flashlight.lib.text.decoder.kenlm import KenLM
        from flashlight.lib.text.dictionary import Dictionary

        self._vocabulary = Vocabulary(materials.pieces)
        tokens = Dictionary([*materials.pieces, BLANK])
        tokens.set_default_index(len(materials.pieces))
        self._lm = KenLM(str(materials.kenlm), tokens) if materials.kenlm else ZeroLM()

    def reader(self, setting: Setting) -> Read:
        """Return what reads log-probs with a setting; it has no bonus for tokens, so beta is not used."""
        from flashlight.lib.text.decoder import CriterionType, LexiconFreeDecoder, LexiconFreeDecoderOptions

        blank = self._vocabulary.blank_id
        options = LexiconFreeDecoderOptions(
            beam_size=setting.beam,
            lm_weight=setting.alpha * LN_10,
            sil_score=0.0,
            log_add=True,
            criterion_type=CriterionType.CTC,
            **_flashlight_pruning(setting, blank + 1),
        )
        decoder = LexiconFreeDecoder(options, self._lm, blank, blank, [])
        return lambda log_probs: self._read(decoder, log_probs)

    def _read(self, decoder: Any, log_probs: LogProbs) -> str:
        rows = np.ascontiguousarray(log_probs)
        tokens = np.array(decoder.decode(rows.ctypes.data, *rows.shape)[0].tokens[1:-1])
        kept = np.concatenate([[True], tokens[1:] != tokens[:-1]]) & (tokens != self._vocabulary.blank_id)
        return self._vocabulary.decode(tokens[kept])


def _labels(materials: Materials) -> list[str]:
    """Return the vocabulary as pyctcdecode takes it: a space for letters, an empty text for the blank."""
    labels = materials.pieces if materials.is_bpe else [" " if p == BOUNDARY else p for p in materials.pieces]
    return [*labels, ""]


def _alike_options(setting: Setting) -> dict[str, Any]:
    options: dict[str, Any] = {"beam_width": setting.beam}
    if setting.hotwords:
        options["hotwords"] = list(setting.hotwords)
    if setting.pruning == "linnet":
        options |= {"beam_prune_logp": -BeamConfig().margin, "token_min_logp": BeamConfig().min_token}
    return options


def _flashlight_pruning(setting: Setting, size: int) -> dict[str, Any]:
    if setting.pruning == "own":
        return {"beam_size_token": size, "beam_threshold": 50.0}
    return {"beam_size_token": BeamConfig().top_tokens + 1, "beam_threshold": BeamConfig().margin}
