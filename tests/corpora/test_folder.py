"""A folder of recordings: texts beside the audio, tables, and what is left out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.corpora.prepare import prepare_corpus
from linnet.corpora.report import PrepareReport
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance


def prepare_folder(source: Path, output: Path, *, force: bool = False) -> PrepareReport:
    return prepare_corpus("folder", source, output, force=force)


@pytest.fixture
def source(tmp_path: Path, tone: Callable[..., Samples]) -> Path:
    """Recordings a.wav (0.5 s), b.flac (1 s) and deep/c.opus (1.5 s), without texts."""
    folder = tmp_path / "source"
    for number, name in enumerate(("a.wav", "b.flac", "deep/c.opus"), start=1):
        write_audio(folder / name, tone(duration_s=number / 2))
    return folder


def texts(manifest: Path) -> list[str | None]:
    return [utterance.text for utterance in read_manifest(manifest)]


def left_out(report: PrepareReport) -> dict[str, str]:
    return {Path(skipped.what).name: skipped.reason for skipped in report.skipped}


def test_texts_beside_the_audio(source: Path, tmp_path: Path) -> None:
    (source / "a.txt").write_bytes(b"\xef\xbb\xbfhello\r\n  there \n")
    (source / "b.TXT").write_text("two")
    (source / "deep/c.txt").write_text("three")
    (source / "._a.wav").write_bytes(b"what a Mac leaves beside a file")
    report = prepare_folder(source, tmp_path / "out")
    assert read_manifest(tmp_path / "out/manifest.jsonl") == [
        Utterance(str(source / "a.wav"), 0.5, "hello there"),
        Utterance(str(source / "b.flac"), 1.0, "two"),
        Utterance(str(source / "deep/c.opus"), 1.5, "three"),
    ]
    (part,) = report.parts
    assert (part.num_utterances, part.num_speakers, part.duration_s) == (3, 0, 3.0)
    assert report.skipped == ()


def test_what_is_left_out_has_a_reason(source: Path, tmp_path: Path) -> None:
    (source / "a.txt").write_text("hello")
    (source / "b.txt").write_text(" \n")
    (source / "e.txt").write_text("nobody says this")
    (source / "f.txt").write_bytes(b"caf\xe9")
    (source / "g.txt").write_text("a" * 2_000_000)
    (source / "h.txt").write_text("no audio inside")
    for name in ("f.wav", "g.wav"):
        (source / name).write_bytes((source / "a.wav").read_bytes())
    (source / "h.wav").write_bytes(b"this is text")
    reasons = left_out(prepare_folder(source, tmp_path / "out"))
    assert texts(tmp_path / "out/manifest.jsonl") == ["hello"]
    assert reasons.keys() == {"b.flac", "c.opus", "e.txt", "f.wav", "g.wav", "h.wav"}
    assert reasons["b.flac"] == reasons["c.opus"] == "no text for this audio"
    assert reasons["e.txt"] == "no audio for this text"
    assert reasons["f.wav"].startswith("the text beside it is not UTF-8")
    assert reasons["g.wav"] == "the text beside it is longer than 1048576 bytes"
    assert reasons["h.wav"].startswith("not a recording that can be read")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'path,sentence\na.wav,"hello, you"\nb.flac,"say ""two"""\n'),
        ("t.csv", 'Text;Audio_Filepath\r\n"hello, you";a.wav\r\n\r\n"say ""two""";b.flac\r\n'),
        ("t.tsv", '\ufeffid\tfile_name\ttranscript\n1\ta.wav\thello, you\n2\tb.flac\tsay "two"\n'),
        ("t.csv", 'a.wav|hello, you\nb.flac|say "two"\n'),
        ("T.TSV", 'a.wav\thello, you\nb.flac\tsay "two"'),
    ],
)
def test_tables_with_and_without_header(name: str, content: str, source: Path, tmp_path: Path) -> None:
    (source / name).write_text(content, encoding="utf-8", newline="")
    for number, given in enumerate((source, source / name)):
        prepare_folder(given, tmp_path / f"out{number}")
        utterances = read_manifest(tmp_path / f"out{number}/manifest.jsonl")
        assert [utterance.text for utterance in utterances] == ["hello, you", 'say "two"']
        assert utterances[0].audio == str(source / "a.wav")


def test_speaker_and_language_columns(source: Path, tmp_path: Path) -> None:
    table = source / "train.tsv"
    table.write_text("client_id\tpath\tsentence\tlocale\tage\nada\ta.wav\thello\ten\t30\n\tb.flac\ttwo\t\t\n")
    report = prepare_folder(table, tmp_path)
    first, second = read_manifest(tmp_path / "manifest.jsonl")
    assert (first.speaker, first.language) == ("ada", "en")
    assert (second.speaker, second.language) == ("", "")
    assert report.parts[0].num_speakers == 1


def test_rows_that_cannot_be_used_are_named_by_line(source: Path, tmp_path: Path) -> None:
    table = source / "t.csv"
    table.write_text("path,text\n\na.wav,hello\nnone.wav,gone\nb.flac\n,nothing\n")
    reasons = left_out(prepare_folder(table, tmp_path))
    assert reasons["t.csv, line 4"].startswith(f"{source / 'none.wav'}: the file cannot be opened")
    assert reasons["t.csv, line 5"] == "no text for this audio"
    assert reasons["t.csv, line 6"] == "no audio for this text"


def test_texts_beside_the_audio_win_over_a_table(source: Path, tmp_path: Path) -> None:
    (source / "a.txt").write_text("from the file")
    (source / "t.csv").write_text("path,text\na.wav,from the table\n")
    prepare_folder(source, tmp_path)
    assert texts(tmp_path / "manifest.jsonl") == ["from the file"]


def test_several_tables_have_to_be_named(source: Path, tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (source / name).write_text("path,text\na.wav,hello\n")
    with pytest.raises(ManifestError, match=r"holds 2 tables: test\.csv, train\.csv.*Name the one"):
        prepare_folder(source, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"path,words\na.wav,hello\n", r"\(path, words\) has no column for the text.*sentence"),
        (b"id,text\na.wav,hello\n", r"\(id, text\) has no column for the path.*filename"),
        (b"path,text\na.wav,caf\xe9\n", "not UTF-8.*Save it as UTF-8"),
        (b'path,text\na.wav,"' + b"a" * 200_000, "the table cannot be read"),
        (b"path,text\n", "no recording with a text"),
        (b"", "no recording with a text"),
    ],
)
def test_tables_that_cannot_be_used(content: bytes, words: str, source: Path, tmp_path: Path) -> None:
    (source / "t.csv").write_bytes(content)
    with pytest.raises(ManifestError, match=words):
        prepare_folder(source, tmp_path)


def test_a_folder_without_texts_says_what_to_put_there(source: Path, tmp_path: Path) -> None:
    words = r"no recording with a text \(3 left out; the first: .*a\.wav: no text.*Put a\.txt beside a\.wav"
    with pytest.raises(ManifestError, match=words):
        prepare_folder(source, tmp_path)
    with pytest.raises(ManifestError, match="no such file or directory"):
        prepare_folder(source / "none", tmp_path)
    assert not (tmp_path / "manifest.jsonl").exists()


def test_a_manifest_is_replaced_only_by_force(source: Path, tmp_path: Path) -> None:
    (source / "a.txt").write_text("hello")
    prepare_folder(source, source)
    assert '"a.wav"' in (source / "manifest.jsonl").read_text(), "the path inside the folder is not relative"
    (source / "a.txt").write_text("new")
    with pytest.raises(ManifestError, match=r"exists already.*--force"):
        prepare_folder(source, source)
    assert texts(source / "manifest.jsonl") == ["hello"]
    prepare_folder(source, source, force=True)
    assert texts(source / "manifest.jsonl") == ["new"]


def test_the_output_is_a_directory(source: Path, tmp_path: Path) -> None:
    for output in (tmp_path / "train.jsonl", source / "a.wav"):
        with pytest.raises(ManifestError, match=r"the output is a directory, not a file.*manifest\.jsonl"):
            prepare_folder(source, output)
