"""Texts for recordings that have none: what a recognizer is sure to hear (self-training).

A model taught with its own labels learns what the search and the language model know and it does not
(Kahn et al. 2020, arXiv:1909.09116). Wrong labels teach errors, so the unsure recordings are left out.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from linnet.audio.read import read_audio
from linnet.core.errors import LinnetError, ManifestError
from linnet.core.protocols import SpeechRecognizer
from linnet.corpora.entry import Skipped
from linnet.corpora.report import PrepareReport, check_free, write_parts
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance

MIN_WORDS_PER_S, MAX_WORDS_PER_S = 0.5, 5.0

_PART = "train"


def prepare_pseudo_labels(
    manifest: Path,
    output: Path,
    recognizer: SpeechRecognizer,
    *,
    min_confidence: float = 0.8,
    force: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> PrepareReport:
    """Write `train.jsonl` with the texts that `recognizer` hears, each with its confidence beside it.

    Args:
        manifest: recordings; a text that they have is passed over.
        output: the directory for the manifest.
        recognizer: what hears; best with a search and a language model.
        min_confidence: recordings are left out below this mean confidence of their words, or with fewer than
            one word in two seconds or more than five in one.
        force: replace a manifest that exists.
        progress: called with the fraction that is done.

    Raises:
        ManifestError: when no recording is heard so surely, or the manifest exists and `force` is not given.
    """
    check_free(output, (_PART,), force=force)
    recordings = read_manifest(manifest)
    labelled: list[Utterance] = []
    skipped: list[Skipped] = []
    for index, utterance in enumerate(recordings):
        try:
            labelled.append(_label(utterance, recognizer, min_confidence))
        except LinnetError as error:
            skipped.append(Skipped(utterance.audio, error.what))
        progress((index + 1) / len(recordings))
    if not labelled:
        raise ManifestError(
            f"none of {len(recordings)} recordings was heard with a confidence of {min_confidence:g}",
            where=str(manifest),
            remedy="Lower --threshold, or take a better model or a language model",
        )
    labelled.sort(key=lambda each: -each.extra["confidence"])
    return PrepareReport(write_parts(output, {_PART: labelled}), tuple(skipped))


def _label(utterance: Utterance, recognizer: SpeechRecognizer, min_confidence: float) -> Utterance:
    samples = read_audio(
        utterance.audio,
        sample_rate_hz=recognizer.sample_rate_hz,
        offset_s=utterance.offset_s,
        duration_s=utterance.duration_s,
    )
    (heard,) = recognizer.transcribe_samples([samples])
    rate = len(heard.words) / utterance.duration_s
    if not MIN_WORDS_PER_S <= rate <= MAX_WORDS_PER_S:
        raise ManifestError(f"{rate:.1f} words a second were heard")
    confidence = sum(word.confidence for word in heard.words) / len(heard.words)
    if confidence < min_confidence:
        raise ManifestError(f"heard with a confidence of {confidence:.2f}")
    return replace(utterance, text=heard.text, extra={**utterance.extra, "confidence": round(confidence, 3)})
