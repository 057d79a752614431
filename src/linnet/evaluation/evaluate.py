"""Run a recognizer over the utterances of a manifest and score it."""

import time
from collections.abc import Callable, Iterator, Sequence

from linnet.audio.read import read_audio
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError, ConfigError, MissingDependencyError
from linnet.core.protocols import SpeechRecognizer
from linnet.core.results import Transcript
from linnet.evaluation.options import EvaluationOptions
from linnet.evaluation.report import EvaluationReport, Failure, Interval, UtteranceResult
from linnet.manifest.utterance import Utterance
from linnet.metrics.bootstrap import bootstrap_interval
from linnet.metrics.error_rate import character_errors, word_errors
from linnet.text.normalize import normalize, normalizer_version

INTERVAL_LEVEL = 0.95

Progress = Callable[[int, int], None]


def evaluate(
    recognizer: SpeechRecognizer,
    utterances: Sequence[Utterance],
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
) -> EvaluationReport:
    """Recognize every utterance and compare with its reference.

    An utterance without a reference or with unreadable audio goes to the failures, and the rest goes on. One
    whose reference is empty (nothing was said) counts: what is recognized there is inserted.

    Args:
        recognizer: the model.
        utterances: what to recognize, in any order; batches are made of similar lengths.
        options: what can be chosen (default: the default of each).
        progress: called after each batch with the number of utterances done and of all.

    Raises:
        ConfigError: when the interval is wanted over speakers and an utterance names none.
        TextError: when there is no such normalizer.
    """
    options = options or EvaluationOptions()
    name = recognizer.normalizer if options.normalizer is None else options.normalizer
    version = normalizer_version(name)
    if options.interval_over == "speaker":
        _check_speakers(utterances)
    outcomes: dict[int, UtteranceResult | Failure] = {}
    recognition_s = 0.0
    for batch in _batches(utterances, options.batch_s):
        loaded = {index: load_samples(utterances[index], recognizer.sample_rate_hz) for index in batch}
        outcomes |= {index: failure for index, failure in loaded.items() if isinstance(failure, Failure)}
        waveforms = {index: found for index, found in loaded.items() if not isinstance(found, Failure)}
        started_s = time.perf_counter()
        transcripts = recognizer.transcribe_samples(list(waveforms.values())) if waveforms else []
        recognition_s += time.perf_counter() - started_s
        for index, transcript in zip(waveforms, transcripts, strict=True):
            outcomes[index] = _score(utterances[index], transcript, name)
        if progress:
            progress(len(outcomes), len(utterances))
    in_order = [outcomes[index] for index in range(len(utterances))]
    results = tuple(outcome for outcome in in_order if isinstance(outcome, UtteranceResult))
    return EvaluationReport(
        model=recognizer.name,
        normalizer=name,
        normalizer_version=version,
        results=results,
        failures=tuple(outcome for outcome in in_order if isinstance(outcome, Failure)),
        interval=_interval(results, options),
        recognition_s=recognition_s,
        num_worst=options.num_worst,
    )


def _check_speakers(utterances: Sequence[Utterance]) -> None:
    nameless = [utterance for utterance in utterances if not utterance.speaker]
    if nameless:
        raise ConfigError(
            f"{len(nameless)} of {len(utterances)} utterances name no speaker, first {nameless[0].audio}",
            where="interval over speakers",
            remedy="Add 'speaker' to each line of the manifest, or take the interval over utterances",
        )


def _batches(utterances: Sequence[Utterance], batch_s: float) -> Iterator[list[int]]:
    """Give the indices of batches of similar durations that last at most `batch_s`, padding included."""
    batch: list[int] = []
    for index in sorted(range(len(utterances)), key=lambda index: utterances[index].duration_s):
        if batch and (len(batch) + 1) * utterances[index].duration_s > batch_s:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def load_samples(utterance: Utterance, sample_rate_hz: int) -> Samples | Failure:
    """Read the recording of an utterance, or say why it cannot be scored."""
    if utterance.text is None:
        return Failure(utterance=utterance, reason="the manifest gives no text to compare with")
    try:
        return read_audio(
            utterance.audio,
            sample_rate_hz=sample_rate_hz,
            offset_s=utterance.offset_s,
            duration_s=utterance.duration_s,
        )
    except (AudioError, MissingDependencyError) as error:
        return Failure(utterance=utterance, reason=str(error))


def _score(utterance: Utterance, transcript: Transcript, normalizer: str) -> UtteranceResult:
    assert utterance.text is not None
    reference, hypothesis = normalize(utterance.text, normalizer), normalize(transcript.text, normalizer)
    return UtteranceResult(
        utterance=utterance,
        transcript=transcript,
        reference=reference,
        hypothesis=hypothesis,
        words=word_errors(reference, hypothesis),
        characters=character_errors(reference, hypothesis),
        raw_words=word_errors(utterance.text, transcript.text),
    )


def _interval(results: Sequence[UtteranceResult], options: EvaluationOptions) -> Interval:
    over_speakers = options.interval_over == "speaker"
    speakers = [result.utterance.speaker for result in results] if over_speakers else None
    low, high = bootstrap_interval(
        [result.words for result in results],
        speakers,
        num_resamples=options.num_resamples,
        seed=options.seed,
        level=INTERVAL_LEVEL,
    )
    return Interval(
        low=low,
        high=high,
        level=INTERVAL_LEVEL,
        over=options.interval_over,
        num_drawn=len(results) if speakers is None else len(set(speakers)),
        num_resamples=options.num_resamples,
        seed=options.seed,
    )
