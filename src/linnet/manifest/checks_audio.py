"""Checks of the recordings of a manifest: by their headers, and by decoding them."""

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from linnet.audio.decoder import AudioInfo
from linnet.audio.inspection import SoundStatistics, inspect_sound, missing_bytes
from linnet.audio.read import audio_info
from linnet.core.errors import LinnetError
from linnet.manifest.findings import Finding, Line, found

TOLERANCE = 0.02  # of a duration or a sample rate
TOLERANCE_S = 0.02  # of a duration, whatever its length: encoders pad to whole frames
SILENT_BELOW = 1e-3  # of full scale: -60 dB
CLIPPED_FROM_SHARE = 1e-3  # of the samples

RATE_NAMES = ("sample_rate", "sampling_rate", "samplerate", "sample_rate_hz")

_CHUNK = 32  # items a worker process takes at a time

Progress = Callable[[int, int], None]  # done, of how many
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of a recording says, or why it cannot be read.

    Attributes:
        info: None when it cannot be read.
        problem: why it cannot be read, with its remedy.
        lacking_bytes: bytes that a WAV header promises and the file lacks.
    """

    info: AudioInfo | None
    problem: tuple[str, str] = ("", "")
    lacking_bytes: int = 0


def read_headers(lines: Sequence[Line], workers: int, progress: Progress) -> dict[str, Header]:
    """Read the header of each recording once.

    Args:
        lines: the lines that name them.
        workers: processes that read; below 2, this process does.
        progress: called as the recordings are done.
    """
    names = list(dict.fromkeys(line.utterance.audio for line in lines))
    return dict(zip(names, _mapped(_read_header, names, workers, progress), strict=True))


def check_headers(lines: Sequence[Line], headers: dict[str, Header]) -> list[Finding]:
    """Compare the lines of a manifest with the headers of their recordings."""
    # Where lines have offsets, a line at the start of a recording may be a stretch of it like the others.
    in_stretches = any(line.utterance.offset_s for line in lines)
    uses = Counter(line.utterance.audio for line in lines)
    return [
        finding
        for line in lines
        for finding in _check_header(
            line, headers[line.utterance.audio], whole=not in_stretches and uses[line.utterance.audio] == 1
        )
    ]


def inspect_sounds(
    lines: Sequence[Line], workers: int, progress: Progress
) -> list[SoundStatistics | LinnetError]:
    """Decode the stretch of each line."""
    return list(_mapped(_inspect, lines, workers, progress))


def check_sounds(lines: Sequence[Line], sounds: Sequence[SoundStatistics | LinnetError]) -> list[Finding]:
    """Judge what decoding showed of each line."""
    return [
        finding
        for line, sound in zip(lines, sounds, strict=True)
        for finding in (
            [found("unreadable-audio", line, f"{_name(line)}: {sound.what}", sound.remedy)]
            if isinstance(sound, LinnetError)
            else _check_sound(line, sound)
        )
    ]


def is_silent(sound: SoundStatistics) -> bool:
    """Tell whether nothing can be heard."""
    return sound.level < SILENT_BELOW


def _check_header(line: Line, header: Header, *, whole: bool) -> Iterator[Finding]:
    """Compare one line with its header; `whole` says that the line stands for the whole recording."""
    if header.info is None:
        what, remedy = header.problem
        yield found("unreadable-audio", line, f"{_name(line)}: {what}", remedy)
        return
    if header.info.duration_s <= 0:
        yield found("empty-audio", line, f"{_name(line)} holds no samples")
        return
    if header.lacking_bytes:
        what = f"{_name(line)} lacks {header.lacking_bytes} of the bytes that its header promises"
        yield found("truncated-audio", line, what)
    yield from _check_duration(line, header.info.duration_s, whole=whole)
    for name in RATE_NAMES:
        yield from _check_rate(line, name, header.info.sample_rate_hz)


def _check_duration(line: Line, file_s: float, *, whole: bool) -> Iterator[Finding]:
    utterance = line.utterance
    allowed_s = max(TOLERANCE_S, TOLERANCE * utterance.duration_s)
    if whole:
        if abs(utterance.duration_s - file_s) > allowed_s:
            what = f"the manifest says {utterance.duration_s:.3f} s, {_name(line)} lasts {file_s:.3f} s"
            yield found("wrong-duration", line, what)
    elif utterance.offset_s + utterance.duration_s > file_s + allowed_s:
        end_s = utterance.offset_s + utterance.duration_s
        yield found("beyond-end", line, f"ends at {end_s:.3f} s, but {_name(line)} at {file_s:.3f} s")


def _check_rate(line: Line, name: str, rate_hz: int) -> Iterator[Finding]:
    value = line.utterance.extra.get(name)
    if value is None:
        return
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value - rate_hz) <= TOLERANCE * rate_hz:
        yield found("wrong-rate", line, f"{name} is {value!r:.40}, but {_name(line)} has {rate_hz} Hz")


def _check_sound(line: Line, sound: SoundStatistics) -> Iterator[Finding]:
    if not sound.duration_s:
        yield found(
            "empty-audio", line, f"no samples can be decoded from {_name(line)} {sound.damage}".strip()
        )
        return
    if sound.duration_s < sound.expected_s - max(TOLERANCE_S, TOLERANCE * sound.expected_s):
        what = f"{sound.duration_s:.2f} of {sound.expected_s:.2f} s can be decoded from {_name(line)}"
        yield found("truncated-audio", line, what)
    elif sound.damage:
        yield found("truncated-audio", line, sound.damage)
    if sound.bad_sample_s is not None:
        yield found(
            "bad-samples", line, f"{_name(line)}: the sample at {sound.bad_sample_s:.3f} s is no number"
        )
    elif is_silent(sound):
        yield found("silent-audio", line, f"{_name(line)} reaches {sound.level:.1g} of full scale")
    elif sound.clipped_share > CLIPPED_FROM_SHARE:
        what = f"{sound.clipped_share:.1%} of the samples of {_name(line)} are at the limit"
        yield found("clipped-audio", line, what)


def _name(line: Line) -> str:
    return Path(line.utterance.audio).name


def _read_header(audio: str) -> Header:
    try:
        return Header(audio_info(audio), lacking_bytes=missing_bytes(Path(audio)))
    except LinnetError as error:
        return Header(None, (error.what, error.remedy))


def _inspect(line: Line) -> SoundStatistics | LinnetError:
    utterance = line.utterance
    try:
        return inspect_sound(utterance.audio, utterance.offset_s, utterance.duration_s)
    except LinnetError as error:
        return error


def _mapped(function: Callable[[T], R], items: Sequence[T], workers: int, progress: Progress) -> Iterator[R]:
    """Apply `function` to each item, in order, here or in processes of their own."""
    if workers < 2 or len(items) <= _CHUNK:
        for done, item in enumerate(items, 1):
            yield function(item)
            progress(done, len(items))
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _leave_interrupts_to_the_parent)
    try:
        for done, result in enumerate(pool.map(function, items, chunksize=_CHUNK), 1):
            yield result
            progress(done, len(items))
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    """Let Ctrl-C end this process through its parent, without a traceback of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
