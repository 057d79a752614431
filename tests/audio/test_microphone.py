"""A microphone gives all that came since the last block; what stands in its way is told."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from linnet.audio.microphone import open_microphone
from linnet.core.errors import AudioError, MissingDependencyError


class FakeStream:
    """Three blocks of two channels wait when it starts."""

    def __init__(self, **chosen: Any) -> None:
        self.chosen = chosen
        if chosen["device"] == "none":
            raise ValueError("No input device matching 'none'")

    def __enter__(self) -> None:
        for value in (1, 2, 3):
            self.chosen["callback"](np.full((2, 1), value, np.float32), 2, None, None)

    def __exit__(self, *_: object) -> None:
        self.chosen.clear()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(InputStream=FakeStream, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)  # type: ignore[arg-type]  # what is used of it


@pytest.mark.usefixtures("fake")
def test_blocks_are_joined() -> None:
    with open_microphone("0", 16_000) as blocks:
        np.testing.assert_array_equal(next(blocks), [1, 1, 2, 2, 3, 3])


@pytest.mark.usefixtures("fake")
def test_an_unknown_microphone() -> None:
    with (
        pytest.raises(AudioError, match=r"cannot be opened \(No input.*--device"),
        open_microphone("none", 8000),
    ):
        pass


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MissingDependencyError, match=r"linnet\[mic\]"), open_microphone(None, 8000):
        pass
