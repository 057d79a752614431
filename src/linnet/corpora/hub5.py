"""Hub5'00: telephone calls with a channel a speaker, scored against one STM file (LDC2002S09, LDC2002T43).

An STM line is: recording, channel, speaker, start and end in seconds, a label in <>, text; comments start
with ;;. The LDC's transcripts in .txt, which lhotse's recipe reads, are not what published word error rates
are measured on; the STM is. Its marks are taken out: <B_ASIDE> and the like go, so do hesitations and broken
words, which stand in parentheses because a recognizer may leave them out; of alternatives { a / b } the
first stays.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.text_lines import numbered_lines

_LINE = re.compile(
    r"(?P<recording>\S+)\s+(?P<channel>\S+)\s+(?P<speaker>\S+)\s+(?P<start>[\d.]+)\s+(?P<end>[\d.]+)"
    r"(?:\s+<[^>]*>)?\s+(?P<text>.*)"
)
_TAG = re.compile(r"<[^<>]*>")
_ALTERNATIVES = re.compile(r"\{([^{}/]*)(?:/[^{}]*)?\}")
_OPTIONAL = re.compile(r"\((?:%[^()]*|[^()\s]*-|-[^()\s]*)\)")
_IGNORED = "IGNORE_TIME_SEGMENT_"
_SOUND = (".sph", ".wav", ".flac")
_CHANNELS = {"a": 0, "1": 0, "b": 1, "2": 1}


def read_hub5(source: Path) -> Iterator[Entry | Skipped]:
    """Read the English STM files below a directory, all into the part test."""
    calls = {path.stem.lower(): path for path in sorted(source.rglob("*")) if path.suffix.lower() in _SOUND}
    problems: list[Skipped] = []
    for stm in sorted(path for path in source.rglob("*.stm") if "english" in path.name.lower()):
        for number, line in numbered_lines(stm, problems):
            where = f"{stm}, line {number}"
            if line.startswith(";;") or _IGNORED in line.upper():
                continue
            match = _LINE.fullmatch(line)
            if not match:
                yield Skipped(where, "not a recording, channel, speaker, start, end and text")
            elif match["recording"].lower() not in calls:
                yield Skipped(where, f"there is no recording {match['recording']}.sph")
            elif text := plain_text(match["text"]):
                yield _entry(match, calls[match["recording"].lower()], where, text)
    yield from problems


def plain_text(text: str) -> str:
    """Take the marks of scoring out of a text of an STM; "" where nothing but marks was said."""
    text = _OPTIONAL.sub(" ", _ALTERNATIVES.sub(r"\1", _TAG.sub(" ", text)))
    return " ".join(text.replace("(", " ").replace(")", " ").replace("@", " ").split())


def _entry(match: re.Match[str], audio: Path, where: str, text: str) -> Entry:
    start_s, end_s = float(match["start"]), float(match["end"])
    return Entry(
        where=where,
        audio=audio,
        text=text,
        part="test",
        speaker=f"{match['recording']}_{match['channel']}".lower(),
        offset_s=start_s,
        duration_s=end_s - start_s,
        channel=_CHANNELS.get(match["channel"].lower()),
    )
