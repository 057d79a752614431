"""Golos: its three manifests, in wave files and in Opus."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Prepare = Callable[..., Any]


@pytest.mark.parametrize(
    ("train", "test", "suffix"), [("train", "test", ".wav"), ("train_opus", "test_opus", ".opus")]
)
def test_the_published_layout(
    train: str, test: str, suffix: str, tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    root = tmp_path / "golos"
    manifests = {
        root / train: ["crowd/0/aa.wav", "farfield/bb.wav", "crowd/9/gone.wav"],
        root / test / "crowd": ["files/cc.wav"],
        root / test / "farfield": ["files/dd.wav"],
    }
    for folder, names in manifests.items():
        for name in names:
            if "gone" not in name:
                put_audio((folder / name).with_suffix(suffix))
        rows = [{"id": "1", "audio_filepath": name, "text": "сбер включи", "duration": 0.3} for name in names]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "manifest.jsonl").write_text(text, encoding="utf-8")
    (root / train / "10min.jsonl").write_bytes((root / train / "manifest.jsonl").read_bytes())
    corpus = prepared("golos", root)
    assert {part: len(utterances) for part, utterances in corpus.parts.items()} == {
        "train": 2,
        "test-crowd": 1,
        "test-farfield": 1,
    }
    utterance = corpus.parts["test-crowd"][0]
    assert (utterance.text, utterance.language, utterance.duration_s) == ("сбер включи", "ru", 0.25)
    assert Path(utterance.audio).suffix == suffix
    assert "crowd/9/gone.wav' does not exist" in corpus.reasons()["manifest.jsonl, line 3"]
