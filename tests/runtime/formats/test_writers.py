"""Each format as a program that was written elsewhere reads it."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ConfigError
from linnet.core.results import Transcript, Word
from linnet.runtime.formats.cues import CueConfig
from linnet.runtime.formats.nist import record_name
from linnet.runtime.formats.writers import TranscriptFormat, parse_formats, render

FIRST, SECOND = (500, 2250), (61500, 62250)  # ms; both phrases of the transcript
EMPTY = Transcript(text="", words=(), duration_s=0.0, model="tone")

Speaker = Callable[..., tuple[Word, ...]]


def written(transcript: Transcript, form: str, name: str = "call", **options: Any) -> str:
    return render(transcript, TranscriptFormat(form), name, language="en", config=CueConfig(**options))


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles(transcript: Transcript, form: str) -> None:
    pysubs2 = pytest.importorskip("pysubs2", reason="the outside reader of subtitles is in the extra dev")
    found = pysubs2.SSAFile.from_string(written(transcript, form), format_=form)
    assert [(event.start, event.end) for event in found] == [FIRST, (61500, 62500)]
    texts = {"srt": ["one <two> & 3", 'say "four"'], "vtt": ["one &lt;two&gt; &amp; 3", 'say "four"']}
    assert re.findall(r"^[a-z].*$", written(transcript, form), re.MULTILINE) == texts[form]
    assert len(pysubs2.SSAFile.from_string(written(EMPTY, form), format_=form)) == 0


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_highlighted_words_cover_the_cue_without_gaps(say: Speaker, form: str) -> None:
    pysubs2 = pytest.importorskip("pysubs2", reason="the outside reader of subtitles is in the extra dev")
    spoken = Transcript(text="one two", words=say("one two"), duration_s=1.5, model="tone")
    found = pysubs2.SSAFile.from_string(written(spoken, form, highlight_words=True), format_=form)
    assert [(event.start, event.end, event.text) for event in found] == [
        (500, 750, r"{\u1}one{\u0} two"),
        (750, 1000, "one two"),
        (1000, 1250, r"one {\u1}two{\u0}"),
        (1250, 1500, "one two"),
    ]


def test_json_has_the_keys_of_whisper_and_ours(transcript: Transcript) -> None:
    pysubs2 = pytest.importorskip(
        "pysubs2", reason="the outside reader of whisper's JSON is in the extra dev"
    )
    text = written(transcript, "json")
    result = json.loads(text)
    assert text.count("\n") == 1
    assert (result["audio"], result["model"], result["language"]) == ("call", "tone", "en")
    assert result["words"][0] == {"text": "one", "start_s": 0.5, "end_s": 0.75, "confidence": 0.75}
    assert result["segments"][1]["id"] == 1
    assert result["segments"][1]["words"][1] == {
        "word": ' "four"',
        "start": 62.0,
        "end": 62.25,
        "probability": 0.75,
    }
    found = pysubs2.load_from_whisper(result)
    assert [(event.start, event.end, event.text) for event in found] == [
        (*FIRST, "one <two> & 3"),
        (*SECOND, 'say "four"'),
    ]


def test_an_unknown_language_is_not_told() -> None:
    text = render(EMPTY, TranscriptFormat.JSON, "call", language="und", config=CueConfig())
    assert "language" not in json.loads(text)


def test_tsv(transcript: Transcript) -> None:
    rows = list(
        csv.DictReader(io.StringIO(written(transcript, "tsv")), delimiter="\t", quoting=csv.QUOTE_NONE)
    )
    assert [(int(row["start"]), int(row["end"]), row["text"]) for row in rows] == [
        (*FIRST, "one <two> & 3"),
        (*SECOND, 'say "four"'),
    ]


def test_textgrid(transcript: Transcript, tmp_path: Path) -> None:
    praatio = pytest.importorskip("praatio.textgrid", reason="the reader of TextGrids is in the extra dev")
    path = tmp_path / "call.TextGrid"
    path.write_text(written(transcript, "TextGrid"), encoding="utf-8")
    tier = praatio.openTextgrid(str(path), includeEmptyIntervals=False).getTier("words")
    assert [(each.start, each.end, each.label) for each in tier.entries] == [
        (word.start_s, word.end_s, word.text) for word in transcript.words
    ]
    assert tier.maxTimestamp == 65.0
    path.write_text(written(EMPTY, "TextGrid"), encoding="utf-8")
    assert praatio.openTextgrid(str(path), includeEmptyIntervals=True).getTier("words").entries[0].label == ""


def test_ctm(transcript: Transcript, tmp_path: Path) -> None:
    supervision = pytest.importorskip("lhotse.supervision", reason="the reader of CTM is in the extra train")
    path = tmp_path / "call.ctm"
    path.write_text(written(transcript, "ctm", "late/my call"), encoding="utf-8")
    whole = supervision.SupervisionSegment("all", "late_my_call", 0.0, 65.0, channel=1)
    (found,) = supervision.SupervisionSet.from_segments([whole]).with_alignment_from_ctm(path)
    assert [(each.symbol, each.start, each.duration, each.score) for each in found.alignment["word"]] == [
        (word.text, word.start_s, 0.25, 0.75) for word in transcript.words
    ]


def test_rttm(transcript: Transcript, tmp_path: Path) -> None:
    supervision = pytest.importorskip("lhotse.supervision", reason="the reader of RTTM is in the extra train")
    path = tmp_path / "call.rttm"
    path.write_text(written(transcript, "rttm"), encoding="utf-8")
    found = supervision.SupervisionSet.from_rttm(path)
    assert [(each.recording_id, each.start, each.duration, each.speaker) for each in found] == [
        ("call", 0.5, 1.75, "speech"),
        ("call", 61.5, 0.75, "speech"),
    ]


def test_trn_by_the_grammar_of_sclite(transcript: Transcript, say: Speaker) -> None:
    assert written(transcript, "trn", "late/my call") == 'one <two> & 3 say "four" (late_my_call)\n'
    assert written(EMPTY, "trn") == "(call)\n"
    marked = Transcript(text="", words=say("{a / b} (c) d"), duration_s=3.0, model="tone")
    assert re.fullmatch(r"(?:[^\s(){}]+ )*\(([^\s()]+)\)\n", written(marked, "trn", "x (2)"))
    assert written(marked, "trn", "x (2)") == "a / b c d (x_2)\n"


@pytest.mark.parametrize(
    ("name", "field"), [("a b/c", "a_b_c"), ("(1)", "1"), ("été;x", "été_x"), ("()", "_")]
)
def test_a_name_is_one_field(name: str, field: str) -> None:
    assert record_name(name) == field


def test_formats_are_read_in_their_order_and_once() -> None:
    assert parse_formats("srt,JSON, textgrid,srt") == (
        TranscriptFormat.SRT,
        TranscriptFormat.JSON,
        TranscriptFormat.TEXTGRID,
    )
    assert parse_formats("all") == tuple(TranscriptFormat)
    for wrong in ("", "srt,", "srt;json", "all,srt"):
        with pytest.raises(ConfigError, match="is no format"):
            parse_formats(wrong)
