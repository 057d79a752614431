"""Tar archives of recordings: what they hold, that they come out the same, and what is left out."""

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.write import write_audio
from linnet.core.errors import ManifestError
from linnet.corpora.nemo import read_nemo
from linnet.manifest.jsonl import read_manifest, scan_manifest, write_manifest
from linnet.manifest.shards import MANIFEST_NAME, Shards, write_shards
from linnet.manifest.utterance import Utterance


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    """Eight recordings of 0.1 s (3.2 kB), the first with two utterances."""
    found = []
    for number in range(8):
        path = tmp_path / f"in/clip.{number}-sub1.wav"
        write_audio(path, np.full(1600, 0.1 * number, np.float32))
        found.append(Utterance(str(path), 0.1, f"text {number}", extra={"snr": number}))
    return [*found, Utterance(found[0].audio, 0.05, "half", offset_s=0.05)]


def read_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / MANIFEST_NAME).read_text().splitlines()]


def shard(utterances: list[Utterance], folder: Path, seed: int = 0) -> Shards:
    return write_shards(utterances, folder, shard_mb=0.006, seed=seed)


def test_each_recording_is_stored_once_as_it_is(utterances: list[Utterance], tmp_path: Path) -> None:
    done: list[int] = []
    shards = write_shards(utterances, tmp_path / "out", shard_mb=0.006, progress=done.append)
    assert (shards.num_archives, len(shards.selection.kept), done[-1]) == (4, 9, 9)
    lines = read_lines(tmp_path / "out")
    contents = {}
    for number in range(4):
        with tarfile.open(tmp_path / f"out/audio_{number}.tar") as archive:
            for info in archive:
                member = archive.extractfile(info)
                assert member is not None
                contents[number, info.name] = member.read()
    assert len(contents) == 8
    by_text = {line["text"]: line for line in lines}
    for utterance in utterances[:8]:
        line = by_text[utterance.text]
        stored = contents[line["shard_id"], line["audio_filepath"]]
        assert stored == Path(utterance.audio).read_bytes()
        assert (line["duration"], line["snr"]) == (0.1, utterance.extra["snr"])
    first, half = by_text["text 0"], by_text["half"]
    assert half["audio_filepath"] == first["audio_filepath"].replace(".wav", "-sub1.wav")
    assert (half["shard_id"], half["offset"]) == (first["shard_id"], 0.05)


def test_it_can_be_prepared_again(utterances: list[Utterance], tmp_path: Path) -> None:
    shard(utterances, tmp_path / "out")
    entries: list[Any] = list(read_nemo(tmp_path / "out"))
    assert {entry.text for entry in entries} == {each.text for each in utterances}
    assert len({(entry.audio, entry.member) for entry in entries}) == 8


def test_the_same_input_gives_the_same_bytes_in_another_order(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    def contents(name: str, seed: int) -> dict[str, bytes]:
        shard(utterances, tmp_path / name, seed)
        Path(utterances[0].audio).touch()
        return {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}

    first, again, other = contents("a", 0), contents("b", 0), contents("c", 1)
    assert len(first) == 5
    assert first == again
    assert first != other
    order = [line["text"] for line in read_lines(tmp_path / "a")]
    assert order != [each.text for each in utterances]


def test_what_cannot_be_read_is_left_out(utterances: list[Utterance], tmp_path: Path) -> None:
    Path(utterances[0].audio).write_bytes(b"no sound")
    Path(utterances[1].audio).unlink()
    left_out = shard(utterances, tmp_path / "out").selection.left_out
    assert {each.utterance.text for each in left_out} == {"text 0", "half", "text 1"}
    assert len(read_lines(tmp_path / "out")) == 6
    with pytest.raises(ManifestError, match="none of 1 recordings can be read"):
        shard(utterances[:1], tmp_path / "none")
    packed = read_manifest(tmp_path / "out" / MANIFEST_NAME)
    with pytest.raises(ManifestError, match="lies in a tar archive already"):
        shard(packed, tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"], "nothing half-written"


def test_nothing_is_overwritten(utterances: list[Utterance], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    shard(utterances, tmp_path / "empty")
    for taken in (tmp_path / "empty", Path(utterances[0].audio)):
        with pytest.raises(ManifestError, match="is no empty folder"):
            shard(utterances, taken)


def test_recordings_come_from_a_bucket(s3_store: Any, utterances: list[Utterance], tmp_path: Path) -> None:
    url = s3_store.put("clips/a.wav", Path(utterances[1].audio).read_bytes())
    write_shards([Utterance(url, 0.1, "one")], tmp_path / "out")
    with tarfile.open(tmp_path / "out/audio_0.tar") as archive:
        assert archive.getnames() == ["00000000_a.wav"]


def test_a_tarred_manifest_is_rewritten_beside_its_archives_only(
    utterances: list[Utterance], tmp_path: Path
) -> None:
    shard(utterances, tmp_path / "out")
    packed = read_manifest(tmp_path / "out" / MANIFEST_NAME)
    write_manifest(tmp_path / "out/some.jsonl", packed[:3])
    assert read_manifest(tmp_path / "out/some.jsonl") == packed[:3]
    with pytest.raises(ManifestError, match="Write the new manifest beside the archives"):
        write_manifest(tmp_path / "some.jsonl", packed)


def test_lines_of_missing_archives_are_named(utterances: list[Utterance], tmp_path: Path) -> None:
    shard(utterances, tmp_path / "out")
    line = {"audio_filepath": "a.wav", "duration": 0.1, "text": "one"}
    lines = [line | {"shard_id": shard} for shard in (0, 7, "0", True)]
    lines += [{"shard_id": 0}, {"shard_id": 0, "audio_filepath": "a.wav"}]
    manifest = tmp_path / "out/wrong.jsonl"
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = scan_manifest(manifest)
    assert len(read.utterances) == 1
    expected = ["'audio_7.tar' does not exist", "'shard_id' is '0'", "'shard_id' is True", "names no audio",
                "no 'duration'"]  # fmt: skip
    for problem, words in zip(read.problems, expected, strict=True):
        assert words in str(problem)
