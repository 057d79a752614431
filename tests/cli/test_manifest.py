"""`linnet manifest`: files that are written, tables on stdout, what was left out on stderr, exit codes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from linnet.audio.write import write_audio
from linnet.cli import manifest_tables
from linnet.cli.main import app
from linnet.manifest.jsonl import read_manifest

LINES = [
    {"audio_filepath": f"clips/{name}.wav", "duration": duration_s, "text": text, "speaker": name, "snr": 3}
    for name, duration_s, text in (
        ("ada", 0.1, "Hello, you!"),
        ("bo", 0.2, "hello"),
        ("cy", 0.3, "one two three"),
        ("dee", 0.4, "?!"),
    )
]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A folder with clips and all.jsonl, which names them relative to itself."""
    folder = tmp_path / "corpus"
    for line in LINES:
        write_audio(folder / line["audio_filepath"], np.full(1600, 0.1, np.float32), 16_000)
    write_lines(folder / "all.jsonl", LINES)
    return folder


def write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["manifest", *map(str, arguments)], env={"COLUMNS": "200"})


def rows(result: Result) -> dict[str, list[str]]:
    """Give the cells of each line of a table by its first word."""
    return {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line.strip()}


def test_split_writes_a_manifest_for_each_part(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(corpus)
    result = run("split", "all.jsonl", "--parts", "train=0.5,dev=0.5", "-o", "parts")
    assert result.exit_code == 0, result.output
    parts = [read_lines(corpus / "parts" / f"{name}.jsonl") for name in ("train", "dev")]
    assert all(parts)
    written = sorted(parts[0] + parts[1], key=lambda line: str(line["speaker"]))
    assert written == [line | {"audio_filepath": f"../{line['audio_filepath']}"} for line in LINES]
    table = rows(result)
    sizes = [int(table[str(Path("parts") / f"{name}.jsonl")][0]) for name in ("train", "dev")]
    assert sizes == [len(part) for part in parts]


def test_split_keeps_the_compression(corpus: Path) -> None:
    assert run("merge", corpus / "all.jsonl", "-o", corpus / "all.jsonl.gz").exit_code == 0
    assert run("split", corpus / "all.jsonl.gz", "--parts", "one=1", "-o", corpus).exit_code == 0
    assert (corpus / "one.jsonl.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert len(read_manifest(corpus / "one.jsonl.gz")) == 4


def test_split_warns_of_empty_parts_and_missing_speakers(corpus: Path) -> None:
    write_lines(corpus / "one.jsonl", [{"wav": "clips/ada.wav", "duration": 0.1}])
    result = run("split", corpus / "one.jsonl", "--parts", "a=0.5,b=0.5", "-o", corpus)
    assert result.exit_code == 0
    assert "is empty: too few speakers for its share" in result.stderr
    assert "1 utterances name no speaker: their recordings were divided" in result.stderr


def test_filter_writes_what_is_kept_and_what_is_not(corpus: Path) -> None:
    kept, left_out = corpus / "kept.jsonl", corpus / "left_out.jsonl"
    conditions = ["--min-duration-s", "0.2", "--chars", "abcdefghijklmnopqrstuvwxyz"]
    result = run("filter", corpus / "all.jsonl", "-o", kept, "--left-out", left_out, *conditions)
    assert result.exit_code == 0, result.output
    assert read_lines(kept) == LINES[1:3]
    assert read_lines(left_out) == [
        LINES[0] | {"left_out": "below 0.2 s: 0.10"},
        LINES[3] | {"left_out": "characters that are not allowed: '!' '?'"},
    ]
    assert "left out: below 0.2 s" in result.stdout


def test_filter_writes_nothing_when_nothing_is_kept(corpus: Path) -> None:
    result = run(
        "filter", corpus / "all.jsonl", "-o", corpus / "kept.jsonl", "--speaker", "eve", "--match", "a"
    )
    assert result.exit_code == 2
    assert "left out: another speaker" in result.stdout
    assert "no utterance is left, so it is not written" in result.stderr
    assert not (corpus / "kept.jsonl").exists()


def test_bad_lines_are_named_and_the_rest_goes_on(corpus: Path) -> None:
    bad = write_lines(corpus / "bad.jsonl", [*LINES, {"wav": "none.wav", "duration": 1.0}])
    left_out = corpus / "left_out.jsonl"
    result = run("filter", bad, "-o", corpus / "kept.jsonl", "--left-out", left_out)
    assert result.exit_code == 1
    assert f"left out: {bad}, line 5: the audio 'none.wav' does not exist" in result.stderr
    assert len(read_lines(corpus / "kept.jsonl")) == 4
    assert "line 5" in read_lines(left_out)[0]["left_out"]


def test_merge_names_duplicates_and_keeps_paths_right(corpus: Path, tmp_path: Path) -> None:
    other = write_lines(
        corpus / "clips/other.jsonl",
        [
            {"wav": "ada.wav", "duration": 0.1, "text": "bye"},
            {"wav": "ada.wav", "duration": 0.05, "offset": 0.05},
        ],
    )
    merged = tmp_path / "merged/all.jsonl"
    result = run("merge", corpus / "all.jsonl", other, "-o", merged)
    assert result.exit_code == 0, result.output
    assert [line["audio_filepath"] for line in read_lines(merged)] == [
        *(f"../corpus/{line['audio_filepath']}" for line in LINES),
        "../corpus/clips/ada.wav",
    ]
    assert "clips/ada.wav: the audio and offset of an earlier line, with another text" in result.stderr
    assert [Path(each.audio).is_file() for each in read_manifest(merged)] == [True] * 5


def test_many_duplicates_are_counted(corpus: Path) -> None:
    many = write_lines(corpus / "many.jsonl", LINES * 5)
    result = run("merge", many, "-o", corpus / "once.jsonl")
    assert result.stderr.count("earlier line") == 10
    assert "left out 16 in all; --left-out FILE writes each" in result.stderr


def test_stats_show_a_column_for_each_manifest(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest_tables, "MAX_SHOWN_CHARACTERS", 3)
    two = write_lines(corpus / "two.jsonl", [LINES[1], {"wav": "clips/ada.wav", "duration": 9, "offset": 1}])
    result = run("stats", corpus / "all.jsonl", two, "--json", corpus / "stats.json")
    assert result.exit_code == 0, result.output
    table = rows(result)
    assert table["utterances"] == ["4", "2", "6"]
    assert table["speakers"] == ["4", "1", "4"]
    assert table["words"] == ["7", "1", "8"]
    assert table["characters:"][:2] == ["e", "6"]
    assert "more; --json FILE writes each" in result.stdout
    report = json.loads((corpus / "stats.json").read_text(encoding="utf-8"))
    assert report["manifests"][str(two)]["num_without_text"] == 1
    assert report["all"]["characters"]["w"] == 1
    assert report["all"]["duration_s"]["100"] == 9.0


def test_stats_write_out_characters_that_are_not_seen(corpus: Path) -> None:
    line = LINES[0] | {"text": "e\u0301 \x1b"}
    stdout = run("stats", write_lines(corpus / "marks.jsonl", [line])).stdout
    assert "characters: U+001B 1  U+0020 1  e 1  U+0301 1" in stdout


def test_normalize_keeps_the_originals(corpus: Path) -> None:
    output = corpus / "normal.jsonl"
    result = run("normalize", corpus / "all.jsonl", "--normalizer", "basic", "-o", output)
    assert result.exit_code == 0, result.output
    lines = read_lines(output)
    assert [line["text"] for line in lines] == ["hello you", "hello", "one two three", ""]
    assert [line.get("raw_text") for line in lines] == ["Hello, you!", None, None, "?!"]
    assert "4 utterances, 2 texts changed" in result.stdout
    assert "no word is left of the text of" in result.stderr
    assert "dee.wav" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["filter", "all.jsonl", "-o", "all.jsonl", "--force"],
        ["filter", "all.jsonl", "-o", "new.jsonl", "--left-out", "new.jsonl"],
        ["filter", "all.jsonl", "-o", "taken.jsonl"],
        ["merge", "all.jsonl", "-o", "clips/../all.jsonl", "--force"],
        ["normalize", "all.jsonl", "--normalizer", "basic", "-o", "taken.jsonl"],
        ["split", "all.jsonl", "--parts", "new=0.5,taken=0.5", "-o", "."],
        ["split", "all.jsonl", "--parts", "all=1", "-o", ".", "--force"],
        ["stats", "all.jsonl", "--json", "taken.jsonl"],
        ["filter", "all.jsonl", "-o", "s3://bucket/kept.jsonl"],
        ["filter", "all.jsonl", "-o", "new.jsonl", "--match", "("],
        ["normalize", "all.jsonl", "--normalizer", "basik", "-o", "new.jsonl"],
        ["merge", "all.jsonl", "none.jsonl", "-o", "new.jsonl"],
    ],
)
def test_wrong_usage_writes_nothing(
    arguments: list[str], corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus)
    Path("taken.jsonl").write_text("precious\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before


def test_force_replaces_what_is_there(corpus: Path) -> None:
    (corpus / "taken.jsonl").write_text("old\n", encoding="utf-8")
    assert run("merge", corpus / "all.jsonl", "-o", corpus / "taken.jsonl", "--force").exit_code == 0
    assert read_lines(corpus / "taken.jsonl") == LINES


def test_shard_packs_recordings_and_names_what_it_leaves_out(corpus: Path, tmp_path: Path) -> None:
    result = run("shard", corpus / "all.jsonl", "-o", tmp_path / "shards", "--shard-mb", "0.004")
    assert result.exit_code == 0, result.output
    manifest = tmp_path / "shards/tarred_audio_manifest.jsonl"
    assert result.stdout == f"{manifest}: 4 utterances in 2 archives\n"
    assert {line["speaker"] for line in read_lines(manifest)} == {"ada", "bo", "cy", "dee"}
    assert run("stats", manifest).exit_code == 0
    result = run("shard", corpus / "all.jsonl", "-o", tmp_path / "shards")
    assert result.exit_code == 2
    assert "is no empty folder" in result.stderr
    (corpus / "clips/bo.wav").write_bytes(b"no sound")
    left_out = tmp_path / "left_out.jsonl"
    result = run("shard", corpus / "all.jsonl", "-o", tmp_path / "three", "--left-out", left_out)
    assert result.exit_code == 1
    assert "bo.wav: its recording cannot be read" in result.stderr
    assert [line["speaker"] for line in read_lines(left_out)] == ["bo"]


def test_a_tarred_manifest_is_filtered_beside_its_archives(corpus: Path, tmp_path: Path) -> None:
    assert run("shard", corpus / "all.jsonl", "-o", tmp_path / "shards").exit_code == 0
    manifest = tmp_path / "shards/tarred_audio_manifest.jsonl"
    result = run("filter", manifest, "-o", tmp_path / "shards/ada.jsonl", "--speaker", "ada")
    assert result.exit_code == 0, result.output
    (line,) = read_lines(tmp_path / "shards/ada.jsonl")
    assert line in read_lines(manifest)
    result = run("filter", manifest, "-o", tmp_path / "ada.jsonl", "--speaker", "ada")
    assert result.exit_code == 2
    assert "beside the archives" in result.stderr
