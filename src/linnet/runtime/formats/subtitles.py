"""Subtitles: SubRip (SRT) and WebVTT."""

from collections.abc import Callable, Iterator, Sequence

from linnet.core.results import Word
from linnet.runtime.formats.cues import Cue, Line, text_of

Shown = tuple[float, float, str]  # from, to, in seconds, and the text


def srt(cues: Sequence[Cue], *, highlight_words: bool = False) -> str:
    """Write cues as SubRip: numbered, milliseconds behind a comma."""
    blocks = enumerate(_shown(cues, _srt_escaped, highlight_words=highlight_words), start=1)
    return "\n".join(
        f"{number}\n{_time(start_s, ',')} --> {_time(end_s, ',')}\n{text}\n"
        for number, (start_s, end_s, text) in blocks
    )


def vtt(cues: Sequence[Cue], *, highlight_words: bool = False) -> str:
    """Write cues as WebVTT, https://www.w3.org/TR/webvtt1/: `&`, `<` and `>` as entities."""
    blocks = _shown(cues, _vtt_escaped, highlight_words=highlight_words)
    return "WEBVTT\n" + "".join(
        f"\n{_time(start_s, '.')} --> {_time(end_s, '.')}\n{text}\n" for start_s, end_s, text in blocks
    )


def _shown(cues: Sequence[Cue], escape: Callable[[str], str], *, highlight_words: bool) -> Iterator[Shown]:
    def plain(words: Line) -> str:
        return escape(text_of(words))

    for cue in cues:
        if highlight_words:
            yield from _highlighted(cue, plain)
        else:
            yield cue.start_s, cue.end_s, _text(cue, plain)


def _highlighted(cue: Cue, plain: Callable[[Line], str]) -> Iterator[Shown]:
    """Show a cue once for each of its words, and between them without any underlined."""
    at_s = cue.start_s
    for word in (word for line in cue.lines for word in line):
        if word.start_s > at_s:
            yield at_s, word.start_s, _text(cue, plain)
        if word.end_s > word.start_s:
            yield word.start_s, word.end_s, _text(cue, plain, underlined=word)
        at_s = max(at_s, word.end_s)
    if cue.end_s > at_s:
        yield at_s, cue.end_s, _text(cue, plain)


def _text(cue: Cue, plain: Callable[[Line], str], underlined: Word | None = None) -> str:
    return "\n".join(
        " ".join(f"<u>{plain((word,))}</u>" if word is underlined else plain((word,)) for word in line)
        for line in cue.lines
    )


def _srt_escaped(text: str) -> str:
    """Keep a text from being taken for a time; SubRip knows no escapes."""
    return text.replace("-->", "->")


def _vtt_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(time_s: float, mark: str) -> str:
    seconds, milliseconds = divmod(round(1000 * time_s), 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{mark}{milliseconds:03d}"
