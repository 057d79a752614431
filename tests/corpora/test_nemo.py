"""NeMo manifests: plain, compressed, and beside tar archives of audio."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError

Prepare = Callable[..., Any]


def lines(*objects: Any) -> str:
    return "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in objects)


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_each_manifest_of_a_directory(
    tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    audio = put_audio(tmp_path / "in/audio/a.opus")
    line = {"audio_filepath": "audio/a.opus", "duration": 0.25, "text": "one", "emotion": "none"}
    (tmp_path / "in/train.json").write_text(lines(line, line | {"speaker": "anna", "lang": "en"}))
    with gzip.open(tmp_path / "in/dev.jsonl.gz", "wt") as file:
        file.write(lines({"audio_filepath": str(audio)}))
    corpus = prepared("nemo", tmp_path / "in")
    assert corpus.texts() == {"train": ["one", "one"], "dev": [None]}
    first, second = corpus.parts["train"]
    assert (first.audio, first.extra) == (str(audio), {"emotion": "none"})
    assert (second.speaker, second.language) == ("anna", "en")
    assert corpus.report.parts[1].characters == ""


def test_wrong_lines_are_left_out_and_named(
    tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    put_audio(tmp_path / "a.wav")
    (tmp_path / "b.wav").write_bytes(b"no sound")
    manifest = tmp_path / "train.json"
    good = {"audio_filepath": "a.wav", "duration": 0.25, "text": "one"}
    manifest.write_text(
        lines(
            "not json",
            good,
            good | {"audio_filepath": "none.wav"},
            good | {"duration": 7},
            good | {"text": " "},
            good | {"audio_filepath": "b.wav"},
        )
    )
    corpus = prepared("nemo", manifest)
    assert corpus.texts() == {"train": ["one"]}
    reasons = corpus.reasons()
    assert "is not JSON" in reasons["train.json, line 1"]
    assert "does not exist" in reasons["train.json, line 3"]
    assert reasons["train.json, line 4"] == "ends at 7.00 s, but the recording at 0.25 s"
    assert reasons["train.json, line 5"] == "no text for this audio"
    assert "not a recording that can be read" in reasons["train.json, line 6"]
    page = (tmp_path / "out/nemo.md").read_text()
    assert "Left out (5):" in page


def test_tarred_audio_is_unpacked(tmp_path: Path, recordings: dict[str, Path], prepared: Prepare) -> None:
    sound = recordings[".flac"].read_bytes()
    write_tar(tmp_path / "in/audio_0.tar", {"a.flac": sound, "b_c.flac": sound})
    write_tar(tmp_path / "in/audio_1.tar", {"./a.flac": sound, "d-sub1.flac": sound})
    line = {"duration": 0.1, "text": "one"}
    (tmp_path / "in/tarred_audio_manifest.json").write_text(
        lines(
            line | {"audio_filepath": "a.flac", "shard_id": 0},
            line | {"audio_filepath": "b_c.flac", "shard_id": 0},
            line | {"audio_filepath": "b_c-sub1.flac", "shard_id": 0, "offset": 0.1, "text": "two"},
            line | {"audio_filepath": "a.flac", "shard_id": 1, "speaker": "anna"},
            line | {"audio_filepath": "d-sub1.flac", "shard_id": 1},
        )
    )
    corpus = prepared("nemo", tmp_path / "in")
    utterances = corpus.parts["tarred_audio_manifest"]
    places = [Path(each.audio).relative_to(tmp_path / "out").as_posix() for each in utterances]
    assert places == [
        "audio/audio_0/a.flac",
        "audio/audio_0/b_c.flac",
        "audio/audio_0/b_c.flac",
        "audio/audio_1/a.flac",
        "audio/audio_1/d-sub1.flac",
    ]
    assert [each.offset_s for each in utterances] == [0, 0, 0.1, 0, 0]
    assert (utterances[3].speaker, utterances[3].extra) == ("anna", {})
    assert Path(utterances[0].audio).read_bytes() == sound
    with pytest.raises(ManifestError, match="the summary exists already"):
        prepared("nemo", tmp_path / "in")
    for made in (tmp_path / "out").glob("*.*"):
        made.unlink()
    with pytest.raises(ManifestError, match="the file exists already"):
        prepared("nemo", tmp_path / "in")
    assert len(prepared("nemo", tmp_path / "in", force=True).all()) == 5


def test_archives_cannot_reach_outside(
    tmp_path: Path, recordings: dict[str, Path], prepared: Prepare
) -> None:
    sound = recordings[".flac"].read_bytes()
    names = ["../../evil.flac", "/evil.flac", "..", "x/../../evil.flac"]
    write_tar(tmp_path / "in/audio_0.tar", dict.fromkeys(names, sound))
    with tarfile.open(tmp_path / "in/audio_0.tar", "a") as archive:
        link = tarfile.TarInfo("link.flac")
        link.type, link.linkname = tarfile.SYMTYPE, str(recordings[".flac"])
        archive.addfile(link)
    (tmp_path / "in/m.json").write_text(
        lines(
            *(
                {"audio_filepath": name, "duration": 0.1, "text": "x", "shard_id": 0}
                for name in [*names, "link.flac"]
            )
        )
    )
    corpus = prepared("nemo", tmp_path / "in")
    audio = tmp_path / "out/audio"
    assert {path.parent for path in audio.rglob("*.flac")} == {audio / "audio_0"}
    assert all(Path(each.audio).resolve().is_relative_to(audio) for each in corpus.all())
    assert "would take the same file name" in corpus.reasons()["m.json, line 2"]
    assert "is no file of at most" in corpus.reasons()["m.json, line 5"]
    assert not list(tmp_path.glob("*.flac"))


def test_missing_and_damaged_archives_are_named(
    tmp_path: Path, recordings: dict[str, Path], prepared: Prepare
) -> None:
    write_tar(tmp_path / "in/audio_0.tar", {"a.flac": recordings[".flac"].read_bytes()})
    (tmp_path / "in/audio_1.tar").write_bytes(b"this is no archive")
    line = {"audio_filepath": "a.flac", "duration": 0.1, "text": "one"}
    (tmp_path / "in/m.json").write_text(
        lines(
            line | {"shard_id": 0},
            line | {"shard_id": 1},
            line | {"shard_id": 2},
            line | {"shard_id": "../0"},
            line | {"shard_id": 0, "audio_filepath": "none.flac"},
        )
    )
    corpus = prepared("nemo", tmp_path / "in")
    assert corpus.texts() == {"m": ["one"]}
    reasons = corpus.reasons()
    assert "cannot be read" in reasons["m.json, line 2"]
    assert reasons["m.json, line 3"] == "the archive audio_2.tar is not beside the manifest"
    assert "is not beside the manifest" in reasons["m.json, line 4"]
    assert "has no member 'none.flac'" in reasons["m.json, line 5"]
