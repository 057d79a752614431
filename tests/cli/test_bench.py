"""`linnet bench` measures the true pipeline and says on what."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from linnet.cli import bench as module
from linnet.cli.bench import STAGES, Cost, StageClock
from linnet.cli.main import app
from linnet.runtime.recognizer import Recognizer


@pytest.fixture
def recording(tmp_path: Path, say_tones: Callable[..., Any]) -> Path:
    soundfile.write(tmp_path / "a.wav", say_tones("one two"), 16000)
    return tmp_path / "a.wav"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["bench", "--repeat", "3", *map(str, arguments)])


def test_every_stage_and_the_machine_are_named(tone_bundle: Path, recording: Path) -> None:
    done = run(recording, recording, "--model", tone_bundle)
    assert (done.exit_code, done.stderr) == (0, "")
    for name in (*STAGES, "whole pipeline", "RTF", "processor", "onnxruntime", "Python", "tone"):
        assert name in done.stdout
    assert "2.6 s, median of 3 passes" in done.stdout


def test_the_speed_is_audio_over_time(
    tone_bundle: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(10_000))
    monkeypatch.setattr(module, "perf_counter", lambda: next(ticks) * 0.01)
    monkeypatch.setattr(module, "process_time", lambda: 0.0)
    done = run(recording, "--model", tone_bundle)
    # read 1 tick; everything 7: features, model and decode 1 each, and 4 between them
    assert re.search(r"read\s+10\.00\s+0\.00", done.stdout)
    assert re.search(r"other\s+40\.00", done.stdout)
    assert re.search(r"whole pipeline\s+80\.00\s+0\.00\s+0\.06154\s+100%", done.stdout)
    assert "RTF 0.06154, RTFx 16" in done.stdout


def test_models_and_threads_are_compared(
    tone_bundle: Path, recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_measure_apart", module.measure)  # a process each is slow to start
    where = ("--json", tmp_path / "bench.json", "--plot", tmp_path / "bench.png")
    done = run(recording, "--model", tone_bundle, "--threads", 1, "--threads", 2, *where)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.count("█") >= 2
    first, second = json.loads((tmp_path / "bench.json").read_text())["measurements"]
    assert (first["threads"], second["threads"]) == (1, 2)
    assert first["precision"] == "float32"
    assert first["size_bytes"] == (tone_bundle / "model.onnx").stat().st_size
    assert 0 < first["latency_p50_s"] <= first["latency_p95_s"]
    assert first["rtfx"] == pytest.approx(1 / first["rtf"])
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_measuring_leaves_the_recognizer_as_it_was(tone_bundle: Path, recording: Path) -> None:
    recognizer = Recognizer.load(tone_bundle)
    before = dict(vars(recognizer))
    clock = StageClock()
    audio_s, latencies_s = module._pass(recognizer, [recording], clock)
    assert audio_s == pytest.approx(1.3)
    assert latencies_s[0] >= clock.total.wall_s
    assert vars(recognizer) == before
    assert all(cost.wall_s > 0 for cost in clock.costs.values())


def test_a_failing_stage_is_timed_and_its_error_passes() -> None:
    clock = StageClock()

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        clock.timed("model", fail)()
    assert clock.costs["model"].wall_s > 0
    assert clock.costs["read"] == Cost()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no processor affinity")
def test_the_cores_are_given_back() -> None:
    allowed = os.sched_getaffinity(0)
    with module._on_cores(1) as num_cores:
        assert num_cores == 1
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == allowed


def test_a_missing_recording_is_named(tone_bundle: Path, tmp_path: Path) -> None:
    done = run(tmp_path / "none.wav", "--model", tone_bundle)
    assert done.exit_code == 2
    assert "none.wav" in done.stderr
