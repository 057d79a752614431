"""The report: the ten worst in order, and a dictionary that JSON can carry."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from linnet.core.results import Transcript, Word
from linnet.evaluation.report import EvaluationReport, Failure, Interval, UtteranceResult
from linnet.manifest.utterance import Utterance
from linnet.metrics.error_rate import character_errors, word_errors

INTERVAL = Interval(low=0.1, high=0.3, level=0.95, over="utterance", num_drawn=3, num_resamples=100, seed=0)


def result(audio: str, reference: str, hypothesis: str) -> UtteranceResult:
    return UtteranceResult(
        utterance=Utterance(audio=audio, duration_s=2.0, text=reference, speaker="s"),
        transcript=Transcript(text=hypothesis, words=(), duration_s=2.0, model="m"),
        reference=reference,
        hypothesis=hypothesis,
        words=word_errors(reference, hypothesis),
        characters=character_errors(reference, hypothesis),
        raw_words=word_errors(reference, hypothesis),
    )


def report(*results: UtteranceResult, **changes: Any) -> EvaluationReport:
    values: dict[str, Any] = {
        "model": "m",
        "normalizer": "basic",
        "normalizer_version": "1",
        "results": results,
        "failures": (Failure(utterance=Utterance(audio="x.wav", duration_s=1.0, text="a"), reason="empty"),),
        "interval": INTERVAL,
        "recognition_s": 0.5,
        "num_worst": 10,
    }
    return EvaluationReport(**values | changes)


def test_the_worst_have_the_most_errors_then_the_fewest_words() -> None:
    right = result("right", "a b", "a b")
    one_of_three = result("one of three", "a b c", "a b x")
    one_of_one = result("one of one", "a", "x")
    two = result("two", "a b c d", "a b")
    found = report(right, one_of_three, one_of_one, two)
    assert found.worst == (two, one_of_one, one_of_three)
    assert report(one_of_three, two, num_worst=1).worst == (two,)


def test_the_dictionary_has_the_documented_keys() -> None:
    found = json.loads(json.dumps(report(result("a.wav", "a b", "a c d")).to_dict(), allow_nan=False))
    assert found == {
        "schema_version": 1,
        "model": "m",
        "normalizer": {"name": "basic", "version": "1"},
        "num_utterances": 1,
        "num_failed": 1,
        "audio_s": 2.0,
        "recognition_s": 0.5,
        "rtfx": 4.0,
        "words": {"rate": 1.0, "substitutions": 1, "deletions": 0, "insertions": 1, "reference_length": 2},
        "characters": {
            "rate": pytest.approx(1.0),
            "substitutions": 1,
            "deletions": 0,
            "insertions": 2,
            "reference_length": 3,
        },
        "raw_words": {
            "rate": 1.0,
            "substitutions": 1,
            "deletions": 0,
            "insertions": 1,
            "reference_length": 2,
        },
        "interval": {
            "low": 0.1,
            "high": 0.3,
            "level": 0.95,
            "over": "utterance",
            "num_drawn": 3,
            "num_resamples": 100,
            "seed": 0,
        },
        "confidence": {"error": None, "ranking": None, "num_words": 0, "num_right": 0, "num_bins": 10},
        "worst": [
            {
                "audio": "a.wav",
                "offset_s": 0.0,
                "duration_s": 2.0,
                "speaker": "s",
                "reference": "a b",
                "hypothesis": "a c d",
                "words": {
                    "rate": 1.0,
                    "substitutions": 1,
                    "deletions": 0,
                    "insertions": 1,
                    "reference_length": 2,
                },
                "alignment": found["worst"][0]["alignment"],
            }
        ],
        "failures": [{"audio": "x.wav", "offset_s": 0.0, "reason": "empty"}],
    }
    assert sorted(column[0] for column in found["worst"][0]["alignment"]) == [
        "insertion",
        "match",
        "substitution",
    ]


def heard(reference: str, *words: tuple[str, float]) -> UtteranceResult:
    found = result("a.wav", reference, " ".join(text for text, _ in words).lower())
    spoken = tuple(Word(text=text, start_s=0.0, end_s=0.1, confidence=sure) for text, sure in words)
    return replace(found, transcript=replace(found.transcript, words=spoken))


def test_words_are_judged_by_the_alignment() -> None:
    found = report(heard("a b c", ("A", 0.9), ("x", 0.4), ("c", 0.8), ("d", 0.3)))
    assert found.judged_words() == ([0.9, 0.4, 0.8, 0.3], [True, False, True, False])
    assert found.calibration.ranking == 1.0
    assert found.calibration.error == pytest.approx((0.1 + 0.4 + 0.2 + 0.3) / 4)


def test_an_utterance_whose_words_a_normalizer_joins_is_not_judged() -> None:
    joined = replace(heard("a b", ("a", 0.9), ("b", 0.9)), hypothesis="ab")
    assert report(joined, heard("c", ("c", 0.7))).judged_words() == ([0.7], [True])


def test_every_key_is_documented() -> None:
    documented = EvaluationReport.to_dict.__doc__ or ""
    assert [key for key in report().to_dict() if key not in documented] == []


def test_what_cannot_be_divided_is_null() -> None:
    unknown = Interval(
        low=math.nan, high=math.nan, level=0.95, over="speaker", num_drawn=1, num_resamples=10, seed=0
    )
    found = report(result("a.wav", "", "uh"), interval=unknown, recognition_s=0.0).to_dict()
    assert json.dumps(found, allow_nan=False)
    assert found["words"]["rate"] is None
    assert found["interval"]["low"] is None
    assert found["rtfx"] is None
