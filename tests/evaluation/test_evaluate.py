"""Evaluation scores every utterance once, in the manifest's order, and goes on past bad ones."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ConfigError, MissingDependencyError, TextError
from linnet.evaluation import evaluate as evaluate_module
from linnet.evaluation.evaluate import evaluate
from linnet.evaluation.options import EvaluationOptions
from linnet.manifest.utterance import Utterance
from linnet.metrics.error_rate import ErrorCounts

MakeRecognizer = Callable[..., Any]
WriteUtterance = Callable[..., Utterance]


def test_counts_of_a_small_manifest(make_recognizer: MakeRecognizer, write_utterance: WriteUtterance) -> None:
    recognizer = make_recognizer("one two", "three four five", "six")
    utterances = [
        write_utterance(0, "One, two!", duration_s=0.2),
        write_utterance(1, "three for", duration_s=0.1),
        write_utterance(2, "six", duration_s=0.3),
    ]
    report = evaluate(recognizer, utterances)
    assert [result.utterance for result in report.results] == utterances
    assert [result.hypothesis for result in report.results] == ["one two", "three four five", "six"]
    assert report.words == ErrorCounts(1, 0, 1, 5)
    assert report.characters == ErrorCounts(0, 0, 6, 19)
    assert report.raw_words == ErrorCounts(3, 0, 1, 5)
    assert (report.model, report.normalizer, report.normalizer_version) == ("loudness", "basic", "1")
    assert report.audio_s == pytest.approx(0.6)
    assert 0 <= report.interval.low < report.words.rate < report.interval.high
    assert (report.interval.over, report.interval.num_drawn) == ("utterance", 3)
    assert report.failures == ()


def test_batches_are_sorted_and_bounded_by_their_padded_length(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    durations_s = [0.4, 0.1, 0.2, 0.9, 0.1, 0.3]
    recognizer = make_recognizer(*(str(number) for number in range(6)))
    utterances = [
        write_utterance(number, str(number), duration_s=duration_s)
        for number, duration_s in enumerate(durations_s)
    ]
    report = evaluate(recognizer, utterances, EvaluationOptions(batch_s=0.65))
    assert recognizer.batches == [[800, 800, 1600], [2400], [3200], [7200]]
    assert report.words == ErrorCounts(reference_length=6)
    assert [result.utterance for result in report.results] == utterances


def test_progress_reaches_the_end(make_recognizer: MakeRecognizer, write_utterance: WriteUtterance) -> None:
    utterances = [write_utterance(number, "a", duration_s=0.1 + number / 100) for number in range(3)]
    calls: list[tuple[int, int]] = []
    evaluate(
        make_recognizer("a", "a", "a"),
        utterances,
        EvaluationOptions(batch_s=0.1),
        lambda done, total: calls.append((done, total)),
    )
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_bad_audio_is_listed_and_the_rest_goes_on(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance, tmp_path: Path
) -> None:
    good = write_utterance(0, "one")
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"this is no recording at all")
    bad = replace(good, audio=str(noise))
    absent = replace(good, audio=str(tmp_path / "absent.wav"))
    silent = replace(good, text=None)
    report = evaluate(make_recognizer("one"), [bad, good, absent, silent])
    assert [result.utterance for result in report.results] == [good]
    assert [failure.utterance for failure in report.failures] == [bad, absent, silent]
    assert "noise.wav" in report.failures[0].reason
    assert "no text" in report.failures[2].reason
    assert report.words == ErrorCounts(reference_length=1)


def test_audio_that_needs_an_extra_is_listed(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise MissingDependencyError("reading m4a files needs av")

    monkeypatch.setattr(evaluate_module, "read_audio", refuse)
    report = evaluate(make_recognizer("one"), [write_utterance(0, "one")])
    assert [failure.reason for failure in report.failures] == ["reading m4a files needs av"]


def test_only_the_stretch_of_an_utterance_is_read(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    recognizer = make_recognizer("one")
    stretch = replace(write_utterance(0, "one", duration_s=1.0), offset_s=0.5, duration_s=0.25)
    assert evaluate(recognizer, [stretch]).audio_s == pytest.approx(0.25)
    assert recognizer.batches == [[2000]]


def test_words_where_nothing_was_said_are_insertions(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    report = evaluate(make_recognizer("uh", "one"), [write_utterance(0, ""), write_utterance(1, "one")])
    assert report.words == ErrorCounts(0, 0, 1, 1)
    assert report.failures == ()


@pytest.mark.parametrize("text", ["", None])
def test_a_manifest_without_any_reference_has_no_rate(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance, text: str | None
) -> None:
    report = evaluate(make_recognizer("uh"), [write_utterance(0, text)])
    assert report.words.reference_length == 0
    assert math.isnan(report.interval.low)


def test_an_empty_manifest_is_an_empty_report(make_recognizer: MakeRecognizer) -> None:
    report = evaluate(make_recognizer(), [])
    assert (report.results, report.failures) == ((), ())


def test_another_normalizer_can_be_chosen(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    report = evaluate(
        make_recognizer("one"), [write_utterance(0, "One")], EvaluationOptions(normalizer="none")
    )
    assert report.words == report.raw_words == ErrorCounts(1, 0, 0, 1)
    assert report.normalizer == "none"


def test_an_unknown_normalizer_is_refused_before_any_work(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    recognizer = make_recognizer("one")
    with pytest.raises(TextError, match="basc"):
        evaluate(recognizer, [write_utterance(0, "one")], EvaluationOptions(normalizer="basc"))
    assert recognizer.batches == []


def test_the_interval_over_speakers_draws_speakers(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    utterances = [write_utterance(number, "one", speaker="ab"[number % 2]) for number in range(4)]
    options = EvaluationOptions(interval_over="speaker")
    interval = evaluate(make_recognizer("one", "won", "one", "won"), utterances, options).interval
    assert (interval.over, interval.num_drawn, interval.low, interval.high) == ("speaker", 2, 0.0, 1.0)


def test_the_interval_over_speakers_needs_every_speaker(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    utterances = [write_utterance(0, "one", speaker="a"), write_utterance(1, "one")]
    with pytest.raises(ConfigError, match=r"1 of 2 utterances name no speaker.*1\.wav"):
        evaluate(make_recognizer("one", "one"), utterances, EvaluationOptions(interval_over="speaker"))


def test_the_interval_repeats_with_its_seed(
    make_recognizer: MakeRecognizer, write_utterance: WriteUtterance
) -> None:
    texts = ["one two three", "one two", "two", "three"]
    utterances = [write_utterance(number, "one two three") for number in range(4)]
    intervals = [
        evaluate(make_recognizer(*texts), utterances, EvaluationOptions(seed=seed)).interval
        for seed in (1, 1)
    ]
    assert intervals[0] == intervals[1]
