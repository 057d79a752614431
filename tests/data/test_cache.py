"""The cache of decoded audio: what it gives, when it decodes, and what damage it survives."""

import io
import logging
import os
import pickle
import tarfile
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.archive import Member, as_member, read_members
from linnet.core.errors import AudioError
from linnet.data import cache as cache_module
from linnet.data.cache import AudioCache, open_cache, read_stretch, stretch_of
from linnet.data.config import SourceConfig
from linnet.data.examples import Example
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.shards import MANIFEST_NAME, write_shards

RATE_HZ = 16_000
SOURCES = [SourceConfig(manifest=Path(name)) for name in ("a/train.jsonl", "b/train.jsonl", "a/train.jsonl")]
OpenCache = Callable[..., AudioCache]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the recordings that were decoded, in order."""
    names: list[str] = []

    def read(stretch: cache_module.Stretch, sample_rate_hz: int) -> object:
        names.append(Path(stretch.audio).name)
        return read_stretch(stretch, sample_rate_hz)

    monkeypatch.setattr(cache_module, "read_stretch", read)
    return names


@pytest.fixture
def open_it(tmp_path: Path) -> OpenCache:
    """`open_it(examples, num_workers=0, sample_rate_hz=16000)` → the cache in `tmp_path/cache`."""

    def open_it(examples: list[Example], num_workers: int = 0, sample_rate_hz: int = RATE_HZ) -> AudioCache:
        return open_cache(examples, SOURCES, tmp_path / "cache", sample_rate_hz, num_workers=num_workers)

    return open_it


def assert_holds(cache: AudioCache, examples: list[Example]) -> None:
    for index, example in enumerate(examples):
        samples = cache[index]
        assert samples is not None
        assert samples.dtype == np.float32
        np.testing.assert_allclose(samples, read_stretch(stretch_of(example), RATE_HZ), atol=0.5 / 32768)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_it_gives_what_the_files_give(recorded: list[Example], open_it: OpenCache, num_workers: int) -> None:
    assert_holds(open_it(recorded, num_workers), recorded)


def test_it_decodes_once_and_anew_what_changed(
    recorded: list[Example], open_it: OpenCache, decoded: list[str]
) -> None:
    open_it(recorded)
    assert decoded == [f"{number}.wav" for number in range(6)]
    assert_holds(open_it(recorded), recorded)
    assert len(decoded) == 6
    os.utime(recorded[2].utterance.audio, ns=(0, 0))
    open_it(recorded)
    assert len(decoded) == 12
    assert open_it(recorded, sample_rate_hz=8000).places[0, 2] == 800


def test_sources_of_one_manifest_share_what_they_read(
    recorded: list[Example], make_example: Callable[..., Example], open_it: OpenCache, decoded: list[str]
) -> None:
    def again(index: int, source: int, **stretch: float) -> Example:
        utterance = recorded[index].utterance
        values = {"duration_s": utterance.duration_s} | stretch
        return make_example(utterance.audio, values.pop("duration_s"), source=source, **values)

    examples = [*recorded[:2], again(1, 1), again(1, 2), again(1, 2, duration_s=0.05, offset_s=0.05)]
    cache = open_it(examples)
    assert decoded == ["0.wav", "1.wav", "1.wav", "1.wav"]
    assert_holds(cache, examples)
    again_alone = open_it([again(1, 1)])
    assert len(decoded) == 4, "the other manifest is left alone"
    assert_holds(again_alone, [again(1, 1)])


def test_it_rounds_and_clips_what_16_bits_cannot_hold(
    monkeypatch: pytest.MonkeyPatch, make_example: Callable[..., Example], open_it: OpenCache
) -> None:
    read = np.array([1.0, -1.0, 1.7, -1.7, 0.4 / 32768, 0.6 / 32768], np.float32)
    monkeypatch.setattr("linnet.data.cache.read_audio", lambda *_, **__: read)
    samples = open_it([make_example()])[0]
    assert samples is not None
    assert (samples * 32768).tolist() == [32767, -32768, 32767, -32768, 0, 1]


def test_what_cannot_be_decoded_is_none(recorded: list[Example], open_it: OpenCache) -> None:
    Path(recorded[1].utterance.audio).write_bytes(b"no audio")
    cache = open_it(recorded)
    assert cache[1] is None
    assert_holds(open_it([recorded[0], recorded[2]]), [recorded[0], recorded[2]])
    assert open_it([recorded[1]])[0] is None, "a file without samples cannot be mapped"


def test_another_process_maps_the_files_itself(recorded: list[Example], open_it: OpenCache) -> None:
    cache = open_it(recorded)
    assert cache[5] is not None
    sent = pickle.dumps(cache)
    assert len(sent) < 2000
    assert_holds(pickle.loads(sent), recorded)


@pytest.mark.parametrize("suffix", [".pcm", ".npy"])
@pytest.mark.parametrize("damage", ["shorter", "other", "gone"])
def test_damaged_files_are_written_anew(
    recorded: list[Example], open_it: OpenCache, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    suffix: str, damage: str,
) -> None:  # fmt: skip
    open_it(recorded)
    path = max((tmp_path / "cache").glob(f"*{suffix}"), key=lambda path: path.stat().st_size)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-8] if damage == "shorter" else b"PK\3\4")
    with caplog.at_level(logging.INFO, "linnet"):
        assert_holds(open_it(recorded), recorded)
    assert ("is damaged, and written anew" in caplog.text) == (damage != "gone")


def test_an_interrupt_leaves_nothing_half_written(
    recorded: list[Example], open_it: OpenCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(stretch: cache_module.Stretch, sample_rate_hz: int) -> object:
        if stretch.audio.endswith("3.wav"):
            raise KeyboardInterrupt
        return read_stretch(stretch, sample_rate_hz)

    monkeypatch.setattr(cache_module, "read_stretch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_it(recorded)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.fixture
def sharded(recorded: list[Example], tmp_path: Path) -> list[Example]:
    """The recordings in three archives, and a stretch of the last as another line for its member."""
    half = replace(recorded[5].utterance, offset_s=0.1, duration_s=0.1, text="half")
    utterances = [replace(each.utterance, text=str(row)) for row, each in enumerate(recorded)]
    write_shards([*utterances, half], tmp_path / "shards", shard_mb=0.012)
    by_text = {each.text: each for each in read_manifest(tmp_path / "shards" / MANIFEST_NAME)}
    return [replace(recorded[0], utterance=by_text[text]) for text in [*map(str, range(6)), "half"]]


def rewrite_tar(
    path: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]
) -> None:
    with tarfile.open(path) as archive:
        members = [(info, archive.extractfile(info)) for info in archive]
        contents = [(info, file.read()) for info, file in members if file]
    with tarfile.open(path, "w") as archive:
        for info, content in contents:
            new, content = change(info, content)
            new.size = len(content)
            archive.addfile(new, io.BytesIO(content))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_archives_give_what_the_files_give(
    recorded: list[Example], sharded: list[Example], open_it: OpenCache, num_workers: int
) -> None:
    half = replace(recorded[5], utterance=replace(recorded[5].utterance, offset_s=0.1, duration_s=0.1))
    cache = open_it(sharded, num_workers)
    assert_holds(cache, [*recorded, half])
    assert_holds(open_it([sharded[6], recorded[2], sharded[1]]), [half, recorded[2], recorded[1]])


def test_archives_are_read_once_from_front_to_back(
    sharded: list[Example], open_it: OpenCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def read(archive: str, names: Container[str]) -> Iterator[tuple[str, bytes]]:
        opened.append(Path(archive).name)
        yield from read_members(archive, names)

    monkeypatch.setattr(cache_module, "read_members", read)
    open_it(sharded[::-1])
    assert sorted(opened) == sorted(path.name for path in Path(archive_of(sharded[0])).parent.glob("*.tar"))
    assert len(opened) > 1
    open_it(sharded[::-1])
    assert len(opened) == len(set(opened)), "the cache is full"
    os.utime(archive_of(sharded[0]), ns=(0, 0))
    open_it(sharded[::-1])
    assert len(opened) == 2 * len(set(opened))


def archive_of(example: Example) -> str:
    member = as_member(example.utterance.audio)
    assert member is not None
    return member.archive


@pytest.mark.parametrize("damage", ["renamed", "link", "no audio"])
def test_members_that_cannot_be_read_are_named(
    recorded: list[Example], sharded: list[Example], open_it: OpenCache, caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:  # fmt: skip
    member = as_member(sharded[1].utterance.audio)
    assert member is not None

    def change(info: tarfile.TarInfo, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
        if info.name != member.name:
            return info, content
        if damage == "renamed":
            info.name = "other.wav"
        if damage == "link":
            info.type, info.linkname, content = tarfile.SYMTYPE, recorded[1].utterance.audio, b""
        return info, b"no audio" if damage == "no audio" else content

    rewrite_tar(Path(member.archive), change)
    cache = open_it(sharded)
    assert cache[1] is None
    assert f"left out {member.name} of {member.archive}" in caplog.text
    assert caplog.text.count("left out") == 1
    with pytest.raises(AudioError, match="could not be read from its archive when the cache was filled"):
        read_stretch(stretch_of(sharded[1]), RATE_HZ)
    assert_holds(open_it(sharded[2:6]), recorded[2:6])


def test_a_cut_archive_gives_what_is_left(
    sharded: list[Example], open_it: OpenCache, caplog: pytest.LogCaptureFixture
) -> None:
    archive = Path(archive_of(sharded[0]))
    archive.write_bytes(archive.read_bytes()[:600])
    cache = open_it(sharded)
    for row, example in enumerate(sharded):
        assert (cache[row] is None) == (archive_of(example) == str(archive))
    assert "is damaged" in caplog.text
    archive.unlink()
    with pytest.raises(AudioError, match="cannot be read"):
        open_it(sharded, num_workers=1)


def test_the_names_of_nemo_mean_the_member_that_is_there(
    recorded: list[Example], make_example: Callable[..., Example], open_it: OpenCache, tmp_path: Path
) -> None:
    archive = tmp_path / "audio_0.tar"
    with tarfile.open(archive, "w") as opened:
        for name, row in (("b-sub1.wav", 1), ("a.wav", 2), ("b.wav", 3)):
            opened.add(recorded[row].utterance.audio, name)
    rows = {"a.wav": 2, "a-sub1.wav": 2, "a-sub2.wav": 2, "b.wav": 3, "b-sub1.wav": 1, "b-sub2.wav": 3}
    examples = [make_example(str(Member(str(archive), name)), 0.35) for name in rows]
    assert_holds(open_it(examples), [recorded[row] for row in rows.values()])


def test_archives_in_a_bucket(
    s3_store: Any, recorded: list[Example], sharded: list[Example], open_it: OpenCache
) -> None:
    folder = Path(archive_of(sharded[0])).parent
    for path in folder.iterdir():
        s3_store.put(f"cache/{path.name}", path.read_bytes())
    utterances = read_manifest(f"s3://bucket/cache/{MANIFEST_NAME}")
    examples = [replace(recorded[0], utterance=each) for each in utterances if each.text != "half"]
    assert len(examples) == 6
    assert_holds(open_it(examples), [recorded[int(each.utterance.text or "")] for each in examples])
    missing = replace(utterances[0], audio=str(Member("s3://bucket/cache/audio_9.tar", "a.wav")))
    with pytest.raises(AudioError, match="there is no file at this address"):
        open_it([replace(recorded[0], utterance=missing)])
