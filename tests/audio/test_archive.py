"""Tar archives as hostile input: what is read of them, and what is passed over."""

import io
import logging
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from linnet.audio import archive as archive_module
from linnet.audio.archive import Member, as_member, read_members, shared_name
from linnet.audio.read import read_audio
from linnet.core.errors import AudioError


def tar_bytes(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize("archive", ["audio_0.tar", "/a/b.tar/audio_1.tar", "s3://bucket/a/audio_2.tar"])
def test_a_member_is_found_again_in_its_text(archive: str) -> None:
    member = Member(archive, "a/b!/c.wav")
    assert as_member(str(member)) == member


@pytest.mark.parametrize("location", ["a.wav", "audio_0.tar", "s3://bucket/audio_0.tar!/a.wav", "tar:a.wav"])
def test_other_locations_are_no_members(location: str) -> None:
    assert as_member(location) is None


def test_only_the_sub_before_the_suffix_is_dropped() -> None:
    assert [shared_name(name) for name in ("a-sub1.wav", "a-sub12", "a-sub1-b.wav", "a-sub.wav")] == [
        "a.wav", "a", "a-sub1-b.wav", "a-sub.wav",
    ]  # fmt: skip


def test_wanted_files_come_in_the_order_of_the_archive(tmp_path: Path) -> None:
    path = tmp_path / "audio_0.tar"
    path.write_bytes(tar_bytes({"c": b"3", "./a": b"1", "../b": b"2", "d": b"4"}))
    assert list(read_members(str(path), {"a", "c", "../b", "none"})) == [
        ("c", b"3"), ("a", b"1"), ("../b", b"2"),
    ]  # fmt: skip
    assert [each.name for each in tmp_path.iterdir()] == ["audio_0.tar"]


def test_links_devices_and_large_members_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "MAX_MEMBER_BYTES", 4)
    path = tmp_path / "audio_0.tar"
    path.write_bytes(tar_bytes({"large": b"12345", "small": b"1234"}))
    with tarfile.open(path, "a") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"kind{kind.decode()}")
            info.type, info.linkname = kind, "small"
            archive.addfile(info)
    names = {"large", "small", "kind1", "kind2", "kind3", "kind6"}
    assert list(read_members(str(path), names)) == [("small", b"1234")]


@pytest.mark.parametrize("kept", [512 + 700, 512 + 1024 + 100, 512 + 1024 + 512 + 700])
def test_a_damaged_archive_gives_what_is_before_the_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: int
) -> None:
    path = tmp_path / "audio_0.tar"
    path.write_bytes(tar_bytes({"a": b"a" * 1000, "b": b"b" * 1000})[:kept])
    with caplog.at_level(logging.WARNING, "linnet"):
        found = dict(read_members(str(path), {"a", "b"}))
    assert found == ({"a": b"a" * 1000} if kept > 512 + 1024 else {})
    assert ("is damaged" in caplog.text) == (kept != 512 + 1024 + 100), "half a header is an end for tarfile"


def test_what_is_no_archive_is_damaged_and_what_is_missing_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "audio_0.tar").write_bytes(b"no archive at all")
    assert list(read_members(str(tmp_path / "audio_0.tar"), {"a"})) == []
    assert "is damaged" in caplog.text
    with pytest.raises(AudioError, match="cannot be read"):
        list(read_members(str(tmp_path / "audio_1.tar"), {"a"}))


def test_an_archive_in_a_bucket_is_read_as_a_file(s3_store: Any) -> None:
    url = s3_store.put("shards/audio_0.tar", tar_bytes({"a": b"1" * 3000, "b": b"2"}))
    assert dict(read_members(url, {"b", "a"})) == {"a": b"1" * 3000, "b": b"2"}
    with pytest.raises(AudioError, match="there is no file at this address"):
        list(read_members("s3://bucket/shards/audio_1.tar", {"a"}))


def test_other_readers_say_how_to_unpack(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="linnet prepare nemo"):
        read_audio(str(Member(str(tmp_path / "audio_0.tar"), "a.wav")))
