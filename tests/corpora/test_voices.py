"""The synthesizers: their commands, and their failures."""

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from linnet.core.errors import TextError
from linnet.corpora.voices import (
    ACCENT_SPELLINGS,
    ACCENT_WORDS,
    ESPEAK_DEV_VARIANTS,
    ESPEAK_VARIANTS,
    Engine,
    EspeakEngine,
    FestivalEngine,
    FliteEngine,
    Line,
    Voice,
    can_say,
    installed_engines,
)

ENGINES: list[Engine] = [EspeakEngine(), FliteEngine(), FestivalEngine()]


def voice(engine: str, name: str, **manner: Any) -> Voice:
    defaults = {"rate": 1.0, "pitch_hz": 120.0, "word_gap_ms": 0, "playback": 1.0}
    return Voice(engine, name, **(defaults | manner))


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the commands, and answer each that names a wave with a second of tone."""
    heard: list[list[str]] = []

    def run(command: list[str], **options: Any) -> None:
        assert not options.get("shell")
        assert options["timeout"] > 0
        heard.append(command)
        tone = 0.5 * np.sin(np.arange(8000) / 5)
        for argument in command:
            if argument.endswith(".wav"):
                soundfile.write(argument, tone, 8000)
            if argument.endswith(".scm"):
                heard.append([(Path(options["cwd"]) / argument).read_text()])
                soundfile.write(Path(options["cwd"]) / "0.wav", tone, 8000)

    monkeypatch.setattr(subprocess, "run", run)
    return heard


def test_espeak_reads_with_the_manner_of_the_voice(commands: list[list[str]]) -> None:
    reader = voice("espeak-ng", "en-gb+f2", rate=1.2, pitch_hz=230, word_gap_ms=80)
    (samples,) = EspeakEngine().speak([Line(reader, "one two, three")])
    command = " ".join(commands[0])
    assert command.startswith("espeak-ng -v en-gb+f2 -s 210 -p 80 -g 8 -w ")
    assert command.endswith("-- one two, three")
    assert samples is not None
    assert samples.shape == (16_000,)
    assert samples.dtype == np.float32


def test_a_foreign_voice_gets_its_own_spelling(commands: list[list[str]]) -> None:
    EspeakEngine().speak([Line(voice("espeak-ng", "ru+m1"), "one, three")])
    assert commands[0][-1] == "уан, сри"


def test_flite_reads_with_the_manner_of_the_voice(commands: list[list[str]]) -> None:
    FliteEngine().speak([Line(voice("flite", "slt", rate=0.8), "nine")])
    expected = ["flite", "-voice", "slt", "--setf", "duration_stretch=1.250"]
    assert commands[0][:5] == expected
    assert "int_f0_target_mean=120" in commands[0]


def test_festival_reads_many_lines_in_one_process_and_misses_only_the_failed(
    commands: list[list[str]],
) -> None:
    lines = [
        Line(voice("festival", "kal_diphone"), "nine"),
        Line(voice("festival", "cmu_us_slt_arctic_hts", rate=0.9), "six"),
    ]
    first, second = FestivalEngine().speak(lines)
    assert len(commands) == 2  # the command and the script that the fixture noted
    assert '(set_pitch 120) (read_aloud "nine" "0.wav")' in commands[1][0]
    assert '(set_hts_rate 0.900) (read_aloud "six" "1.wav")' in commands[1][0]
    assert first is not None
    assert second is None


def test_playback_shortens_the_wave(commands: list[list[str]]) -> None:
    (samples,) = FliteEngine().speak([Line(voice("flite", "slt", playback=1.25), "nine")])
    assert samples is not None
    assert len(samples) == 12_800


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("text", ["", 'one" (exit) "', "-v", "one; two", "One", "one\ntwo", "[[wVn]]"])
def test_other_than_words_is_refused(engine: Engine, text: str, commands: list[list[str]]) -> None:
    with pytest.raises(TextError, match="cannot be spoken"):
        engine.speak([Line(engine.draw_voice(random.Random(0)), text)])
    assert commands == []


def timeout(*_: Any, **__: Any) -> None:
    raise subprocess.TimeoutExpired("engine", 1)


def damaged(command: list[str], **_: Any) -> None:
    Path(command[-1]).write_bytes(b"RIFF and no more")


@pytest.mark.parametrize("failure", [timeout, damaged])
def test_a_failed_line_is_none(failure: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", failure)
    assert FliteEngine().speak([Line(voice("flite", "slt"), "nine")]) == [None]


def test_missing_programs_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/flite" if name == "flite" else None)
    found, missing = installed_engines()
    assert [engine.name for engine in found] == ["flite"]
    assert missing == ["espeak-ng", "festival"]


def test_dev_voices_never_train() -> None:
    rng = random.Random(0)
    train = {EspeakEngine().draw_voice(rng).name.split("+")[1] for _ in range(500)}
    dev = {EspeakEngine().draw_voice(rng, dev=True).name.split("+")[1] for _ in range(100)}
    assert train <= set(ESPEAK_VARIANTS)
    assert dev <= set(ESPEAK_DEV_VARIANTS)
    assert train.isdisjoint(dev)


def test_every_accent_spells_every_word() -> None:
    assert {accent: len(spelling.split()) for accent, spelling in ACCENT_SPELLINGS.items()} == dict.fromkeys(
        ACCENT_SPELLINGS, len(ACCENT_WORDS)
    )


def test_foreign_voices_say_digits_only() -> None:
    assert can_say(voice("espeak-ng", "hi+m1"), ["double", "oh"])
    assert not can_say(voice("espeak-ng", "hi+m1"), ["twenty"])
    assert can_say(voice("espeak-ng", "en-us+m1"), ["twenty"])


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_installed_engine_makes_speech(engine: Engine) -> None:
    if shutil.which(engine.name) is None:
        pytest.skip(f"{engine.name} is not installed")
    (samples,) = engine.speak([Line(engine.draw_voice(random.Random(4)), "nine, eight seven")])
    assert samples is not None
    assert 0.4 < len(samples) / 16_000 < 4
    assert np.abs(samples).max() > 0.05
