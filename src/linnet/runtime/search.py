"""Beam search in a recognizer: what was chosen, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from linnet.core.arrays import LogProbs
from linnet.core.errors import ConfigError, TextError
from linnet.core.results import Alternative, Hotword, HotwordOutcome, Transcript
from linnet.decoding.alignment import align
from linnet.decoding.beam import BeamConfig, BeamDecoder, BeamResult, BeamStream, Hypothesis
from linnet.decoding.beam_kernel import search as compiled_search
from linnet.decoding.compiled import announce_compiling
from linnet.decoding.greedy import TokenSpan
from linnet.decoding.language_model import LanguageModel
from linnet.runtime.search_config import DEFAULT_BEAM, SearchConfig
from linnet.text.normalize import normalize
from linnet.text.spelling import tokenizer_from_pieces
from linnet.text.vocabulary import TokenizerKind, Vocabulary


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from the log-probs of one segment.

    Attributes:
        spans: the tokens of the best text, where its best alignment puts them.
        alternatives: the best texts, the best first; none for silence that was read with what is said before.
        reached: for each hotword, whether it was in the beam at any time.
    """

    spans: tuple[TokenSpan, ...]
    alternatives: tuple[Alternative, ...]
    reached: tuple[bool, ...]


class TextSearch:
    """Beam search for one vocabulary, with what its texts can be told beforehand.

    Args:
        vocabulary: of the model.
        kind: what its pieces are.
        normalizer: of the model; hotwords are brought to its form.
        config: what was chosen.

    Raises:
        ConfigError: when a hotword is empty or too long.
        LanguageModelError: when the language model cannot be used.
        MissingDependencyError: when numba is not installed.
    """

    def __init__(
        self, vocabulary: Vocabulary, kind: TokenizerKind, normalizer: str, config: SearchConfig
    ) -> None:
        self.config = config
        self._vocabulary = vocabulary
        self._phrases = [_Phrase.parse(text, normalizer, config.hotword_weight) for text in config.hotword]
        tokenizer = tokenizer_from_pieces(vocabulary, kind)
        self._spelled = [_can_write(tokenizer.encode, phrase.text) for phrase in self._phrases]
        usable = [
            (phrase.text, phrase.weight)
            for phrase, spelled in zip(self._phrases, self._spelled, strict=True)
            if spelled
        ]
        self._decoder = BeamDecoder(
            vocabulary,
            BeamConfig(beam=config.beam or DEFAULT_BEAM, alpha=config.alpha, beta=config.beta),
            LanguageModel.load(config.lm, vocabulary) if config.lm else None,
            usable,
        )

    def read(self, log_probs: LogProbs) -> Reading:
        """Search one utterance (S, V)."""
        (reading,) = self.stream().read(log_probs, ends=True)
        return reading

    def stream(self, held_frames: int = 0) -> "SearchStream":
        """Begin to search a recording that comes in pieces.

        Args:
            held_frames: as many at most wait for what is said behind them; 0 settles each piece at once.
        """
        return SearchStream(self._decoder, self.config.nbest, held_frames)

    def complete(self, transcript: Transcript, readings: Sequence[Reading]) -> Transcript:
        """Add alternatives and what became of the hotwords to the transcript of a recording.

        Args:
            transcript: with the best text of each segment.
            readings: of the segments.
        """
        alternatives = _joined(readings) if self.config.nbest > 1 else ()
        return replace(
            transcript, alternatives=alternatives, hotwords=self._hotwords(transcript.text, readings)
        )

    def _hotwords(self, text: str, readings: Sequence[Reading]) -> tuple[Hotword, ...]:
        reached = iter([any(flags) for flags in zip(*(each.reached for each in readings), strict=True)])
        return tuple(
            Hotword(phrase=phrase.given, outcome=_outcome(phrase.text, text, next(reached, False)))
            if spelled
            else Hotword(phrase=phrase.given, outcome="not in the vocabulary")
            for phrase, spelled in zip(self._phrases, self._spelled, strict=True)
        )


class SearchStream:
    """A search over a recording in pieces; the words of one are the language model's history of the next.

    A piece can wait until the next one in which something is said was heard, since that may change what is
    the best text of it. Silence waits with what is said before.

    Args:
        decoder: how to search.
        num_best: alternatives to give for each piece.
        held_frames: as many at most wait; 0 settles each piece at once.
    """

    def __init__(self, decoder: BeamDecoder, num_best: int, held_frames: int = 0) -> None:
        self._decoder, self._num_best, self._held_frames = decoder, num_best, held_frames
        self._beam = BeamStream(decoder)
        self._before = (0.0, 0.0, 0.0)  # the scores of all that is settled
        self._waiting: list[LogProbs] = []
        self._spoken = False  # whether anything is said in what waits

    def read(self, log_probs: LogProbs, *, ends: bool) -> list[Reading]:
        """Read the next piece (S, V); gives the readings of all pieces that this settles, in order.

        Args:
            log_probs: of the piece, which ends in a pause or with the recording.
            ends: whether the recording ends with it, which settles all.
        """
        announce_compiling(compiled_search)
        spoken = bool((log_probs.argmax(axis=1) != self._decoder.vocabulary.blank_id).any())
        if self._held_frames and self._spoken and spoken:
            known = self._beam.result(self._decoder.config.beam if self._num_best > 1 else 1, ends=False)
            self._beam.feed(log_probs)
            settled, self._spoken = self._settle_before(log_probs, known, ends=ends), False
        else:
            self._beam.feed(log_probs)
            settled = []
        self._waiting.append(log_probs)
        self._spoken |= spoken
        if ends or sum(map(len, self._waiting)) > self._held_frames:
            settled += self._settle_all(ends=ends)
        return settled

    def _settle_before(self, log_probs: LogProbs, known: BeamResult, *, ends: bool) -> list[Reading]:
        """Settle what waits, now that the piece behind it was heard; `known` is what was read before."""
        result = self._beam.result(ends=ends)
        best = result.hypotheses[0].tokens
        num_frames = sum(map(len, self._waiting))
        aligned = self._aligned([*self._waiting, log_probs], best)
        spans = [span for span in aligned if span.start_frame < num_frames]
        tokens = best[: len(spans)]
        text = self._decoder.vocabulary.decode(tokens)
        texts = [self._decoder.vocabulary.decode(each.tokens) for each in known.hypotheses]
        place = texts.index(text) if text in texts else 0
        chosen = known.hypotheses[place]
        others = known.hypotheses[:place] + known.hypotheses[place + 1 :]
        first, *rest = self._alternatives([chosen, *others[: self._num_best - 1]])
        self._beam.settle(tokens)
        self._before = chosen.total, chosen.acoustic, chosen.language
        return self._readings(spans, (replace(first, text=text), *rest), result.reached)

    def _settle_all(self, *, ends: bool) -> list[Reading]:
        """Settle what waits by what is known of it."""
        result = self._beam.result(self._num_best, ends=ends)
        best = result.hypotheses[0]
        alternatives = self._alternatives(result.hypotheses)
        self._beam.settle()
        self._before = best.total, best.acoustic, best.language
        self._spoken = False
        return self._readings(self._aligned(self._waiting, best.tokens), alternatives, result.reached)

    def _aligned(self, pieces: Sequence[LogProbs], tokens: Sequence[int]) -> Sequence[TokenSpan]:
        log_probs = np.concatenate(pieces)
        return align(log_probs, tokens, self._decoder.vocabulary.blank_id).spans if len(log_probs) else ()

    def _readings(
        self, spans: Sequence[TokenSpan], alternatives: tuple[Alternative, ...], reached: tuple[bool, ...]
    ) -> list[Reading]:
        """Part what was found by the pieces that waited; the first has the alternatives of all."""
        found: list[Reading] = []
        start = 0
        for piece in self._waiting:
            end = start + len(piece)
            ours = tuple(
                replace(
                    span, start_frame=span.start_frame - start, end_frame=min(span.end_frame, end) - start
                )
                for span in spans
                if start <= span.start_frame < end
            )
            found.append(Reading(ours, () if found else alternatives, reached))
            start = end
        self._waiting = []
        return found

    def _alternatives(self, hypotheses: Sequence[Hypothesis]) -> tuple[Alternative, ...]:
        total, acoustic, language = self._before
        return tuple(
            Alternative(
                text=self._decoder.vocabulary.decode(each.tokens),
                total=round(each.total - total, 4),
                acoustic=round(each.acoustic - acoustic, 4),
                language=round(each.language - language, 4),
            )
            for each in hypotheses
        )


@dataclass(frozen=True, slots=True)
class _Phrase:
    given: str
    text: str
    weight: float

    @classmethod
    def parse(cls, given: str, normalizer: str, letter_weight: float) -> Self:
        """Read "phrase" or "phrase=weight".

        Raises:
            ConfigError: when the weight is no positive number, or nothing is left of the phrase.
        """
        phrase, sign, weight = given.rpartition("=") if "=" in given else (given, "", "")
        text = normalize(phrase, normalizer)
        if not text:
            raise ConfigError(f"hotword {given!r} has no letters", remedy="Give a word, or word=WEIGHT")
        try:
            value = float(weight) if sign else letter_weight * len(text.replace(" ", ""))
        except ValueError:
            value = -1.0
        if not 0 < value <= 1000:
            raise ConfigError(
                f"hotword {given!r}: {weight!r} is no weight", remedy="A weight is a number above 0, to 1000"
            )
        return cls(phrase, text, value)


def _joined(readings: Sequence[Reading]) -> tuple[Alternative, ...]:
    """Join the segments' texts of equal rank; a segment with fewer gives its last."""
    segments = [each.alternatives for each in readings if each.alternatives]
    num_ranks = max(map(len, segments), default=0)
    ranks = [[each[min(rank, len(each) - 1)] for each in segments] for rank in range(num_ranks)]
    return tuple(
        Alternative(
            text=" ".join(each.text for each in rank if each.text),
            total=sum(each.total for each in rank),
            acoustic=sum(each.acoustic for each in rank),
            language=sum(each.language for each in rank),
        )
        for rank in ranks
    )


def _outcome(phrase: str, text: str, reached: bool) -> HotwordOutcome:
    if f" {phrase} " in f" {text} ":
        return "written"
    return "in reach" if reached else "never in reach"


def _can_write(encode: Callable[[str], list[int]], text: str) -> bool:
    try:
        encode(text)
    except TextError:
        return False
    return True
