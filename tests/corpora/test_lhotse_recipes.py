"""Corpora that recipes of lhotse read: their layouts, their quirks, and damage that lhotse would stop at."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError
from linnet.corpora import lhotse_recipes
from linnet.corpora.hashed_split import hashed_part

lhotse = pytest.importorskip("lhotse", reason="lhotse comes with the extra train")

Prepare = Callable[..., Any]
PutAudio = Callable[..., Path]


def librispeech(root: Path, put_audio: PutAudio, parts: tuple[str, ...]) -> Path:
    """Two chapters with two utterances each in every part."""
    for part in parts:
        for speaker, chapter in (("84", "121123"), ("1272", "128104")):
            folder = root / "LibriSpeech" / part / speaker / chapter
            names = [f"{speaker}-{chapter}-{number:04}" for number in range(2)]
            for name in names:
                put_audio(folder / f"{name}.flac")
            text = "".join(f"{name} HE DOESN'T WORK AT ALL\n" for name in names)
            (folder / f"{speaker}-{chapter}.trans.txt").write_text(text)
    return root


def test_librispeech(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    root = librispeech(tmp_path, put_audio, ("train-clean-100", "dev-clean"))
    corpus = prepared("librispeech", root)
    assert list(corpus.parts) == ["dev-clean", "train-clean-100"]
    utterance = corpus.parts["dev-clean"][-1]
    assert utterance.text == "HE DOESN'T WORK AT ALL"
    assert (utterance.speaker, utterance.language) == ("librispeech_84", "en")
    assert (utterance.duration_s, utterance.offset_s) == (0.25, 0)
    assert utterance.audio == str(root / "LibriSpeech/dev-clean/84/121123/84-121123-0001.flac")
    assert corpus.report.parts[0].num_speakers == 2
    assert "CC BY 4.0" in (tmp_path / "out/librispeech.md").read_text()


def test_a_damaged_and_a_missing_recording_do_not_stop_the_others(
    tmp_path: Path, put_audio: PutAudio, prepared: Prepare
) -> None:
    root = librispeech(tmp_path, put_audio, ("train-clean-5", "dev-clean-2"))
    folder = root / "LibriSpeech/dev-clean-2/84/121123"
    (folder / "84-121123-0000.flac").write_bytes(b"no sound")
    (folder / "84-121123-0001.flac").unlink()
    from_file, handlers = vars(lhotse.Recording)["from_file"], list(logging.getLogger().handlers)
    corpus = prepared("mini-librispeech", root / "LibriSpeech")
    assert [len(part) for part in corpus.parts.values()] == [2, 4]
    reasons = corpus.reasons()
    assert "not a recording that can be read" in reasons["84-121123-0000.flac"]
    assert any("84-121123-0001.flac" in skipped.reason for skipped in corpus.report.skipped)
    assert len(reasons) == 2
    assert vars(lhotse.Recording)["from_file"] is from_file, "lhotse is left as it was"
    assert logging.getLogger().handlers == handlers


def test_a_directory_without_the_corpus_is_refused(tmp_path: Path, prepared: Prepare) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(ManifestError, match=r"recipe stopped.*librispeech splits.*train-clean-100"):
        prepared("librispeech", tmp_path / "in")
    with pytest.raises(ManifestError, match="no such file or directory"):
        prepared("librispeech", tmp_path / "none")
    assert not (tmp_path / "out").exists()


def test_ljspeech(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    root = tmp_path / "LJSpeech-1.1"
    names = [f"LJ001-{number:04}" for number in range(1, 41)]
    for name in names:
        put_audio(root / f"wavs/{name}.wav")
    rows = [f"{name}|In 1465 he, who|In fourteen sixty-five he, who\n" for name in names]
    (root / "metadata.csv").write_text("".join(rows))
    corpus = prepared("ljspeech", root)
    assert {each.text for each in corpus.all()} == {"In fourteen sixty-five he, who"}
    assert len(corpus.all()) == 40
    for part, utterances in corpus.parts.items():
        assert {hashed_part(f"wavs/{Path(each.audio).name}") for each in utterances} == {part}
    assert len(corpus.parts) > 1


def test_tedlium(tmp_path: Path, put_audio: PutAudio, prepared: Prepare) -> None:
    for part in ("train", "dev", "test"):
        root = tmp_path / "TEDLIUM_release-3/legacy" / part
        put_audio(root / "sph/AnnaTalk_2010.sph")
        (root / "stm").mkdir()
        (root / "stm/AnnaTalk_2010.stm").write_text(
            "AnnaTalk_2010 1 AnnaTalk_2010 0.05 0.15 <o,f0,male> they 're here [NOISE] <unk>\n"
            "AnnaTalk_2010 1 inter_segment_gap 0.15 0.20 <o,f0,> ignore_time_segment_in_scoring\n"
            "AnnaTalk_2010 1 AnnaTalk_2010 0.15 0.25 <o,f0,male> it 's me\n"
        )
    corpus = prepared("tedlium", tmp_path)
    assert list(corpus.parts) == ["train", "dev", "test"]
    assert corpus.texts()["dev"] == ["they're here", "it's me"]
    first, second = corpus.parts["test"]
    assert (first.offset_s, first.duration_s, second.offset_s) == (0.05, 0.1, 0.15)
    assert first.speaker == "tedlium_AnnaTalk_2010"


def test_audiomnist_keeps_a_speaker_in_one_part(
    tmp_path: Path, put_audio: PutAudio, prepared: Prepare
) -> None:
    root = tmp_path / "AudioMNIST"
    speakers = [f"{number:02}" for number in range(1, 61)]
    for speaker in speakers:
        for digit in (3, 7):
            put_audio(root / f"data/{speaker}/{digit}_{speaker}_0.wav")
    meta = {speaker: {"accent": "German", "age": "30", "gender": "female"} for speaker in speakers}
    (root / "data/audioMNIST_meta.txt").write_text(json.dumps(meta))
    corpus = prepared("audiomnist", root)
    assert sum(map(len, corpus.parts.values())) == 120
    assert set(corpus.parts) == {"train", "dev", "test"}
    for part, utterances in corpus.parts.items():
        assert {hashed_part(each.speaker) for each in utterances} == {part}
    assert {each.text for each in corpus.all()} == {"three", "seven"}


def test_download_goes_through_lhotse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lhotse.recipes import librispeech as recipe

    asked: list[Any] = []

    def fetch(target: Path, **options: Any) -> Path:
        asked.append((target, options))
        return target / "LibriSpeech"

    monkeypatch.setattr(recipe, "download_librispeech", fetch)
    assert lhotse_recipes.download_corpus("mini-librispeech", tmp_path) == tmp_path / "LibriSpeech"
    assert asked == [(tmp_path, {"dataset_parts": "mini_librispeech"})]

    def fail(target: Path, **options: Any) -> Path:
        raise OSError("no route to host")

    monkeypatch.setattr(recipe, "download_librispeech", fail)
    with pytest.raises(ManifestError, match=r"download failed \(OSError: no route to host\).*Try again"):
        lhotse_recipes.download_corpus("librispeech", tmp_path)


@pytest.mark.parametrize("name", lhotse_recipes.RECIPES)
def test_every_recipe_exists_in_lhotse(name: str) -> None:
    from importlib import import_module

    module = lhotse_recipes.RECIPES[name].module
    recipe = import_module(f"lhotse.recipes.{module}")
    assert callable(getattr(recipe, f"prepare_{module}"))
    assert callable(getattr(recipe, f"download_{module}"))
