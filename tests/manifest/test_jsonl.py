"""Manifests: names and synonyms, paths, compression, and errors that name file, line and remedy."""

import gzip
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linnet.audio.write import write_audio
from linnet.core.arrays import Samples
from linnet.core.errors import ManifestError
from linnet.manifest import jsonl
from linnet.manifest.jsonl import read_manifest, scan_manifest, write_manifest
from linnet.manifest.utterance import Utterance

GOOD = {"audio_filepath": "audio/a.wav", "duration": 1.25, "text": "hello"}


@pytest.fixture
def folder(tmp_path: Path, tone: Callable[..., Samples]) -> Path:
    """A folder that holds audio/a.wav of 1.25 s."""
    write_audio(tmp_path / "audio/a.wav", tone(duration_s=1.25))
    return tmp_path


def manifest(folder: Path, *lines: dict[str, Any] | str) -> Path:
    path = folder / "train.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def problem(folder: Path, line: dict[str, Any] | str) -> str:
    """Read a manifest whose third line is `line` and return the message of its one problem."""
    scanned = scan_manifest(manifest(folder, GOOD, "", line, GOOD))
    assert len(scanned.utterances) == 2, "the good lines were not read"
    assert len(scanned.problems) == 1
    message = str(scanned.problems[0])
    assert message.startswith(f"{folder / 'train.jsonl'}, line 3: ")
    return message


def test_every_field_finds_its_place(folder: Path) -> None:
    line = GOOD | {"offset": 0.25, "duration": 1, "lang": "en", "speaker": "ada", "label": 3, "orig_sr": 8000}
    (utterance,) = read_manifest(manifest(folder, line))
    assert utterance == Utterance(
        audio=str(folder / "audio/a.wav"),
        duration_s=1.0,
        text="hello",
        offset_s=0.25,
        speaker="ada",
        language="en",
        extra={"label": 3, "orig_sr": 8000},
    )


@pytest.mark.parametrize("name", ["audio_filepath", "audio", "audio_file", "wav", "path"])
def test_synonyms_of_the_audio(name: str, folder: Path) -> None:
    (utterance,) = read_manifest(manifest(folder, {name: "audio/a.wav", "duration": 1.25}))
    assert utterance.audio == str(folder / "audio/a.wav")


@pytest.mark.parametrize("name", ["text", "sentence", "transcript"])
def test_synonyms_of_the_text(name: str, folder: Path) -> None:
    (utterance,) = read_manifest(manifest(folder, {"wav": "audio/a.wav", "duration": 1.25, name: "hi"}))
    assert (utterance.text, utterance.extra) == ("hi", {})


def test_a_second_synonym_is_kept_as_extra(folder: Path) -> None:
    (utterance,) = read_manifest(manifest(folder, GOOD | {"sentence": "Hello!", "path": "orig.mp3"}))
    assert (utterance.text, utterance.extra) == ("hello", {"sentence": "Hello!", "path": "orig.mp3"})


def test_missing_null_and_empty_texts_differ(folder: Path) -> None:
    no_text = {"audio_filepath": "audio/a.wav", "duration": 1.25}
    lines = [no_text, no_text | {"text": None}, no_text | {"text": ""}]
    assert [utterance.text for utterance in read_manifest(manifest(folder, *lines))] == [None, None, ""]


def test_a_missing_duration_is_read_from_the_recording(folder: Path) -> None:
    line = {"audio_filepath": "audio/a.wav", "text": "hello"}
    first, second = read_manifest(manifest(folder, line, line | {"offset": 0.5}))
    assert (first.duration_s, second.duration_s) == (1.25, 0.75)


def test_an_absolute_path_stays(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (utterance,) = read_manifest(manifest(elsewhere, GOOD | {"audio_filepath": str(folder / "audio/a.wav")}))
    assert utterance.audio == str(folder / "audio/a.wav")


def test_byte_order_mark_blank_lines_and_crlf_are_tolerated(folder: Path) -> None:
    path = folder / "train.jsonl"
    line = json.dumps(GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + f"{line}\r\n\r\n  \n{line}".encode())
    assert [utterance.text for utterance in read_manifest(path)] == ["hello", "hello"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            {"duration": 1.0, "text": "a"},
            "names no audio (looked for audio_filepath, audio, audio_file, wav, path)",
        ),
        (GOOD | {"audio_filepath": "b.wav"}, "the audio 'b.wav' does not exist (looked at "),
        (GOOD | {"audio_filepath": "b.wav"}, "A relative path is relative to the manifest's directory"),
        (GOOD | {"audio_filepath": "a\0b"}, "does not exist"),
        (GOOD | {"audio_filepath": "a" * 5000}, "does not exist"),
        (GOOD | {"audio_filepath": 7}, "'audio_filepath' is 7, not a text"),
        (GOOD | {"text": 896}, "'text' is 896, not a text. Put 'text' in quotes"),
        (GOOD | {"text": ["a"]}, "'text' is ['a'], not a text"),
        (GOOD | {"duration": "1.25"}, "'duration' is '1.25'. Write 'duration' as a number of seconds"),
        (GOOD | {"duration": True}, "'duration' is True"),
        (GOOD | {"duration": 0}, "the duration is 0.0 s"),
        (GOOD | {"duration": float("nan")}, "the duration is nan s"),
        (GOOD | {"duration": 10**400}, "the duration is inf s"),
        (GOOD | {"offset": -2}, "the offset is -2.0 s"),
        ({"audio": "audio/a.wav", "offset": 9}, "the duration is -7.75 s"),
        ({"audio": "train.jsonl"}, "no 'duration' and the header of the audio cannot be read"),
        ("audio/a.wav\thello", "audio/a.wav\thello is not JSON ("),
        ('{"audio": "audio/a.wav",', "is not JSON"),
        ("{", "Write one object a line, such as {"),
        ('["audio/a.wav", 1.25]', "is not a JSON object"),
        ("12", "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
        ('{"duration": ' + "1" * 5000 + "}", "is not JSON"),
        ('{"text": "' + "a" * (1 << 20) + '"}', "the line is longer than 1048576 bytes"),
    ],
)
def test_each_mistake_is_named_with_its_line_and_remedy(
    line: dict[str, Any] | str, words: str, folder: Path
) -> None:
    message = problem(folder, line)
    assert words in message
    assert len(message) < 1000, "a message is read by people"


def test_bytes_that_are_no_utf8_are_a_problem_of_their_line(folder: Path) -> None:
    path = manifest(folder, GOOD, GOOD)
    path.write_bytes(path.read_bytes() + b'{"text": "caf\xe9"}\n')
    scanned = scan_manifest(path)
    assert len(scanned.utterances) == 2
    assert "line 3" in str(scanned.problems[0])


def test_strict_reading_raises_the_first_problem_and_counts_all(folder: Path) -> None:
    path = manifest(folder, GOOD, GOOD | {"duration": -1}, GOOD, "x")
    with pytest.raises(
        ManifestError, match=r"line 2: the duration is -1\.0 s \(2 of 4 lines cannot be used\)"
    ):
        read_manifest(path)


def test_lenient_reading_warns_and_goes_on(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = manifest(folder, GOOD, "x")
    with caplog.at_level(logging.WARNING):
        assert len(read_manifest(path, strict=False)) == 1
    assert "1 of 2 lines cannot be used and were left out" in caplog.text


def test_a_json_array_gets_its_own_remedy(folder: Path) -> None:
    path = folder / "train.json"
    for text in (json.dumps([GOOD]), json.dumps([GOOD, GOOD], indent=2)):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ManifestError, match=r"one JSON array, not JSON lines\. .*jq -c"):
            scan_manifest(path)


def test_an_empty_manifest_is_an_error(folder: Path) -> None:
    path = manifest(folder, "")
    with pytest.raises(ManifestError, match="holds no utterances"):
        read_manifest(path)


def test_a_missing_manifest_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"none\.jsonl: cannot read the manifest"):
        read_manifest(tmp_path / "none.jsonl")
    with pytest.raises(ManifestError, match="cannot read the manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("name", ["train.jsonl", "train.json", "train.jsonl.gz", "train.jsonl.zst"])
def test_what_is_written_is_read_back(name: str, folder: Path) -> None:
    if name.endswith(".zst"):
        pytest.importorskip("zstandard", reason="needs the extra train")
    audio = str(folder / "audio/a.wav")
    utterances = [
        Utterance(audio, 1.25, "höre \u2028 zu", speaker="ada", language="de", extra={"label": [1, None]}),
        Utterance(audio, 0.5, None, offset_s=0.75),
        Utterance(audio, 0.5, ""),
    ]
    write_manifest(folder / name, utterances)
    first = (folder / name).read_bytes()
    assert read_manifest(folder / name) == utterances
    write_manifest(folder / name, utterances)
    assert (folder / name).read_bytes() == first, "the same utterances gave other bytes"
    # The content tells how it is compressed, whatever the name.
    shutil.copy(folder / name, folder / "renamed")
    assert read_manifest(folder / "renamed") == utterances


def test_written_lines_are_nemo_lines(folder: Path) -> None:
    path = folder / "train.jsonl"
    write_manifest(
        path, [Utterance(str(folder / "audio/a.wav"), 1.25, "ää", extra={"duration": 9, "label": 1})]
    )
    text = path.read_text(encoding="utf-8")
    assert text == '{"audio_filepath": "audio/a.wav", "duration": 1.25, "text": "ää", "label": 1}\n'


def test_a_folder_can_move_with_its_manifest(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (utterance,) = read_manifest(manifest(folder, GOOD))
    write_manifest(folder / "train.jsonl", [utterance])
    moved = tmp_path_factory.mktemp("moved") / "corpus"
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    assert read_manifest(moved / "train.jsonl") == [replace(utterance, audio=str(moved / "audio/a.wav"))]


def test_audio_outside_and_relative_to_the_process_is_written_absolute(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(folder)
    write_manifest(elsewhere / "train.jsonl", [Utterance("audio/a.wav", 1.25, "hello")])
    (utterance,) = read_manifest(elsewhere / "train.jsonl")
    assert utterance.audio == str(folder / "audio/a.wav")


def test_file_names_that_are_not_utf8_survive(folder: Path) -> None:
    audio = folder / "audio" / b"caf\xe9.wav".decode("utf-8", "surrogateescape")
    try:
        shutil.copy(folder / "audio/a.wav", audio)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 names only")
    utterances = [Utterance(str(audio), 1.25, "hello")]
    write_manifest(folder / "train.jsonl", utterances)
    assert read_manifest(folder / "train.jsonl") == utterances


def test_an_interrupted_write_leaves_the_old_manifest(folder: Path) -> None:
    path = manifest(folder, GOOD)
    before = path.read_bytes()

    def broken() -> Any:
        yield Utterance(str(folder / "audio/a.wav"), 1.0, "new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_manifest(path, broken())
    assert path.read_bytes() == before
    assert sorted(file.name for file in folder.iterdir()) == ["audio", "train.jsonl"]


def test_an_endless_line_is_passed_over_without_being_held(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 100)
    path = manifest(folder, GOOD, "x" * 1000, GOOD)
    scanned = scan_manifest(path)
    assert len(scanned.utterances) == 2
    assert [error.where for error in scanned.problems] == [f"{path}, line 2"]


def test_speaker_zero_is_a_speaker(folder: Path) -> None:
    (utterance,) = read_manifest(manifest(folder, GOOD | {"speaker": 0}))
    assert utterance.speaker == "0"


def test_a_field_that_json_cannot_hold_is_named(folder: Path) -> None:
    path = manifest(folder, json.dumps(GOOD | {"snr": float("nan")}))
    with pytest.raises(
        ManifestError, match=r"out\.jsonl: the line of 'audio/a\.wav' cannot be written .*no NaN"
    ):
        write_manifest(folder / "out.jsonl", read_manifest(path))
    assert not (folder / "out.jsonl").exists()


def test_relative_audio_stays_relative_in_another_folder(folder: Path) -> None:
    absolute = GOOD | {"audio_filepath": str(folder / "audio/a.wav")}
    utterances = read_manifest(manifest(folder, GOOD, absolute))
    write_manifest(folder / "splits/dev/dev.jsonl", utterances)
    lines = (folder / "splits/dev/dev.jsonl").read_text(encoding="utf-8").splitlines()
    names = [json.loads(line)["audio_filepath"] for line in lines]
    assert names == ["../../audio/a.wav", str(folder / "audio/a.wav")]
    again = read_manifest(folder / "splits/dev/dev.jsonl")
    assert [Path(each.audio).resolve() for each in again] == [folder / "audio/a.wav"] * 2


@pytest.mark.parametrize("name", ["train.jsonl", "train.jsonl.gz"])
def test_a_manifest_at_a_url_names_audio_beside_it(name: str, folder: Path, s3_store: Any) -> None:
    s3_store.put("corpus/audio/a.wav", (folder / "audio/a.wav").read_bytes())
    content = "\n".join(json.dumps(line) for line in (GOOD, {"wav": "audio/a.wav"})).encode()
    url = s3_store.put(f"corpus/{name}", gzip.compress(content) if name.endswith(".gz") else content)
    for location in (url, Path(url)):
        utterances = read_manifest(location)
        assert [each.audio for each in utterances] == ["s3://bucket/corpus/audio/a.wav"] * 2
        assert [each.duration_s for each in utterances] == [1.25, 1.25], "the second is read from the header"


def test_a_manifest_here_may_name_audio_there(folder: Path) -> None:
    line = GOOD | {"audio_filepath": "s3://bucket/a//b.wav"}
    (utterance,) = read_manifest(manifest(folder, line))
    assert utterance.audio == "s3://bucket/a//b.wav"
    write_manifest(folder / "copy.jsonl", [utterance])
    assert (folder / "copy.jsonl").read_text(encoding="utf-8") == json.dumps(line) + "\n"


def test_problems_of_a_manifest_at_a_url_name_it(s3_store: Any) -> None:
    url = s3_store.put(
        "corpus/bad.jsonl", b'{"text": "a"}\n{"wav": "/no/such.wav", "duration": 1}\n{"wav": "a.wav"}'
    )
    messages = [str(problem) for problem in scan_manifest(url).problems]
    assert messages[0].startswith(f"{url}, line 1: the line names no audio")
    assert "'/no/such.wav' does not exist" in messages[1]
    assert "s3://bucket/corpus/a.wav: there is no file at this address" in messages[2]
    with pytest.raises(ManifestError, match=r"s3://bucket/none\.jsonl: there is no file at this address"):
        read_manifest("s3://bucket/none.jsonl")


def test_a_scheme_that_is_not_read_gets_the_list(folder: Path) -> None:
    assert "URLs begin with s3://, gs://, http://, https://" in problem(
        folder, GOOD | {"audio_filepath": "ftp://host/a.wav"}
    )
