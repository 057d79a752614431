"""Beam search over CTC log-probabilities: the likeliest texts, with a language model and hotwords."""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from linnet.core.arrays import LogProbs
from linnet.decoding import beam_kernel as kernel
from linnet.decoding.beam_arena import (
    MASSES,
    NO_LM,
    NODE,
    NUM_BEAM,
    NUM_COMMITTED,
    NUM_COUNTERS,
    NUM_NODES,
    TOKEN_LM,
    WORD_LM,
    Arena,
    Tables,
    TokenTables,
    Weights,
)
from linnet.decoding.beam_tree import compact, path_of
from linnet.decoding.beam_worth import hopes_of, promises_of
from linnet.decoding.hotwords import build_hotwords, no_hotwords
from linnet.decoding.language_model import LanguageModel
from linnet.decoding.lexicon import empty_lexicon
from linnet.lm.scoring import sentence_start
from linnet.lm.tables import Tables as NgramTables
from linnet.text.vocabulary import BOUNDARY, Vocabulary, is_byte_piece

MIN_NODES = 1 << 12  # small enough to stay in a core's cache


class BeamConfig(BaseModel):
    """How wide a search looks and what it weighs.

    Attributes:
        beam: prefixes kept after each frame.
        top_tokens: tokens looked at in a frame.
        min_token: tokens of a smaller natural log-prob are not looked at.
        margin: prefixes that far (natural log) behind the best are dropped.
        blank_only: frames whose blank has at least this log-prob are taken as silence; 0 looks at all.
        alpha: weight of the language model.
        beta: bonus for each word, or each token of a token language model.
        unknown: what a word that the language model does not know costs beside its own score; none of a
            hotword phrase does.
        blank_penalty: taken from the blank's log-prob in every frame, which is then made to sum to one again.
            A model that is unsure says the blank too often, and a search for words needs less of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beam: int = Field(default=64, ge=1, le=4096)
    top_tokens: int = Field(default=12, ge=1, le=1024)
    min_token: float = Field(default=-7.0, lt=0.0)
    margin: float = Field(default=12.0, gt=0.0)
    blank_only: float = Field(default=-0.005, le=0.0)
    alpha: float = Field(default=0.5, ge=0.0, allow_inf_nan=False)
    beta: float = Field(default=1.0, allow_inf_nan=False)
    unknown: float = Field(default=-10.0, le=0.0, allow_inf_nan=False)
    blank_penalty: float = Field(default=0.0, ge=0.0, le=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One text and why it stands where it stands.

    Attributes:
        tokens: its token ids.
        total: the natural logarithm of everything together.
        acoustic: the natural log-probability of all alignments that were followed.
        language: the natural log-probability of the language model, unweighted; 0 without one.
    """

    tokens: tuple[int, ...]
    total: float
    acoustic: float
    language: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamResult:
    """The best texts, and which hotword phrases were in reach.

    Attributes:
        hypotheses: the best first; at least one.
        reached: for each phrase, whether it was in the beam at any time.
    """

    hypotheses: tuple[Hypothesis, ...]
    reached: tuple[bool, ...]


class BeamDecoder:
    """Finds the likeliest texts of log-probabilities; it may serve several threads at once.

    Args:
        vocabulary: what the tokens write.
        config: how wide to look and what to weigh.
        language_model: what texts are likely, or None.
        hotwords: phrases to favor, as the vocabulary writes them, with natural-log weights.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        config: BeamConfig | None = None,
        language_model: LanguageModel | None = None,
        hotwords: Sequence[tuple[str, float]] = (),
    ) -> None:
        self.vocabulary = vocabulary
        self.config = config or BeamConfig()
        self.num_phrases = len(hotwords)
        self._language_model = language_model
        if language_model:
            unknown = self.config.unknown
            hotwords = [
                (each, weight - unknown * language_model.num_unknown(each)) for each, weight in hotwords
            ]
        self._hotwords = build_hotwords(*zip(*hotwords, strict=True)) if hotwords else no_hotwords()

    def decode(self, log_probs: LogProbs, *, num_best: int = 1) -> BeamResult:
        """Decode one utterance (S, V) of natural log-probs, the blank last."""
        return BeamStream(self).feed(log_probs).result(num_best)

    def decode_batch(
        self, batch: Sequence[LogProbs], *, num_best: int = 1, num_threads: int | None = None
    ) -> list[BeamResult]:
        """Decode several utterances on several cores; the results do not depend on how many."""
        with ThreadPoolExecutor(num_threads or os.cpu_count()) as pool:
            return list(pool.map(lambda each: self.decode(each, num_best=num_best), batch))

    @property
    def order(self) -> int:
        """The order of the language model; 1 without one."""
        return self.tables.ngrams.order

    @cached_property
    def tables(self) -> Tables:
        """What the compiled search reads."""
        model = self._language_model
        lexicon = model.lexicon if model and model.lexicon is not None else empty_lexicon()
        words = model.token_words if model and model.token_words is not None else np.zeros(0, np.int32)
        tokens, weights = _token_tables(self.vocabulary, words), self._weights()
        return Tables(
            tokens=tokens._replace(promises=promises_of(tokens, lexicon, weights, self._hotwords)),
            lexicon=lexicon,
            ngrams=model.ngrams if model else _EMPTY_NGRAMS,
            hotwords=self._hotwords,
            hopes=hopes_of(self._hotwords, tokens),
            weights=weights,
        )

    def _weights(self) -> Weights:
        model, config = self._language_model, self.config
        with_model = TOKEN_LM if model and model.token_words is not None else WORD_LM
        return Weights(
            mode=with_model if model else NO_LM,
            alpha=config.alpha,
            beta=config.beta,
            unknown=config.unknown,
            outside=config.unknown + (config.alpha * model.unknown if model else 0.0),
            beam=config.beam,
            top_tokens=min(config.top_tokens, self.vocabulary.size - 1),
            min_token=float(np.exp(config.min_token)),
            margin=float(np.exp(-config.margin)),
            blank_only=config.blank_only,
        )


class BeamStream:
    """One utterance under way: frames go in as they come, and results are to be had at any time.

    The results are those of `BeamDecoder.decode` on all frames so far.

    Args:
        decoder: how to search.
        num_nodes: how many prefixes to make room for at first.
    """

    def __init__(self, decoder: BeamDecoder, *, num_nodes: int = MIN_NODES) -> None:
        self._decoder = decoder
        self._tables = decoder.tables
        weights = self._tables.weights
        growth = weights.beam * (weights.top_tokens + 1)
        num_nodes = max(num_nodes, 1 << growth.bit_length())
        self._arena = _new_arena(self._tables, num_nodes, decoder.num_phrases)
        self._committed: list[int] = []

    def feed(self, log_probs: LogProbs) -> Self:
        """Take up frames (S, V)."""
        rows = np.ascontiguousarray(log_probs, np.float32)
        assert rows.ndim == 2, f"log_probs must be (S, V), not {rows.shape}"
        if self._decoder.config.blank_penalty:
            rows = _penalized(rows, self._decoder.config.blank_penalty)
        while len(rows):
            taken = kernel.search(self._arena, self._tables, rows)
            rows = rows[taken:]
            if len(rows):
                self._make_room()
        return self

    def result(self, num_best: int = 1, *, ends: bool = True) -> BeamResult:
        """Return the best texts so far.

        Args:
            num_best: how many at most.
            ends: whether the utterance ends here, as the language model sees it.
        """
        arena = self._arena
        totals, language, worths = self._finished(ends)
        order = np.argsort(-totals, kind="stable")[:num_best]
        hypotheses = [
            Hypothesis(
                tokens=(*self._committed, *map(int, path_of(arena, arena.beam[i]["node"]))),
                total=float(totals[i]),
                acoustic=float(totals[i] - worths[i]),
                language=float(language[i]),
            )
            for i in order
        ]
        return BeamResult(hypotheses=tuple(hypotheses), reached=tuple(map(bool, arena.phrases)))

    def settle(self, tokens: Sequence[int] | None = None) -> None:
        """Keep only the texts that begin with these tokens, and search on; memory of the others is set free.

        The tokens leave the results: those of later ones begin behind them.

        Args:
            tokens: which the best text begins with; None keeps this text alone, as a whole.
        """
        arena = self._arena
        if tokens is None:
            kept = [int(np.argmax(self._finished(ends=False)[0]))]
        else:
            behind = tokens[len(self._committed) :]
            paths = [path_of(arena, each["node"]) for each in arena.beam[: arena.counters[NUM_BEAM]]]
            kept = [i for i, path in enumerate(paths) if np.array_equal(path[: len(behind)], behind)]
        arena.beam[: len(kept)] = arena.beam[kept]
        arena.counters[NUM_BEAM] = len(kept)
        self._make_room()
        self._committed = self._committed[len(tokens) :] if tokens is not None else []

    def _finished(self, ends: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Give the totals of the beam, the part of the language model, and all that is not acoustic."""
        num_beam = int(self._arena.counters[NUM_BEAM])
        totals, language, worths = np.empty((3, num_beam))
        kernel.finish(self._arena, self._tables, ends, totals, language, worths)
        return totals, language, worths

    def _make_room(self) -> None:
        compact(self._arena)
        count = int(self._arena.counters[NUM_COMMITTED])
        self._committed += map(int, self._arena.committed[:count])
        self._arena.counters[NUM_COMMITTED] = 0
        if not kernel.has_room(self._arena, self._tables.weights):
            self._arena = _enlarged(self._arena)


def _penalized(log_probs: LogProbs, penalty: float) -> LogProbs:
    """Return log-probs (S, V) with so much less for the blank, the last; a frame still sums to one."""
    total = 1.0 + math.expm1(-penalty) * np.exp(log_probs[:, -1:], dtype=np.float64)
    rows: LogProbs = log_probs - np.log(total).astype(np.float32)
    rows[:, -1] -= penalty
    return rows


def _new_arena(tables: Tables, num_nodes: int, num_phrases: int) -> Arena:
    weights = tables.weights
    candidates = weights.beam * (weights.top_tokens + 1)
    arena = Arena(
        nodes=np.zeros(num_nodes, NODE),
        words=np.zeros((num_nodes, max(tables.ngrams.order - 1, 1)), np.uint32),
        backoffs=np.zeros((num_nodes, max(tables.ngrams.order - 1, 1)), np.float32),
        lengths=np.zeros(num_nodes, np.int64),
        beam=np.zeros(candidates, MASSES),
        candidates=np.zeros(candidates, MASSES),
        counters=np.zeros(NUM_COUNTERS, np.int64),
        log_scale=np.zeros(1),
        committed=np.zeros(num_nodes, np.int32),
        phrases=np.zeros(num_phrases, np.bool_),
        top_ids=np.zeros(weights.top_tokens, np.int32),
        top_probs=np.zeros(weights.top_tokens),
        spare=np.zeros(candidates),
    )
    arena.counters[[NUM_NODES, NUM_BEAM]] = 1
    root = arena.nodes[0]
    root["token"] = root["seen"] = -1
    root["closing"] = 1.0
    root["hot"] = tables.hotwords.start
    root["worth"] = arena.log_scale[0] = tables.hotwords.partial[tables.hotwords.start]
    arena.beam[0]["blank"] = 1.0
    if weights.mode != NO_LM:
        start = sentence_start(tables.ngrams)
        arena.words[0], arena.backoffs[0], arena.lengths[0] = (
            start.words,
            start.log10_backoffs,
            start.length[0],
        )
    return arena


def _enlarged(arena: Arena) -> Arena:
    """Return an arena of twice as many nodes with the same content."""
    grown = {
        name: np.concatenate([getattr(arena, name), np.zeros_like(getattr(arena, name))])
        for name in ("nodes", "words", "backoffs", "lengths", "committed")
    }
    return arena._replace(**grown)


def _token_tables(vocabulary: Vocabulary, words: NDArray[np.int32]) -> TokenTables:
    texts = [token_text(piece) for piece in vocabulary.pieces]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts], dtype=np.int64)])
    text = np.frombuffer(b"".join(texts), np.uint8)
    begins = np.array([each[:1] == b" " for each in texts])
    return TokenTables(offsets.astype(np.int32), text, begins, words, np.ones(len(texts)))


def token_text(piece: str) -> bytes:
    """Return the UTF-8 that a piece writes, a space where a word begins."""
    if is_byte_piece(piece):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(BOUNDARY, " ").encode()


def _empty_ngrams() -> NgramTables:
    """Return the tables of no model, with the types of one: so the search is compiled once for both."""
    tables = NgramTables(
        keys=np.zeros(0, np.uint64),
        values=np.zeros(0, np.float32),
        centroids=np.zeros((0, 2, 256), np.float32),
        starts=np.zeros(2, np.int64),
        num_homes=np.zeros(1, np.int64),
        max_probes=np.zeros(1, np.int64),
        firsts=np.zeros(0, np.uint16),
        blocks=np.zeros(0, np.uint32),
        children=np.zeros(0, np.uint16),
    )
    for array in tables:
        array.setflags(write=False)
    return tables


_EMPTY_NGRAMS = _empty_ngrams()
