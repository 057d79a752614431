"""Cuts of lhotse: one stretch of one file becomes an utterance, anything else is named."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lhotse", reason="lhotse comes with the extra train")

Prepare = Callable[..., Any]


def cut(
    audio: str, *, start: float = 0.0, texts: tuple[str, ...] = ("one",), **fields: Any
) -> dict[str, Any]:
    recording = {
        "id": "r",
        "sources": [{"type": "file", "channels": [0], "source": audio}],
        "sampling_rate": 16000,
        "num_samples": 4000,
        "duration": 0.25,
        "channel_ids": [0],
    }
    supervisions = [
        {
            "id": f"s{number}",
            "recording_id": "r",
            "start": 0.1 * number,
            "duration": 0.1,
            "channel": 0,
            "text": text,
            "speaker": "anna",
            "language": "en",
        }
        for number, text in enumerate(texts)
    ]
    made = {"id": "c", "start": start, "duration": 0.2, "channel": 0, "type": "MonoCut"}
    return made | {"supervisions": supervisions, "recording": recording}


def write(path: Path, *objects: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(each) + "\n" for each in objects)
    return path


def test_supervisions_become_utterances(
    tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    audio = put_audio(tmp_path / "in/a.flac")
    write(tmp_path / "in/cuts_train.jsonl.gz", cut(str(audio), start=0.05, texts=("one", "two")))
    write(tmp_path / "in/cuts_dev.jsonl.gz", cut("a.flac"))
    corpus = prepared("lhotse", tmp_path / "in")
    assert corpus.texts() == {"cuts_dev": ["one"], "cuts_train": ["one", "two"]}
    first, second = corpus.parts["cuts_train"]
    assert (first.offset_s, second.offset_s, second.duration_s) == (0.05, 0.15, 0.1)
    assert (first.speaker, first.language, first.audio) == ("anna", "en", str(audio))
    assert Path(corpus.parts["cuts_dev"][0].audio).resolve() == audio


def test_a_file_that_lhotse_wrote(tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare) -> None:
    from lhotse import CutSet, MonoCut, Recording, SupervisionSegment

    recording = Recording.from_file(put_audio(tmp_path / "a.wav"))
    segments = [
        SupervisionSegment("s0", "a", start=0.0, duration=0.1, text="one", speaker="anna"),
        SupervisionSegment("s1", "a", start=0.1, duration=0.15, text="two", speaker="ben"),
    ]
    whole = MonoCut("c", start=0, duration=0.25, channel=0, recording=recording, supervisions=segments)
    (tmp_path / "in").mkdir()
    CutSet.from_cuts([whole]).to_file(tmp_path / "in/whole.jsonl.gz")
    CutSet.from_cuts([whole]).trim_to_supervisions().to_file(tmp_path / "in/trimmed.jsonl")
    corpus = prepared("lhotse", tmp_path / "in")
    for part in ("whole", "trimmed"):
        told = [(each.text, each.offset_s, each.duration_s, each.speaker) for each in corpus.parts[part]]
        assert told == [("one", 0.0, 0.1, "anna"), ("two", 0.1, 0.15, "ben")]


def test_what_is_no_stretch_of_a_file_is_named(
    tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    good = cut(str(put_audio(tmp_path / "a.flac")))
    command = {"type": "command", "channels": [0], "source": f"touch {tmp_path / 'run'}"}
    changed = {"transforms": [{"name": "Speed", "kwargs": {"factor": 1.1}}]}
    path = write(
        tmp_path / "cuts.jsonl.gz",
        good,
        good | {"type": "MixedCut", "tracks": []},
        good | {"supervisions": []},
        good | {"recording": good["recording"] | {"sources": [command]}},
        good | {"recording": good["recording"] | changed},
        {name: value for name, value in good.items() if name != "recording"},
        {"id": "s", "recording_id": "r", "start": 0, "duration": 1},
        good | {"start": "soon"},
    )
    corpus = prepared("lhotse", path)
    assert corpus.texts() == {"cuts": ["one"]}
    reasons = corpus.reasons()
    assert set(reasons) == {f"cuts.jsonl.gz, line {number}" for number in range(2, 9)}
    assert "a MixedCut" in reasons["cuts.jsonl.gz, line 2"]
    assert "no supervision" in reasons["cuts.jsonl.gz, line 3"]
    assert "comes from: command" in reasons["cuts.jsonl.gz, line 4"]
    assert "is transformed" in reasons["cuts.jsonl.gz, line 5"]
    assert "has no recording" in reasons["cuts.jsonl.gz, line 6"]
    assert "a line without a type" in reasons["cuts.jsonl.gz, line 7"]
    assert not (tmp_path / "run").exists()
