"""An aligned text as JSON, CTM, SRT subtitles, or a TextGrid of Praat."""

import json
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from linnet.core.results import AlignedText, AlignedToken, AlignedWord

MAX_CUE_CHARACTERS = 84  # two lines of 42, as broadcasters set subtitles


class AlignedFormat(StrEnum):
    """How an aligned text is written."""

    JSON = "json"
    CTM = "ctm"
    SRT = "srt"
    TEXTGRID = "textgrid"


def render_aligned(aligned: AlignedText, audio: str, form: AlignedFormat) -> str:
    """Write an aligned text of the recording called `audio`; the result ends with a line end."""
    writers: dict[AlignedFormat, Callable[[], Iterator[str]]] = {
        AlignedFormat.JSON: lambda: _json(aligned, audio),
        AlignedFormat.CTM: lambda: _ctm(aligned.words, audio),
        AlignedFormat.SRT: lambda: _srt(aligned.words),
        AlignedFormat.TEXTGRID: lambda: _textgrid(aligned),
    }
    return "".join(f"{line}\n" for line in writers[form]())


def _json(aligned: AlignedText, audio: str) -> Iterator[str]:
    yield json.dumps({"audio": audio, **aligned.to_dict()}, ensure_ascii=False)


def _ctm(words: Sequence[AlignedWord], audio: str) -> Iterator[str]:
    """NIST's time-marked conversation: recording, channel, start, duration, word, confidence."""
    name = "_".join(audio.split())
    for word in words:
        yield f"{name} 1 {word.start_s:.3f} {word.end_s - word.start_s:.3f} {word.text} {word.confidence:.4f}"


def _srt(words: Sequence[AlignedWord]) -> Iterator[str]:
    for number, cue in enumerate(_cues(words), start=1):
        yield str(number)
        yield f"{_srt_time(cue[0].start_s)} --> {_srt_time(cue[-1].end_s)}"
        yield " ".join(word.text for word in cue)
        yield ""


def _cues(words: Sequence[AlignedWord]) -> Iterator[list[AlignedWord]]:
    """Part words into subtitles: at the ends of lines, and where one would grow too long."""
    cue: list[AlignedWord] = []
    for word in words:
        length = sum(len(each.text) + 1 for each in cue) + len(word.text)
        if cue and (word.line != cue[-1].line or length > MAX_CUE_CHARACTERS):
            yield cue
            cue = []
        cue.append(word)
    if cue:
        yield cue


def _srt_time(time_s: float) -> str:
    minutes, milliseconds = divmod(round(1000 * time_s), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d},{milliseconds % 1000:03d}"


def _textgrid(aligned: AlignedText) -> Iterator[str]:
    """Praat's long text format, with a tier of words and one of tokens."""
    end_s = aligned.duration_s
    tokens = [token for word in aligned.words for token in word.tokens]
    yield from ('File type = "ooTextFile"', 'Object class = "TextGrid"', "")
    yield from ("xmin = 0", f"xmax = {end_s:.3f}", "tiers? <exists>", "size = 2", "item []:")
    yield from _tier(1, "words", aligned.words, end_s)
    yield from _tier(2, "tokens", tokens, end_s)


def _tier(number: int, name: str, parts: Sequence[AlignedWord | AlignedToken], end_s: float) -> Iterator[str]:
    intervals = list(_intervals(parts, end_s))
    yield f"    item [{number}]:"
    yield from ('        class = "IntervalTier"', f'        name = "{name}"')
    yield from (
        "        xmin = 0",
        f"        xmax = {end_s:.3f}",
        f"        intervals: size = {len(intervals)}",
    )
    for index, (first_s, last_s, text) in enumerate(intervals, start=1):
        yield f"        intervals [{index}]:"
        yield from (f"            xmin = {first_s:.3f}", f"            xmax = {last_s:.3f}")
        quoted = text.replace('"', '""')
        yield f'            text = "{quoted}"'


def _intervals(
    parts: Sequence[AlignedWord | AlignedToken], end_s: float
) -> Iterator[tuple[float, float, str]]:
    """Cover the whole time without gaps; what would last no time at all is left out, as Praat refuses it."""
    at_s = 0.0
    for part in parts:
        if part.start_s > at_s:
            yield at_s, part.start_s, ""
        if part.end_s > part.start_s:
            yield part.start_s, part.end_s, part.text
        at_s = max(at_s, part.end_s)
    if f"{at_s:.3f}" < f"{end_s:.3f}" or at_s < end_s - 0.0005:
        yield at_s, end_s, ""
