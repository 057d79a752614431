"""URLs: which they are, how names resolve against them, what is fetched, and what each failure says."""

import gzip
import http.server
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.audio.read import read_audio
from linnet.audio.write import write_audio
from linnet.core import remote
from linnet.core.errors import AudioError, ManifestError, MissingDependencyError
from linnet.core.remote import as_url, join_url, open_url
from linnet.manifest.jsonl import read_manifest


def fetch(url: str) -> bytes:
    with open_url(url, AudioError) as file:
        return file.read()


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("s3://bucket/a.wav", "s3://bucket/a.wav"),
        ("https://host/a.wav?x=1", "https://host/a.wav?x=1"),
        (Path("gs://bucket/a.wav"), "gs://bucket/a.wav"),
        (Path("http://host/a.wav"), "http://host/a.wav"),
        ("a.wav", None),
        ("/data/s3://bucket/a.wav", None),
        (Path("s3/a.wav"), None),
        ("s3:///a.wav", None),
        ("file:///etc/passwd", None),
        ("simplecache::s3://bucket/a.wav", None),
    ],
)
def test_what_is_a_url(location: str | Path, url: str | None) -> None:
    assert as_url(location) == url


@pytest.mark.parametrize(
    ("manifest", "name", "url"),
    [
        ("s3://b/dir/m.jsonl", "audio/a.wav", "s3://b/dir/audio/a.wav"),
        ("s3://b/m.jsonl", "a?#%20 é.wav", "s3://b/a?#%20 é.wav"),
        ("s3://b/dir//m.jsonl", "a.wav", "s3://b/dir//a.wav"),
        ("s3://b/dir/sub/m.jsonl", "../a.wav", "s3://b/dir/a.wav"),
        ("s3://b/dir/m.jsonl", "../../../other/a.wav", "s3://b/other/a.wav"),
        ("https://host/dir/m.jsonl?key=a/b", "a b#1.wav", "https://host/dir/a%20b%231.wav"),
    ],
)
def test_names_resolve_against_the_folder_of_a_url(manifest: str, name: str, url: str) -> None:
    assert join_url(manifest, name) == url


def test_an_object_is_read_and_can_be_sought_in(s3_store: Any) -> None:
    content = bytes(range(256)) * 10
    url = s3_store.put("dir/a é?.bin", content)
    assert fetch(url) == content
    with open_url(url, AudioError, block_bytes=100) as file:
        assert file.seek(-3, 2) == len(content) - 3
        assert file.read() == content[-3:]
        assert file.seek(1000) == 1000
        assert file.read(5) == content[1000:1005]


@pytest.mark.parametrize("name", ["bucket/none.wav", "nobucket/a.wav", "bucket/folder", "bucket/A.wav"])
def test_what_is_not_there_is_named(name: str, s3_store: Any) -> None:
    s3_store.put("folder/a.wav", b"a")
    s3_store.put("a.wav", b"a")
    with pytest.raises(
        ManifestError, match=f"^s3://{name}: there is no file at this address. Check the buck"
    ):
        open_url(f"s3://{name}", ManifestError).__enter__()


def test_missing_credentials_name_the_variables(s3_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = s3_store.put("a.wav", b"a")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(AudioError, match=r"bucket/a\.wav: no credentials were found.*AWS_ACCESS_KEY_ID"):
        fetch(url)


def test_an_object_that_is_too_large_is_not_opened(s3_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = s3_store.put("large.wav", b"12345")
    monkeypatch.setattr(remote, "MAX_URL_BYTES", 4)
    with pytest.raises(AudioError, match=r"large\.wav: cannot be fetched \(it is larger than 4 bytes\)"):
        fetch(url)


def test_a_transfer_that_breaks_off_is_an_error(s3_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from s3fs.core import S3File

    def broken(self: S3File, start: int, end: int) -> bytes:
        raise ConnectionResetError("reset by the store")

    url = s3_store.put("a.wav", b"12345")
    monkeypatch.setattr(S3File, "_fetch_range", broken)
    with pytest.raises(
        AudioError, match=r"a\.wav: cannot be fetched \(reset by the store\)\. Check the addr"
    ):
        fetch(url)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingDependencyError, match=r"s3://bucket/a\.wav.*pip install 'linnet\[remote\]'"):
        fetch("s3://bucket/a.wav")


def test_without_the_package_of_the_store_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec", reason="needs the extra remote")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(MissingDependencyError, match=r"gs://bucket/a\.wav cannot be read.*pip install gcsfs"):
        fetch("gs://bucket/a.wav")


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, never a part of a file, and refuses /secret."""

    def log_message(self, *arguments: Any) -> None:
        pass

    def send_head(self) -> Any:
        if self.path == "/secret":
            return self.send_error(403)
        return super().send_head()


@pytest.fixture
def website(tmp_path: Path) -> Iterator[str]:
    """The address of a web server that serves `tmp_path`."""
    pytest.importorskip("aiohttp", reason="reading from the web needs the extra remote")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_server_need_not_serve_parts(website: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "a b.bin").write_bytes(content)
    assert fetch(join_url(f"{website}/m.jsonl", "a b.bin")) == content


def test_manifests_and_recordings_are_read_from_a_web_server(website: str, tmp_path: Path) -> None:
    samples = np.linspace(-0.5, 0.5, 4000, dtype=np.float32)
    write_audio(tmp_path / "a b.wav", samples)
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b'{"wav": "a b.wav"}\n'))
    (utterance,) = read_manifest(f"{website}/m.jsonl.gz")
    assert utterance.audio == f"{website}/a%20b.wav"
    assert utterance.duration_s == 0.25
    assert np.array_equal(read_audio(utterance.audio), read_audio(tmp_path / "a b.wav"))


def test_a_web_stream_that_never_ends_is_cut(
    website: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(100_000))
    monkeypatch.setattr(remote, "MAX_URL_BYTES", 50_000)
    with pytest.raises(AudioError, match="larger than 50000 bytes"):
        fetch(f"{website}/a.bin")


def test_failures_of_a_web_server_differ(website: str) -> None:
    with pytest.raises(AudioError, match="there is no file at this address"):
        fetch(f"{website}/none.wav")
    with pytest.raises(AudioError, match=r"access is refused.*403"):
        fetch(f"{website}/secret")
    with pytest.raises(AudioError, match=r"cannot be fetched \(Cannot connect"):
        fetch("http://127.0.0.1:1/a.wav")
