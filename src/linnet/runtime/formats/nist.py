"""What NIST's scoring tools read: CTM and trn for sclite, RTTM for speech segments."""

import re
from collections.abc import Sequence

from linnet.core.results import Word
from linnet.runtime.formats.cues import text_of

SPEAKER = "speech"  # RTTM wants a name, and linnet does not tell speakers apart

_NOT_IN_NAMES = re.compile(r"[\s()/\\;<>]+")
_NOT_IN_WORDS = re.compile(r"[\s(){}]+")


def record_name(name: str) -> str:
    """Make a recording's name one field: without spaces, slashes and what these formats take for marks."""
    return _NOT_IN_NAMES.sub("_", name).strip("_") or "_"


def ctm(words: Sequence[Word], name: str) -> str:
    """Write time-marked words: recording, channel, start, duration, word, confidence.

    SCTK, doc/infmts.htm; the recordings of one file must be in the order of their names.
    """
    return "".join(
        f"{record_name(name)} 1 {word.start_s:.3f} {word.end_s - word.start_s:.3f} {text}"
        f" {word.confidence:.4f}\n"
        for word in words
        if (text := "_".join(text_of([word]).split()))
    )


def rttm(phrases: Sequence[Sequence[Word]], name: str) -> str:
    """Write when there was speech: a SPEAKER record for each phrase.

    NIST, "The 2009 (RT-09) Rich Transcription Meeting Recognition Evaluation Plan", appendix A.
    """
    return "".join(
        f"SPEAKER {record_name(name)} 1 {words[0].start_s:.3f} {words[-1].end_s - words[0].start_s:.3f}"
        f" <NA> <NA> {SPEAKER} <NA> <NA>\n"
        for words in phrases
    )


def trn(words: Sequence[Word], name: str) -> str:
    """Write a line of text with its utterance id in parentheses (SCTK, doc/infmts.htm).

    Parentheses and braces are left out of words, where sclite takes them for optional and alternative ones.
    """
    text = " ".join(_NOT_IN_WORDS.sub(" ", text_of(words)).split())
    return f"{text} ({record_name(name)})\n" if text else f"({record_name(name)})\n"
