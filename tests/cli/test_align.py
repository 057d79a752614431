"""`linnet align`: its formats, where they go, and what it says of words that were not spoken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from linnet.cli.aligned_formats import AlignedFormat, render_aligned
from linnet.cli.main import app
from linnet.core.results import AlignedText, AlignedToken, AlignedWord

Run = Callable[..., Any]


def word(text: str, start_s: float, end_s: float, line: int = 1) -> AlignedWord:
    token = AlignedToken(text=text, start_s=start_s, end_s=end_s, score=-0.1)
    return AlignedWord(
        text=text,
        start_s=start_s,
        end_s=end_s,
        confidence=0.9,
        score=-0.1,
        spoken=True,
        line=line,
        tokens=(token,),
    )


def aligned(*words: AlignedWord, duration_s: float = 3700.0) -> AlignedText:
    return AlignedText(words=words, log_prob=-1.0, duration_s=duration_s, model="m")


def test_ctm() -> None:
    found = render_aligned(aligned(word("one", 0.5, 0.75)), "my call.wav", AlignedFormat.CTM)
    assert found == "my_call 1 0.500 0.250 one 0.9000\n"


def test_subtitles_end_with_lines_and_at_pauses() -> None:
    words = [word("one", 0.5, 1.0), word("two", 1.1, 1.5, line=2), word("three", 3662.0, 3663.5, line=2)]
    assert render_aligned(aligned(*words), "a", AlignedFormat.SRT) == (
        "1\n00:00:00,500 --> 00:00:01,100\none\n\n"
        "2\n00:00:01,100 --> 00:00:02,100\ntwo\n\n"
        "3\n01:01:02,000 --> 01:01:03,500\nthree\n"
    )
    assert render_aligned(aligned(*words), "a", AlignedFormat.VTT).startswith("WEBVTT\n\n00:00:00.500 --> ")


def test_a_textgrid_covers_all_time_without_gaps() -> None:
    words = [word('say "a"', 0.5, 1.0), word("b", 1.0, 1.0), word("c", 1.0, 1.5)]
    lines = render_aligned(aligned(*words, duration_s=2.0), "a", AlignedFormat.TEXTGRID).splitlines()
    assert lines[0] == 'File type = "ooTextFile"'
    assert lines.count('        class = "IntervalTier"') == 2
    first_tier = lines[lines.index("    item [1]:") : lines.index("    item [2]:")]
    values = [line.partition(" = ")[2] for line in first_tier if line.startswith("            ")]
    assert [tuple(values[i : i + 3]) for i in range(0, len(values), 3)] == [
        ("0.000", "0.500", '""'),
        ("0.500", "1.000", '"say ""a"""'),
        ("1.000", "1.500", '"c"'),
        ("1.500", "2.000", '""'),
    ]


@pytest.fixture
def run(tone_bundle: Path, say_tones: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    pytest.importorskip("numba", reason="forced alignment needs the extra beam")
    monkeypatch.chdir(tmp_path)
    soundfile.write("a.wav", say_tones("one two"), 16000)
    Path("a.txt").write_text("One two\n", encoding="utf-8")
    return lambda *arguments: CliRunner().invoke(
        app, ["align", "a.wav", *arguments, "--model", str(tone_bundle)]
    )


def test_json_on_stdout(run: Run) -> None:
    done = run("a.txt")
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert (result["audio"], result["model"], result["duration_s"]) == ("a.wav", "tone", 1.3)
    assert [word["text"] for word in result["words"]] == ["one", "two"]
    assert result["words"][1]["tokens"][0]["text"] == "two"


def test_what_was_not_spoken_is_said_on_stderr(run: Run) -> None:
    done = run("--text", "one two one")
    assert [word["spoken"] for word in json.loads(done.stdout)["words"]] == [True, True, False]
    assert "not spoken? 'one', line 1" in done.stderr
    assert "not spoken" not in run("--text", "one two one", "--min-score", "-1000").stderr


def test_a_file_is_written_once(run: Run) -> None:
    assert run("a.txt", "-f", "srt", "-o", "a.srt").stdout == ""
    written = Path("a.srt").read_text(encoding="utf-8")
    assert written.splitlines()[2] == "one two"
    refused = run("a.txt", "-o", "a.srt")
    assert (refused.exit_code, Path("a.srt").read_text(encoding="utf-8")) == (2, written)
    assert "a.srt exists" in refused.stderr
    assert run("a.txt", "-f", "ctm", "-o", "a.srt", "--overwrite").exit_code == 0
    assert Path("a.srt").read_text(encoding="utf-8").startswith("a 1 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give either the file TEXT or --text"),
        (("a.txt", "--text", "one"), "Give either the file TEXT or --text"),
        (("absent.txt",), "absent.txt"),
        (("a.wav",), "cannot read the text"),
        (("--text", "one three"), "line 1: the vocabulary lacks the word 'three'"),
        (("a.txt", "--min-score", "3"), "min_score"),
    ],
)
def test_a_mistake_is_named(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in " ".join(done.stderr.split())
