"""`linnet doctor` on a corpus with planted faults: each one found and named, and nothing else."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from typer.testing import CliRunner, Result

from linnet.cli.main import app

Samples = NDArray[np.float32]
Maker = Callable[..., Samples]
Fault = tuple[str, int, str]  # manifest, line, code

CONFIG = """\
output_dir: ${config_dir}/run
model:
  name: letters
  frontend: {num_mels: 16}
  encoder:
    blocks:
      - {filters: 16, kernel: 5, stride: 2, residual: false}
      - {filters: 16, kernel: 1, separable: false, residual: false}
  tokenizer: {kind: char}
data:
  batch_s: 10
  max_duration_s: 4.0
  train: [{manifest: "${config_dir}/train.jsonl"}]
  dev: [{manifest: "${config_dir}/dev.jsonl"}]
trainer: {max_steps: 1, accelerator: cpu, num_threads: 1}
"""
WORDS = (
    *("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven"),
    *("inlet", "jetty", "knoll", "ledge", "marsh", "north", "ocean", "piano"),
)


@dataclass
class Corpus:
    """A folder with train.jsonl, dev.jsonl and config.yaml, and the faults planted there."""

    folder: Path
    speech_like: Maker
    faults: set[Fault] = field(default_factory=set)
    config_faults: set[Fault] = field(default_factory=set)
    lines: dict[str, list[str]] = field(default_factory=lambda: {"train": [], "dev": []})

    def speech(self, duration_s: float = 1.5) -> Samples:
        seed = sum(map(len, self.lines.values()))
        return self.speech_like(duration_s, seed=seed)

    def add(self, *codes: str, split: str = "train", audio: Path | None = None, **fields: Any) -> Path:
        """Add a line, which has the faults `codes`; its audio is new speech unless given."""
        number = len(self.lines[split])
        path = audio or self.write(self.speech())
        words = [WORDS[(number // 16**place + place) % 16] for place in range(3)]
        default = {"audio_filepath": path.name, "text": " ".join([split, *words])}
        default |= {"speaker": f"{split}-{number % 5}"}
        content = {name: value for name, value in (default | fields).items() if value is not None}
        self.add_raw(json.dumps(content), *codes, split=split)
        return path

    def add_raw(self, content: str, *codes: str, split: str = "train") -> None:
        self.lines[split].append(content)
        for code in codes:
            known = self.config_faults if code.startswith("config:") else self.faults
            known.add((split, len(self.lines[split]), code.removeprefix("config:")))

    def write(self, samples: Samples, suffix: str = ".wav", **options: Any) -> Path:
        path = self.folder / f"{sum(map(len, self.lines.values())):03}{suffix}"
        soundfile.write(path, samples, options.get("rate_hz", 16000), options.get("subtype"))
        return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, speech_like: Maker) -> Corpus:
    """40 sound lines of train and 5 of dev among the faults."""
    made = Corpus(tmp_path_factory.mktemp("planted"), speech_like)
    for _ in range(20):
        made.add(duration=1.5)
    plant_bad_lines(made)
    plant_bad_audio(made)
    for _ in range(20):
        made.add(duration=1.51, sample_rate=16000)  # within the tolerance
    plant_bad_texts(made)
    plant_dev(made)
    plant_for_the_config(made)
    for split, lines in made.lines.items():
        (made.folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (made.folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return made


def plant_bad_lines(corpus: Corpus) -> None:
    corpus.add_raw('{"audio_filepath": ', "bad-line")
    corpus.add("bad-line", audio=Path("nowhere.wav"))
    corpus.add("bad-line", duration=-1.0)


def plant_bad_audio(corpus: Corpus) -> None:
    path = corpus.folder / "words.wav"
    path.write_text("these are words, not sound", encoding="ascii")
    corpus.add("unreadable-audio", audio=path, duration=1.5)
    path = corpus.folder / "nothing.wav"
    path.write_bytes(b"")
    corpus.add("unreadable-audio", audio=path, duration=1.5)
    corpus.add("empty-audio", audio=corpus.write(np.zeros(0, np.float32)), duration=1.5)
    path = corpus.write(corpus.speech())
    path.write_bytes(path.read_bytes()[:-20000])
    corpus.add("truncated-audio", "wrong-duration", audio=path, duration=1.5)
    path = corpus.write(corpus.speech(), ".flac")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    corpus.add("truncated-audio", audio=path, duration=1.5)
    corpus.add("silent-audio", audio=corpus.write(np.full(24000, 1e-4, np.float32)), duration=1.5)
    corpus.add("clipped-audio", audio=corpus.write(np.clip(4 * corpus.speech(), -0.8, 0.8)), duration=1.5)
    samples = corpus.speech()
    samples[8000] = np.nan
    corpus.add("bad-samples", audio=corpus.write(samples, subtype="FLOAT"), duration=1.5)
    corpus.add("wrong-duration", duration=1.6)
    corpus.add("wrong-rate", duration=1.5, sample_rate=8000)
    twice = corpus.add(text="dune egret fern gull")
    copy = corpus.folder / "copy.flac"
    soundfile.write(copy, soundfile.read(twice, dtype="int16")[0], 16000)
    corpus.add("duplicate-audio", "duplicate-text", audio=copy, text="Dune egret, fern gull!")
    twice = corpus.add("contradicting-texts")
    shutil.copy(twice, corpus.folder / "other.wav")
    corpus.add("contradicting-texts", audio=corpus.folder / "other.wav")


def plant_bad_texts(corpus: Corpus) -> None:
    corpus.add(text="heron island juniper kelp")
    corpus.add("duplicate-text", text="heron island juniper kelp")
    corpus.add("empty-text", text=" … ")
    corpus.add("missing-text", text=None)
    corpus.add("damaged-text", text="the caf\ufffd is a quiet house")
    corpus.add("impossible-rate", "config:ctc-infeasible", text="far too many words for so little time " * 4)
    corpus.add("odd-rate", text="oh", audio=corpus.write(corpus.speech(3.5)), duration=3.5)


def plant_dev(corpus: Corpus) -> None:
    long = corpus.write(corpus.speech(4.0))
    corpus.add(split="dev", audio=long, offset=0.0, duration=1.5)
    corpus.add(split="dev", audio=long, offset=1.5, duration=1.5)
    corpus.add("beyond-end", split="dev", audio=long, offset=3.0, duration=1.5)
    corpus.add(split="dev")
    corpus.add("shared-speaker", split="dev", speaker="train-3")
    corpus.add("shared-text", split="dev", text="heron island juniper kelp")
    heard = corpus.add(split="dev")
    corpus.add("shared-audio", audio=heard)


def plant_for_the_config(corpus: Corpus) -> None:
    corpus.add("config:outside-vocabulary", text="room 101 is upstairs")
    corpus.add("config:ctc-infeasible", "odd-rate", text="a" + "aardvark " * 7 + "oooo")
    corpus.add(
        "config:outside-durations", text="a long sentence " * 5, audio=corpus.write(corpus.speech(4.5))
    )
    low = corpus.write(corpus.speech_like(1.5, sample_rate_hz=8000, seed=99), rate_hz=8000)
    corpus.add("config:low-rate", audio=low)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["doctor", *map(str, arguments)], env={"COLUMNS": "120"})


def faults_in(report: Path) -> set[Fault]:
    findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    return {(Path(found["manifest"]).stem, found["line"], found["code"]) for found in findings}


def test_each_planted_fault_is_found_and_nothing_else(corpus: Corpus, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = run(corpus.folder / "train.jsonl", corpus.folder / "dev.jsonl", "--deep", "--json", report)
    assert result.exit_code == 1, result.stderr
    assert len({code for _, _, code in corpus.faults}) >= 20
    assert faults_in(report) == corpus.faults
    findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
    assert all(found["remedy"] and found["what"] for found in findings)
    for code in {code for _, _, code in corpus.faults}:
        assert f"{code} (" in result.stdout


def test_headers_and_texts_alone_tell_all_but_the_sound(corpus: Corpus, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    run(corpus.folder / "train.jsonl", corpus.folder / "dev.jsonl", "--json", report)
    deep_only = {"silent-audio", "clipped-audio", "bad-samples", "duplicate-audio", "contradicting-texts"}
    missed = corpus.faults - faults_in(report)
    assert {code for _, _, code in missed} == {*deep_only, "truncated-audio"}  # the FLAC
    assert faults_in(report) < corpus.faults


def test_worker_processes_find_the_same(corpus: Corpus, tmp_path: Path) -> None:
    for workers in (1, 2):
        run(corpus.folder / "train.jsonl", "--json", tmp_path / f"{workers}.json", "--workers", workers)
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_a_configuration_brings_vocabulary_frames_and_lengths(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="checking a configuration needs the extra train")
    report = tmp_path / "report.json"
    result = run("--config", corpus.folder / "config.yaml", "--no-fit", "--deep", "--json", report)
    assert result.exit_code == 1, result.stderr
    assert faults_in(report) == corpus.faults | corpus.config_faults


def test_a_sound_manifest_passes(corpus: Corpus, tmp_path: Path) -> None:
    sound = corpus.folder / "sound.jsonl"
    sound.write_text("\n".join(corpus.lines["train"][:20]) + "\n", encoding="utf-8")
    result = run(sound, "--deep", "--fix", tmp_path / "clean.jsonl")
    assert result.exit_code == 0, result.stderr
    assert "0 errors, 0 warnings, 0 notes" in result.stdout
    assert "20 lines kept, 0 left out" in result.stdout


def test_fix_leaves_out_what_is_wrong_and_says_why(corpus: Corpus, tmp_path: Path) -> None:
    clean = tmp_path / "clean.jsonl"
    result = run(corpus.folder / "train.jsonl", "--deep", "--fix", clean)
    left_out = [json.loads(line) for line in (tmp_path / "clean.left_out.jsonl").open(encoding="utf-8")]
    kept = [json.loads(line) for line in clean.open(encoding="utf-8")]
    assert len(kept) + len(left_out) == len(corpus.lines["train"])
    assert left_out[0]["reasons"][0]["code"] == "bad-line"
    assert left_out[0]["audio_filepath"] is None
    assert {line["line"] for line in left_out} >= {
        line for split, line, code in corpus.faults if split == "train" and code == "silent-audio"
    }
    assert f"{len(kept)} lines kept" in result.stdout
    again = run(clean, "--deep")
    assert again.exit_code == 0, again.stdout


def test_fix_of_several_manifests_fills_a_directory(corpus: Corpus, tmp_path: Path) -> None:
    run(corpus.folder / "train.jsonl", corpus.folder / "dev.jsonl", "--fix", tmp_path / "clean")
    names = sorted(path.name for path in (tmp_path / "clean").iterdir())
    assert names == ["dev.jsonl", "dev.left_out.jsonl", "train.jsonl", "train.left_out.jsonl"]


def test_nothing_is_overwritten(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("mine", encoding="ascii")
    train = corpus.folder / "train.jsonl"
    assert run(train, "--json", tmp_path / "report.json").exit_code == 2
    assert run(train, "--fix", train).exit_code == 2
    assert run(train, "--fix", tmp_path / "a.jsonl", "--json", tmp_path / "a.jsonl").exit_code == 2
    assert (tmp_path / "report.json").read_text(encoding="ascii") == "mine"


def test_a_manifest_that_cannot_be_read_does_not_stop_the_others(corpus: Corpus, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    result = run(tmp_path / "none.jsonl", corpus.folder / "dev.jsonl", "--json", report)
    assert result.exit_code == 1
    assert ("none", 0, "bad-manifest") in faults_in(report)
    assert ("dev", 3, "beyond-end") in faults_in(report)


def test_without_a_manifest_there_is_a_remedy() -> None:
    result = run()
    assert result.exit_code == 2
    assert "--config" in result.stderr


def test_the_lengths_are_drawn(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need the extra plot")
    result = run(corpus.folder / "dev.jsonl", "--plot", tmp_path / "lengths.png")
    assert (tmp_path / "lengths.png").read_bytes().startswith(b"\x89PNG")
    assert "█" in result.stdout


def test_control_characters_do_not_reach_the_terminal(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "evil.jsonl"
    path.write_text('{"audio_filepath": "\\u001b[2J[red].wav"}\n', encoding="utf-8")
    result = run(path)
    assert "\x1b" not in result.stdout
    assert "[red].wav" in result.stdout
