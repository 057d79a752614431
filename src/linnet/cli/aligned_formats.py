"""An aligned text as JSON, CTM, subtitles, or a TextGrid of Praat."""

import json
from collections.abc import Callable
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from linnet.core.results import AlignedText
from linnet.runtime.formats.cues import Cue, CueConfig, cues, phrases
from linnet.runtime.formats.nist import ctm
from linnet.runtime.formats.praat import textgrid
from linnet.runtime.formats.subtitles import srt, vtt


class AlignedFormat(StrEnum):
    """How an aligned text is written."""

    JSON = "json"
    CTM = "ctm"
    SRT = "srt"
    VTT = "vtt"
    TEXTGRID = "textgrid"


def render_aligned(aligned: AlignedText, audio: str, form: AlignedFormat) -> str:
    """Write an aligned text of the recording called `audio`; the result ends with a line end."""
    tokens = [token for word in aligned.words for token in word.tokens]
    writers: dict[AlignedFormat, Callable[[], str]] = {
        AlignedFormat.JSON: lambda: (
            json.dumps({"audio": audio, **aligned.to_dict()}, ensure_ascii=False) + "\n"
        ),
        AlignedFormat.CTM: lambda: ctm(aligned.words, Path(audio).stem),
        AlignedFormat.SRT: lambda: srt(_cues(aligned)),
        AlignedFormat.VTT: lambda: vtt(_cues(aligned)),
        AlignedFormat.TEXTGRID: lambda: textgrid(
            {"words": aligned.words, "tokens": tokens}, aligned.duration_s
        ),
    }
    return writers[form]()


def _cues(aligned: AlignedText) -> list[Cue]:
    """Make subtitles that end where lines of the text do, and within them at pauses."""
    lines = [tuple(words) for _, words in groupby(aligned.words, key=lambda word: word.line)]
    return cues([phrase for line in lines for phrase in phrases(line)], CueConfig(), aligned.duration_s)
