"""Files of transcripts: what --resume leaves out, and what a full disk or Ctrl-C leaves behind."""

import errno
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from linnet.cli.main import app
from linnet.cli.output_folder import RECORD_FILE
from linnet.runtime.recognizer import Recognizer

Run = Callable[..., Any]


@pytest.fixture
def run(tone_bundle: Path, say_tones: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("-f", "txt")` in a folder with calls/a.wav, b.wav and c.wav, which all go to out."""
    monkeypatch.chdir(tmp_path)
    Path("calls").mkdir()
    for name, words in (("a", "one"), ("b", "two"), ("c", "one two")):
        soundfile.write(f"calls/{name}.wav", say_tones(words), 16000)
    command = ["transcribe", "calls", "-o", "out", "--model", str(tone_bundle)]
    return lambda *arguments: CliRunner().invoke(app, [*command, *arguments])


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recordings that were transcribed; the second one that is called b.wav is Ctrl-C."""
    names: list[str] = []
    transcribe = Recognizer.transcribe

    def listen(self: Recognizer, audio: Any, **options: Any) -> Any:
        names.append(Path(audio).name)
        return transcribe(self, audio, **options)

    monkeypatch.setattr(Recognizer, "transcribe", listen)
    return names


def interrupt(monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    transcribe = Recognizer.transcribe

    def stop(self: Recognizer, audio: Any, **options: Any) -> Any:
        if Path(audio).name == at:
            raise KeyboardInterrupt
        return transcribe(self, audio, **options)

    monkeypatch.setattr(Recognizer, "transcribe", stop)


def written() -> dict[str, str]:
    return {path.name: path.read_text() for path in Path("out").iterdir() if path.name != RECORD_FILE}


def test_an_interrupted_run_goes_on_where_it_was(
    run: Run, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, at="b.wav")
        stopped = run()
    assert stopped.exit_code == 130
    assert "--resume" in stopped.stderr
    assert written() == {"a.txt": "one\n"}
    with (Path("out") / RECORD_FILE).open("a") as file:
        file.write('{"file": "b.t')  # as a killed run leaves its last line
    refused = run()
    assert (refused.exit_code, heard) == (2, ["a.wav"])
    assert "a.txt exists. Choose another --output-dir, go on with an interrupted run with --resume" in (
        refused.stderr
    )
    done = run("--resume")
    assert (done.exit_code, heard) == (0, ["a.wav", "b.wav", "c.wav"])
    assert "2 transcripts in out, 1 finished before" in done.stderr
    assert written() == {"a.txt": "one\n", "b.txt": "two\n", "c.txt": "one two\n"}


def test_resuming_does_only_what_is_missing(run: Run, heard: list[str]) -> None:
    run()
    heard.clear()
    assert run("--resume").exit_code == 0
    assert heard == []
    Path("out/b.txt").unlink()
    soundfile.write("calls/c.wav", soundfile.read("calls/a.wav")[0], 16000)
    assert run("--resume").exit_code == 0
    assert heard == ["b.wav", "c.wav"]
    assert written() == {"a.txt": "one\n", "b.txt": "two\n", "c.txt": "one\n"}
    assert run("--resume", "-f", "tsv").exit_code == 0
    assert heard[2:] == ["a.wav", "b.wav", "c.wav"]


@pytest.mark.parametrize(
    ("arguments", "change", "message"),
    [
        (["--numbers"], "", "out/a.txt was written with another numbers, and 2 more"),
        (["--max-line-width", "9"], "", "was written with another max_line_width"),
        ([], "edited", "out/a.txt has been changed since linnet wrote it"),
        ([], "unrecorded", "out/a.txt exists, and linnet has not written it, and 2 more"),
    ],
)
def test_what_was_made_otherwise_is_neither_kept_nor_replaced(
    run: Run, heard: list[str], arguments: list[str], change: str, message: str
) -> None:
    run()
    if change == "edited":
        Path("out/a.txt").write_text("won\n")
    if change == "unrecorded":
        (Path("out") / RECORD_FILE).write_text('{"file": 3}\n[]\n{"file": "a.txt", "settings": 3}\n')
    before = written()
    refused = run("--resume", *arguments)
    assert refused.exit_code == 2
    assert message in refused.stderr
    assert (written(), len(heard)) == (before, 3)
    assert run("--resume", "--overwrite", *arguments).exit_code == 0
    assert len(heard) == (4 if change == "edited" else 6)


@contextmanager
def files_of_at_most(num_bytes: int) -> Iterator[None]:
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_no_half_of_a_file(run: Run) -> None:
    with files_of_at_most(300):  # the JSON has 500 bytes
        done = run("-f", "json")
    assert done.exit_code == 1
    assert f"[Errno {errno.EFBIG}] cannot write: " in done.stderr
    assert "out/a.json" in done.stderr
    assert "--resume" in done.stderr
    assert list(Path("out").iterdir()) == []
    assert run("-f", "json", "--resume").exit_code == 0
    assert json.loads(written()["c.json"])["text"] == "one two"


def test_several_processes_write_the_same(run: Run) -> None:
    Path("calls/bad.wav").write_bytes(b"RIFF nonsense")
    alone = run("-f", "all")
    expected = written()
    done = run("-f", "all", "--overwrite", "--jobs", "2")
    assert (alone.exit_code, done.exit_code) == (1, 1)
    assert "calls/bad.wav: not a recording" in done.stderr
    assert len(expected) == 3 * 9
    assert written() == expected
