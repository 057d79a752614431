"""What an evaluation finds: results of utterances, totals, and the recipe that makes them comparable."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from linnet.core.results import Transcript
from linnet.manifest.utterance import Utterance
from linnet.metrics.alignment import Alignment, align
from linnet.metrics.calibration import NUM_BINS, Calibration, calibration
from linnet.metrics.error_rate import ErrorCounts
from linnet.metrics.speed import inverse_real_time_factor
from linnet.text.normalize import normalize

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceResult:
    """One utterance, recognized and scored.

    Attributes:
        utterance: the line of the manifest.
        transcript: what the recognizer gave, as it gave it.
        reference: the normalized reference.
        hypothesis: the normalized text of the transcript.
        words: errors between the two in words.
        characters: errors between the two in characters.
        raw_words: errors in words without any normalization.
    """

    utterance: Utterance
    transcript: Transcript
    reference: str
    hypothesis: str
    words: ErrorCounts
    characters: ErrorCounts
    raw_words: ErrorCounts

    def align(self) -> Alignment:
        """Align the words of the reference and the hypothesis."""
        return align(self.reference.split(), self.hypothesis.split())

    def judge(self, normalizer: str) -> list[tuple[float, bool]]:
        """Give each recognized word's confidence, and whether it is right where the alignment has it.

        Empty where the normalizer joins words of the transcript, so that their confidences have no word.
        """
        texts = [(normalize(word.text, normalizer).split(), word) for word in self.transcript.words]
        confidences = [word.confidence for parts, word in texts for _ in parts]
        if [part for parts, _ in texts for part in parts] != self.hypothesis.split():
            return []
        right = [op == "match" for op, _, hypothesis in self.align().ops if hypothesis is not None]
        return list(zip(confidences, right, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the scores and the aligned words, ready for JSON."""
        return {
            "audio": self.utterance.audio,
            "offset_s": self.utterance.offset_s,
            "duration_s": self.utterance.duration_s,
            "speaker": self.utterance.speaker,
            "reference": self.reference,
            "hypothesis": self.hypothesis,
            "words": _rate_to_dict(self.words),
            "alignment": [list(column) for column in self.align().ops],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An utterance that could not be scored, and why."""

    utterance: Utterance
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A bootstrap interval of the word error rate.

    Attributes:
        low: lower end as a rate; NaN when it cannot be estimated.
        high: upper end.
        level: the part of the drawn test sets that lies inside.
        over: what was drawn, "utterance" or "speaker".
        num_drawn: how many of those there are.
        num_resamples: how many test sets were drawn.
        seed: seed of the drawing.
    """

    low: float
    high: float
    level: float
    over: str
    num_drawn: int
    num_resamples: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """What an evaluation found.

    Attributes:
        model: name of the model.
        normalizer: name of the normalizer of references and hypotheses.
        normalizer_version: its version; rates of different versions cannot be compared.
        results: the scored utterances, in the order of the manifest.
        failures: the utterances left out, in the order of the manifest.
        interval: confidence interval of the word error rate.
        recognition_s: wall time of the recognizer, without reading and resampling audio.
        num_worst: how many utterances `worst` gives.
    """

    model: str
    normalizer: str
    normalizer_version: str
    results: tuple[UtteranceResult, ...]
    failures: tuple[Failure, ...]
    interval: Interval
    recognition_s: float
    num_worst: int

    @property
    def words(self) -> ErrorCounts:
        """Errors in words of all utterances together."""
        return _total(result.words for result in self.results)

    @property
    def characters(self) -> ErrorCounts:
        """Errors in characters of all utterances together."""
        return _total(result.characters for result in self.results)

    @property
    def raw_words(self) -> ErrorCounts:
        """Errors in words without normalization: what formatting adds is the difference to `words`."""
        return _total(result.raw_words for result in self.results)

    def judged_words(self) -> tuple[list[float], list[bool]]:
        """Give the confidences of all recognized words, and which of the words are right."""
        judged = [each for result in self.results for each in result.judge(self.normalizer)]
        return [confidence for confidence, _ in judged], [right for _, right in judged]

    @cached_property
    def calibration(self) -> Calibration:
        """How well the confidences foretell which words are right."""
        return calibration(*self.judged_words())

    @property
    def audio_s(self) -> float:
        """Seconds of audio that were recognized."""
        return sum(result.transcript.duration_s for result in self.results)

    @property
    def inverse_real_time_factor(self) -> float:
        """RTFx: seconds of audio recognized in a second."""
        return inverse_real_time_factor(self.audio_s, self.recognition_s)

    @property
    def worst(self) -> tuple[UtteranceResult, ...]:
        """The utterances with the most word errors (of as many errors, the shortest reference first)."""
        wrong = [result for result in self.results if result.words.errors]
        wrong.sort(key=lambda result: (-result.words.errors, result.words.reference_length))
        return tuple(wrong[: self.num_worst])

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON.

        Rates are parts of 1, and null where there is nothing to divide by. The keys:

            schema_version  1; it grows when a key changes its meaning or goes
            model           name of the model
            normalizer      {name, version}
            num_utterances, num_failed, audio_s, recognition_s, rtfx
            words           {rate, substitutions, deletions, insertions, reference_length}
            characters      the same in characters
            raw_words       the same in words, without normalization
            interval        {low, high, level, over, num_drawn, num_resamples, seed} of words.rate
            confidence      {error: the ECE, ranking, num_words, num_right, num_bins}
            worst           a list of {audio, offset_s, duration_s, speaker, reference, hypothesis, words,
                            alignment: a list of [op, reference word or null, hypothesis word or null]}
            failures        a list of {audio, offset_s, reason}

        The command line adds `manifest`, `manifest_problems` (the messages about lines it could not read) and
        `decoding` (how the texts were found).
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "model": self.model,
            "normalizer": {"name": self.normalizer, "version": self.normalizer_version},
            "num_utterances": len(self.results),
            "num_failed": len(self.failures),
            "audio_s": self.audio_s,
            "recognition_s": self.recognition_s,
            "rtfx": _finite_or_none(self.inverse_real_time_factor),
            "words": _rate_to_dict(self.words),
            "characters": _rate_to_dict(self.characters),
            "raw_words": _rate_to_dict(self.raw_words),
            "interval": asdict(self.interval)
            | {"low": _finite_or_none(self.interval.low), "high": _finite_or_none(self.interval.high)},
            "confidence": asdict(self.calibration) | {"num_bins": NUM_BINS},
            "worst": [result.to_dict() for result in self.worst],
            "failures": [
                {
                    "audio": failure.utterance.audio,
                    "offset_s": failure.utterance.offset_s,
                    "reason": failure.reason,
                }
                for failure in self.failures
            ],
        }


def _total(counts: Iterable[ErrorCounts]) -> ErrorCounts:
    return sum(counts, start=ErrorCounts())


def _rate_to_dict(counts: ErrorCounts) -> dict[str, Any]:
    return {"rate": counts.rate if counts.reference_length else None, **asdict(counts)}


def _finite_or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
