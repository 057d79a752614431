"""What all corpora share: what is written and told, what is replaced, and which readers there are."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError, MissingDependencyError
from linnet.corpora.catalog import CORPORA, FORMATS, Corpus
from linnet.corpora.prepare import prepare_corpus
from linnet.corpora.readers import READERS

Prepare = Callable[..., Any]
PutAudio = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path, put_audio: PutAudio) -> Path:
    """Two recordings with texts and one without."""
    for name, text in (("a", "Ünal's cat"), ("b", "it | is `here`"), ("c", "")):
        put_audio(tmp_path / f"in/{name}.wav")
        (tmp_path / f"in/{name}.txt").write_text(text, encoding="utf-8")
    return tmp_path / "in"


def test_every_corpus_of_the_catalog_has_a_reader() -> None:
    assert set(READERS) == set(FORMATS) | set(CORPORA)
    assert not set(FORMATS) & set(CORPORA)


@pytest.mark.parametrize("corpus", CORPORA.values(), ids=lambda corpus: corpus.name)
def test_every_corpus_tells_its_license(corpus: Corpus) -> None:
    assert corpus.license_note == f"License: {corpus.license}"
    assert len(corpus.license) > 20
    assert "https://" in corpus.license or "http://" in corpus.license


def test_the_summary(folder: Path, prepared: Prepare, tmp_path: Path) -> None:
    corpus = prepared("folder", folder)
    page = (tmp_path / "out/folder.md").read_text(encoding="utf-8")
    assert "| manifest.jsonl | 2 | 0.00 | unknown | 0.25 s | 0.25 s | 0.25 s | 0.25 s | 15 |" in page
    assert "- manifest.jsonl: '`acehilnrst|Ü, space" in page
    assert f"Left out (1):\n\n- {folder / 'c.wav'}: no text for this audio\n" in page
    (part,) = corpus.report.parts
    assert part.lengths_s == (0.25, 0.25, 0.25, 0.25)
    assert part.duration_s == 0.5


def test_lengths_of_a_part(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    put_audio(tmp_path / "a.wav")
    rows = [f'{{"audio_filepath": "a.wav", "duration": {0.01 * number:.2f}}}\n' for number in range(1, 22)]
    (tmp_path / "m.json").write_text("".join(rows))
    (part,) = prepared("nemo", tmp_path / "m.json").report.parts
    assert part.lengths_s == pytest.approx((0.01, 0.11, 0.20, 0.21))


def test_nothing_is_replaced_unless_forced(folder: Path, prepared: Prepare, tmp_path: Path) -> None:
    prepared("folder", folder)
    page, manifest = tmp_path / "out/folder.md", tmp_path / "out/manifest.jsonl"
    before = (page.read_bytes(), manifest.read_bytes())
    (folder / "c.txt").write_text("now with a text")
    with pytest.raises(ManifestError, match=r"manifest\.jsonl: the manifest exists already.*--force"):
        prepared("folder", folder)
    manifest.rename(tmp_path / "kept")
    with pytest.raises(ManifestError, match=r"folder\.md: the summary exists already.*--force"):
        prepared("folder", folder)
    assert (page.read_bytes(), (tmp_path / "kept").read_bytes()) == before
    assert len(prepared("folder", folder, force=True).all()) == 3


def test_a_part_that_exists_stops_before_anything_is_written(
    tmp_path: Path, put_audio: PutAudio, prepared: Prepare
) -> None:
    audio = put_audio(tmp_path / "in/a.wav")
    for part in ("dev", "test"):
        (tmp_path / f"in/{part}").mkdir()
        (tmp_path / f"in/{part}/wav.scp").write_text(f"u {audio}\n")
        (tmp_path / f"in/{part}/text").write_text("u one\n")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/test.jsonl").write_text("mine")
    with pytest.raises(ManifestError, match=r"test\.jsonl: the manifest exists already"):
        prepared("kaldi", tmp_path / "in")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["test.jsonl"]


def test_a_stop_in_the_middle_leaves_no_manifest(folder: Path, tmp_path: Path) -> None:
    def interrupt(num_done: int) -> None:
        if num_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_corpus("folder", folder, tmp_path / "out", progress=interrupt)
    assert not (tmp_path / "out").exists()


def test_two_runs_write_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for output in ("one", "two"):
        prepare_corpus("folder", folder, tmp_path / output)
    for name in ("manifest.jsonl", "folder.md"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("name", ["librispeech", "lhotse"])
def test_without_lhotse_the_extra_is_named(
    name: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "lhotse"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [_NoLhotse(), *sys.meta_path])
    with pytest.raises(MissingDependencyError, match=r"needs the package 'lhotse'.*linnet\[train\]"):
        prepare_corpus(name, folder, tmp_path / "out")


class _NoLhotse:
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname.partition(".")[0] == "lhotse":
            raise ModuleNotFoundError(f"no {fullname}", name=fullname)
