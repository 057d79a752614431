"""Which formats a transcript can be written in, and how each is asked for."""

from collections.abc import Callable
from enum import StrEnum

from linnet.core.errors import ConfigError
from linnet.core.results import Transcript
from linnet.runtime.formats.cues import CueConfig, cues, phrases
from linnet.runtime.formats.nist import ctm, rttm, trn
from linnet.runtime.formats.praat import textgrid
from linnet.runtime.formats.subtitles import srt, vtt
from linnet.runtime.formats.whisper import json_line, tsv

ALL = "all"


class TranscriptFormat(StrEnum):
    """How a transcript is written; the value is the suffix of its file."""

    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    TSV = "tsv"
    JSON = "json"
    CTM = "ctm"
    RTTM = "rttm"
    TRN = "trn"
    TEXTGRID = "TextGrid"

    @property
    def joins(self) -> bool:
        """Whether the texts of several recordings, one behind the other, are again such a text."""
        return self in (TranscriptFormat.TXT, TranscriptFormat.JSON) or self.names_records

    @property
    def names_records(self) -> bool:
        """Whether each line carries the name of its recording."""
        return self in (TranscriptFormat.CTM, TranscriptFormat.RTTM, TranscriptFormat.TRN)


def parse_formats(text: str) -> tuple[TranscriptFormat, ...]:
    """Read "srt", "srt,json" or "all".

    Raises:
        ConfigError: naming what is no format.
    """
    known = {each.value.casefold(): each for each in TranscriptFormat}
    names = [name.strip().casefold() for name in text.split(",")]
    if names == [ALL]:
        return tuple(TranscriptFormat)
    for name in names:
        if name not in known:
            raise ConfigError(
                f"--format: {name!r} is no format",
                remedy=f"Give one or more of {','.join(TranscriptFormat)}, or {ALL}",
            )
    return tuple(dict.fromkeys(known[name] for name in names))


def render(
    transcript: Transcript, form: TranscriptFormat, name: str, *, language: str, config: CueConfig
) -> str:
    """Write a transcript as the whole content of a file, its last line ended.

    Args:
        transcript: of one recording.
        form: what to write.
        name: of the recording, for the formats that hold it.
        language: language tag of the model, for JSON.
        config: the size of subtitles.
    """
    words, duration_s = transcript.words, transcript.duration_s
    writers: dict[TranscriptFormat, Callable[[], str]] = {
        TranscriptFormat.TXT: lambda: f"{transcript.text}\n",
        TranscriptFormat.SRT: lambda: srt(
            cues(phrases(words), config, duration_s), highlight_words=config.highlight_words
        ),
        TranscriptFormat.VTT: lambda: vtt(
            cues(phrases(words), config, duration_s), highlight_words=config.highlight_words
        ),
        TranscriptFormat.TSV: lambda: tsv(phrases(words)),
        TranscriptFormat.JSON: lambda: json_line(transcript, name, language),
        TranscriptFormat.CTM: lambda: ctm(words, name),
        TranscriptFormat.RTTM: lambda: rttm(phrases(words), name),
        TranscriptFormat.TRN: lambda: trn(words, name),
        TranscriptFormat.TEXTGRID: lambda: textgrid({"words": words}, duration_s),
    }
    return writers[form]()
