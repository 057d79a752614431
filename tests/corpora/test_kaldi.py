"""Kaldi data directories: segments, speakers, channels, and commands that are read but never run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linnet.core.errors import ManifestError

Prepare = Callable[..., Any]


def write(directory: Path, **files: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (directory / name.replace("_", ".") if name == "wav_scp" else directory / name).write_text(content)
    return directory


def test_recordings_that_are_utterances(
    tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    audio = put_audio(tmp_path / "audio/a.wav")
    write(
        tmp_path / "data/train",
        wav_scp=f"u1 {audio}\nu2 audio/a.wav\n",
        text="u1 HELLO  THERE\nu2 two\n",
        utt2spk="u1 anna\nu2 ben\n",
        utt2lang="u1 en\n",
    )
    write(tmp_path / "data/test", wav_scp=f"u3\t{audio}\n", text="u3\tthree\n")
    corpus = prepared("kaldi", tmp_path / "data")
    assert corpus.texts() == {"train": ["HELLO THERE", "two"], "test": ["three"]}
    first, second = corpus.parts["train"]
    assert (first.audio, first.duration_s, first.speaker, first.language) == (str(audio), 0.25, "anna", "en")
    assert (Path(second.audio).resolve(), second.speaker, second.language) == (audio, "ben", "")
    assert corpus.report.skipped == ()


def test_segments(tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare) -> None:
    write(
        tmp_path / "dev",
        wav_scp=f"call {put_audio(tmp_path / 'a.flac')}\n",
        segments="u1 call 0.05 0.15\nu2 call 0.1 -1\nu3 call 0.2 9\nu4 call x\nu5 none 0 1\n",
        text="u1 one\nu2 two\nu3 three\nu4 four\nu5 five\nu6 six\n",
    )
    corpus = prepared("kaldi", tmp_path / "dev")
    assert [(each.offset_s, each.duration_s, each.text) for each in corpus.parts["dev"]] == [
        (0.05, 0.1, "one"),
        (0.1, 0.15, "two"),
    ]
    assert corpus.reasons() == {
        "dev, u3": "ends at 9.00 s, but the recording at 0.25 s",
        "segments, u4": "'call x' is not a recording, a start and an end",
        "dev, u4": "a text without a recording",
        "dev, u5": "its recording has no line in wav.scp",
        "dev, u6": "a text without a recording",
    }


@pytest.mark.parametrize(
    "command", ["flac -c -d -s {} |", "/opt/bin/sph2pipe -f wav -p {} |", "cat '{}' |", "flac -cds {}|"]
)
def test_commands_that_only_unpack_are_understood(
    command: str, tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    audio = put_audio(tmp_path / "a.flac")
    write(tmp_path / "dev", wav_scp=f"u1 {command.format(audio)}\n", text="u1 one\n")
    assert prepared("kaldi", tmp_path / "dev").parts["dev"][0].audio == str(audio)


@pytest.mark.parametrize(
    "command",
    [
        "touch {0}/run |",
        "cat {0}/a.wav; touch {0}/run |",
        "cat {0}/a.wav | touch {0}/run |",
        "sox {0}/a.wav -t wav - speed 1.1 |",
        "cat 'unfinished |",
        "|",
    ],
)
def test_no_command_is_run(
    command: str, tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare
) -> None:
    put_audio(tmp_path / "a.wav")
    write(tmp_path / "dev", wav_scp=f"u1 {command.format(tmp_path)}\n", text="u1 one\n")
    with pytest.raises(ManifestError, match="commands are not run"):
        prepared("kaldi", tmp_path / "dev")
    assert not (tmp_path / "run").exists()


def test_each_side_of_a_call_becomes_a_recording(
    tmp_path: Path, stereo_call: Callable[[Path], Path], prepared: Prepare
) -> None:
    call = stereo_call(tmp_path / "sw1.sph")
    write(
        tmp_path / "eval",
        wav_scp=f"sw1-A sph2pipe -f wav -p -c 1 {call} |\nsw1-B {call}\n",
        segments="u1 sw1-A 0 1\nu2 sw1-B 0.5 1.5\nu3 sw1-A 1 2\n",
        text="u1 one\nu2 two\nu3 three\n",
        reco2file_and_channel="sw1-A sw1 A\nsw1-B sw1 B\n",
    )
    corpus = prepared("kaldi", tmp_path / "eval")
    names = [Path(utterance.audio).name for utterance in corpus.parts["eval"]]
    assert names == ["sw1-0.flac", "sw1-1.flac", "sw1-0.flac"]
    assert corpus.report.skipped == ()


def test_broken_lines_are_named(tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare) -> None:
    audio = put_audio(tmp_path / "a.wav")
    directory = write(tmp_path / "dev", wav_scp=f"u1 {audio}\nu2 {audio}\nu3 x.ark:17\n")
    (directory / "text").write_bytes(b"u1 one\nu1 again\nu2 caf\xe9\nu3 three\n")
    corpus = prepared("kaldi", directory)
    assert corpus.texts() == {"dev": ["one"]}
    assert corpus.reasons()["text, line 2"] == "u1 stands here a second time"
    assert corpus.reasons()["text, line 3"].startswith("not UTF-8")
    assert corpus.reasons()["dev, u2"] == "no line in text"
    assert "archive of Kaldi" in corpus.reasons()["dev, u3"]


def test_speechocean762(tmp_path: Path, put_audio: Callable[..., Path], prepared: Prepare) -> None:
    root = tmp_path / "speechocean762"
    for part, speaker in (("train", "0001"), ("test", "0003")):
        name = f"00{speaker[1:]}0011"
        put_audio(root / f"WAVE/SPEAKER{speaker}/{name}.WAV")
        write(
            root / part,
            wav_scp=f"{name}\tWAVE/SPEAKER{speaker}/{name}.WAV\n",
            text=f"{name}\tWE CALL IT BEAR\n",
            utt2spk=f"{name}\t{speaker}\n",
        )
    corpus = prepared("speechocean762", root)
    assert corpus.texts() == {"train": ["WE CALL IT BEAR"], "test": ["WE CALL IT BEAR"]}
    assert [(each.speaker, each.language) for each in corpus.all()] == [("so_0001", "en"), ("so_0003", "en")]
    with pytest.raises(ManifestError, match=r"there is no wav\.scp.*WAVE/"):
        prepared("speechocean762", tmp_path, force=True)
