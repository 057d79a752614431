"""`linnet transcribe`: what goes to stdout, to files and to stderr, and with which exit code."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from doc_commands import read_blocks
from linnet.cli.main import app
from linnet.runtime import packaged
from linnet.runtime.workers import run_tasks

Run = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path, say_tones: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory with a few recordings."""
    monkeypatch.chdir(tmp_path)
    Path("calls/late").mkdir(parents=True)
    recordings = {
        "a.wav": "one two",
        "calls/a.wav": "two",
        "calls/b.wav": "one",
        "calls/late/a.flac": "one one",
    }
    for name, words in recordings.items():
        soundfile.write(name, say_tones(words), 16000)
    Path("calls/notes.txt").write_text("no recording")
    Path("calls/.hidden.wav").write_text("no recording")
    return tmp_path


@pytest.fixture
def run(tone_bundle: Path) -> Run:
    def run(*arguments: str, stdin: bytes | None = None) -> Any:
        return CliRunner().invoke(app, ["transcribe", "--model", str(tone_bundle), *arguments], input=stdin)

    return run


def test_one_recording_gives_its_text_alone(folder: Path, run: Run) -> None:
    done = run("a.wav")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "one two\n", "")


def test_numbers_as_digits(folder: Path, run: Run) -> None:
    assert run("a.wav", "--numbers").stdout == "12\n"


def test_one_recording_as_json(folder: Path, run: Run) -> None:
    result = json.loads(run("a.wav", "--format", "json").stdout)
    assert (result["audio"], result["text"], result["duration_s"]) == ("a.wav", "one two", 1.3)
    assert [word["text"] for word in result["words"]] == ["one", "two"]
    assert set(result["words"][0]) == {"text", "start_s", "end_s", "confidence"}


def test_standard_input(folder: Path, run: Run) -> None:
    assert run("-", stdin=Path("a.wav").read_bytes()).stdout == "one two\n"


def test_empty_standard_input_is_an_error(folder: Path, run: Run) -> None:
    done = run("-", stdin=b"")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "stdin" in done.stderr
    assert "empty" in done.stderr


def test_several_inputs_give_a_line_each_in_order_and_once(folder: Path, run: Run) -> None:
    done = run("calls", "a.wav", "calls/b.wav", "-", stdin=Path("a.wav").read_bytes())
    assert done.stdout.splitlines() == [
        "calls/a.wav\ttwo",
        "calls/b.wav\tone",
        "calls/late/a.flac\tone one",
        "a.wav\tone two",
        "stdin\tone two",
    ]


def test_lines_keep_the_order_of_the_recordings_whichever_is_done_first(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backwards(make_task: Any, items: Any, num_processes: int) -> Any:
        assert num_processes == 3
        yield from reversed(list(run_tasks(make_task, items)))

    monkeypatch.setattr("linnet.cli.transcribe.run_tasks", backwards)
    lines = run("calls", "--jobs", "5").stdout.splitlines()
    assert lines == ["calls/a.wav\ttwo", "calls/b.wav\tone", "calls/late/a.flac\tone one"]


def test_scoring_formats_of_several_recordings_are_one_file(folder: Path, run: Run) -> None:
    assert run("calls", "-f", "trn").stdout == "two (a)\none (b)\none one (late_a)\n"


def test_a_folder_of_one_recording_still_names_it(folder: Path, run: Run) -> None:
    assert run("calls/late").stdout == "calls/late/a.flac\tone one\n"


def test_several_inputs_as_json_lines(folder: Path, run: Run) -> None:
    lines = run("calls", "-f", "json").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["two", "one", "one one"]


def test_a_bad_recording_does_not_stop_the_rest(folder: Path, run: Run) -> None:
    Path("calls/a.wav").write_bytes(b"RIFF nonsense")
    done = run("missing.wav", "calls")
    assert done.exit_code == 1
    assert done.stdout == "calls/b.wav\tone\ncalls/late/a.flac\tone one\n"
    assert "missing.wav: " in done.stderr
    assert "calls/a.wav: not a recording" in done.stderr
    assert "2 of 4 recordings could not be transcribed" in done.stderr


def test_names_cannot_break_the_lines_or_steer_the_terminal(folder: Path, run: Run) -> None:
    Path("calls/late/a.flac").rename("calls/late/a\n\t\x1b[31m.flac")
    assert run("calls/late").stdout == "calls/late/a\\n\\t\\x1b[31m.flac\tone one\n"


def written_below(folder: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("[!.]*.*")}


def test_output_files_keep_the_structure_of_folders(folder: Path, run: Run) -> None:
    done = run("calls", "-o", "out")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 transcripts in out" in done.stderr
    assert written_below("out") == {"a.txt": "two\n", "b.txt": "one\n", "late/a.txt": "one one\n"}


def test_output_files_as_json(folder: Path, run: Run) -> None:
    assert run("a.wav", "-o", "out", "-f", "json").exit_code == 0
    assert json.loads(written_below("out")["a.json"])["audio"] == "a.wav"


def test_recordings_of_one_stem_keep_apart(folder: Path, run: Run) -> None:
    soundfile.write("calls/a.flac", soundfile.read("a.wav")[0], 16000)
    assert run("calls", "-o", "out").exit_code == 0
    assert written_below("out") == {
        "a.flac.txt": "one two\n",
        "a.wav.txt": "two\n",
        "b.txt": "one\n",
        "late/a.txt": "one one\n",
    }


def test_recordings_of_one_name_are_refused_before_any_work(folder: Path, run: Run) -> None:
    done = run("a.wav", "calls/a.wav", "-o", "out")
    assert done.exit_code == 2
    assert "two recordings would both be called a.wav" in done.stderr
    assert not Path("out").exists()


def test_existing_files_are_replaced_only_when_asked(folder: Path, run: Run) -> None:
    Path("a.txt").write_text("the transcript of a listener")
    done = run("a.wav", "calls/b.wav", "-o", ".")
    assert done.exit_code == 2
    assert "a.txt exists" in done.stderr
    assert "--overwrite" in done.stderr
    assert Path("a.txt").read_text() == "the transcript of a listener"
    assert not Path("b.txt").exists()
    assert run("a.wav", "calls/b.wav", "-o", ".", "--overwrite").exit_code == 0
    assert Path("a.txt").read_text() == "one two\n"


def test_a_failed_recording_leaves_no_file(folder: Path, run: Run) -> None:
    Path("calls/a.wav").write_bytes(b"")
    assert run("calls", "-o", "out").exit_code == 1
    assert set(written_below("out")) == {"b.txt", "late/a.txt"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no recording was given. Try `linnet transcribe --sample`"),
        (["empty"], "empty: there is no recording in this folder"),
        (["a.wav", "--format", "srt,sub"], "'sub' is no format. Give one or more of txt,srt"),
        (["a.wav", "--format", "srt,vtt"], "several formats go to files"),
        (["calls", "--format", "TextGrid"], "TextGrid of several recordings goes to files"),
        (["a.wav", "calls/a.wav", "--format", "ctm"], "two recordings would both be called a.wav"),
        (["a.wav", "--resume"], "--resume looks for files"),
        (["a.wav", "-o", "calls/a.wav"], "calls/a.wav is no folder. Give a folder as --output-dir"),
        (["a.wav", "--threads", "0"], "threads"),
        (["a.wav", "--model", "digts"], "there is no model 'digts'"),
    ],
)
def test_wrong_usage_exits_with_2_and_teaches(
    folder: Path, run: Run, arguments: list[str], message: str
) -> None:
    Path("empty").mkdir()
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_the_sample(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "packaged_sample", lambda _: folder / "calls" / "b.wav")
    assert run("--sample").stdout == "one\n"


def test_the_page_on_formats_shows_what_is_written(
    repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = repo_root / "docs" / "formats.md"
    (command,) = [each for block in read_blocks(page) for each in block.commands if "--sample" in each]
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, command.split()[1:]).exit_code == 0
    shown = dict(
        re.findall(r"^### `(sample\.\w+)`.*?^```\w+\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
    )
    assert len(shown) == 9
    result = json.loads(Path("out/sample.json").read_text())
    result |= {"audio": "sample.wav", "words": result["words"][:1]}
    result["segments"][0]["words"] = result["segments"][0]["words"][:1]
    assert json.loads(shown.pop("sample.json")) == result
    for name, text in shown.items():
        written = Path("out", name).read_text(encoding="utf-8")
        assert written.startswith(text.removesuffix("…\n"))
        assert written == text or text.endswith("…\n")


def test_results_reach_a_pipe_while_the_bar_is_drawn(folder: Path, tone_bundle: Path) -> None:
    pty = pytest.importorskip("pty", reason="only systems with pseudo terminals can show a bar to a test")
    terminal, stderr = pty.openpty()
    code = "import sys; from linnet.cli.main import main; sys.argv[0] = 'linnet'; main()"
    command = [sys.executable, "-c", code, "transcribe", "--model", str(tone_bundle), "calls"]
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, env=environment, check=False)
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    os.close(stderr)
    assert done.stdout.decode().splitlines()[0] == "calls/a.wav\ttwo"
    assert "s of audio" in shown
    assert "two" not in shown
