"""Single digits cut out of recorded digit strings, where a recognizer hears them.

Cuts lie at the quietest place between two words that the recognizer found. A piece is kept only when it
reads the string as it was said, and then the piece alone as its digit: what is kept is less, but right.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from linnet.audio.read import read_audio
from linnet.core.arrays import Samples
from linnet.core.errors import LinnetError, ManifestError
from linnet.core.protocols import SpeechRecognizer
from linnet.core.results import Word
from linnet.corpora.clip_shaping import FRAME_SAMPLES, SAMPLE_RATE_HZ, speech_span
from linnet.corpora.entry import Skipped
from linnet.corpora.number_text import DIGIT_WORDS
from linnet.corpora.report import PrepareReport, check_free, write_parts
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance

MIN_PIECE_S, MAX_PIECE_S = 0.15, 1.2
SMOOTHING_FRAMES = 5
SURROUNDING_SAMPLES = SAMPLE_RATE_HZ // 5  # of near silence around a piece that is heard alone
SURROUNDING_LEVEL = 1e-4

_PART = "train"


@dataclass(frozen=True, slots=True)
class _Piece:
    word: str
    start: int
    stop: int


def prepare_cut_digits(
    manifest: Path,
    output: Path,
    recognizer: SpeechRecognizer,
    *,
    force: bool = False,
    progress: Callable[[float], None] = lambda fraction: None,
) -> PrepareReport:
    """Write `train.jsonl` of single digits, each a stretch of a recording of `manifest`; no audio is written.

    Args:
        manifest: recordings; those whose text is not a string of two or more digits are passed over.
        output: the directory for the manifest.
        recognizer: what hears where the digits lie.
        force: replace a manifest that exists.
        progress: called with the fraction that is done.

    Raises:
        ManifestError: when no digit could be cut, or the manifest exists and `force` is not given.
    """
    check_free(output, (_PART,), force=force)
    strings = [utterance for utterance in read_manifest(manifest) if _is_string(utterance)]
    cut: list[Utterance] = []
    skipped: list[Skipped] = []
    for index, utterance in enumerate(strings):
        try:
            cut += _cut(utterance, recognizer)
        except LinnetError as error:
            skipped.append(Skipped(utterance.audio, error.what))
        progress((index + 1) / len(strings))
    if not cut:
        raise ManifestError(
            f"no digit could be cut out of {len(strings)} digit strings",
            where=str(manifest),
            remedy=f"Give recordings whose texts are two or more of: {', '.join(DIGIT_WORDS)}",
        )
    return PrepareReport(write_parts(output, {_PART: cut}), tuple(skipped))


def _is_string(utterance: Utterance) -> bool:
    words = (utterance.text or "").split()
    return len(words) > 1 and set(words) <= set(DIGIT_WORDS)


def _cut(utterance: Utterance, recognizer: SpeechRecognizer) -> Iterator[Utterance]:
    samples = read_audio(utterance.audio, offset_s=utterance.offset_s, duration_s=utterance.duration_s)
    (heard,) = recognizer.transcribe_samples([samples])
    if heard.text != utterance.text:
        raise ManifestError(f"{utterance.text!r} was heard as {heard.text!r}")
    pieces = list(_pieces(samples, heard.words))
    alone = recognizer.transcribe_samples([_surrounded(samples[each.start : each.stop]) for each in pieces])
    for piece, transcript in zip(pieces, alone, strict=True):
        duration_s = (piece.stop - piece.start) / SAMPLE_RATE_HZ
        if transcript.text == piece.word and MIN_PIECE_S <= duration_s <= MAX_PIECE_S:
            yield Utterance(
                utterance.audio,
                round(duration_s, 4),
                piece.word,
                offset_s=round(utterance.offset_s + piece.start / SAMPLE_RATE_HZ, 4),
                speaker=utterance.speaker,
            )


def _pieces(samples: Samples, words: Sequence[Word]) -> Iterator[_Piece]:
    """Cut between neighbors where the sound is quietest, and trim the silence off each piece."""
    num_frames = len(samples) // FRAME_SAMPLES
    frames = samples[: num_frames * FRAME_SAMPLES].reshape(num_frames, FRAME_SAMPLES)
    energy = np.square(frames, dtype=np.float64).mean(axis=1)
    energy = np.convolve(energy, np.ones(SMOOTHING_FRAMES), "same")
    cuts = [0]
    for left, right in pairwise(words):
        start, stop = (
            round(time_s * SAMPLE_RATE_HZ) // FRAME_SAMPLES for time_s in (left.end_s, right.start_s)
        )
        start = min(start, num_frames - 1)
        cuts.append((start + int(np.argmin(energy[start : max(stop, start) + 1]))) * FRAME_SAMPLES)
    for word, (start, stop) in zip(words, pairwise([*cuts, len(samples)]), strict=True):
        speech = speech_span(samples[start:stop])
        yield _Piece(word.text, start + speech.start, start + speech.stop)


def _surrounded(samples: Samples) -> Samples:
    padded = np.pad(samples, SURROUNDING_SAMPLES)
    noise = np.random.default_rng(0).standard_normal(len(padded), dtype=np.float32)
    return padded + noise * np.float32(SURROUNDING_LEVEL)
