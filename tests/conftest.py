"""What every test may use and must obey: synthesized sound, paths of the checkout, no network, no clock."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

Samples = NDArray[np.float32]
ToneMaker = Callable[..., Samples]
SpeechMaker = Callable[..., Samples]

# Same examples in every run; no deadline, because no test may depend on the speed of the machine.
settings.register_profile("linnet", derandomize=True, deadline=None)
settings.load_profile("linnet")


@pytest.fixture(autouse=True, scope="session")
def _offline() -> Iterator[None]:
    """Refuse connections to other machines: the suite must pass without a network."""
    connect = socket.socket.connect

    def connect_locally(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to reach {address[0]}: tests run offline")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_locally)
        yield


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_fixtures(repo_root: Path) -> Path:
    """The folder of reference vectors beside the checkout; tests that need it are skipped without it."""
    path = repo_root.parent / "shared" / "fixtures"
    if not path.is_dir():
        pytest.skip("the reference vectors (../shared/fixtures) are not beside this checkout")
    return path


@pytest.fixture(scope="session")
def tone() -> ToneMaker:
    """`tone(frequency_hz=440, duration_s=1, sample_rate_hz=16000, level=0.5)` → a sine, (N,) float32."""
    return _tone


@pytest.fixture(scope="session")
def speech_like() -> SpeechMaker:
    """`speech_like(duration_s=2, sample_rate_hz=16000, seed=0, level=0.5)` → syllables, (N,) float32."""
    return _speech_like


def _tone(
    frequency_hz: float = 440.0, duration_s: float = 1.0, sample_rate_hz: int = 16000, level: float = 0.5
) -> Samples:
    times_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    return (level * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def _speech_like(
    duration_s: float = 2.0, sample_rate_hz: int = 16000, seed: int = 0, level: float = 0.5
) -> Samples:
    """Harmonics of a wandering pitch under two moving formants, in quarter-second syllables, over noise."""
    generator = np.random.default_rng(seed)
    times_s = np.arange(round(duration_s * sample_rate_hz)) / sample_rate_hz
    pitch_hz = 120 * 2 ** (0.3 * np.sin(2 * np.pi * 0.7 * times_s + generator.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / sample_rate_hz
    first_hz, second_hz = (
        center * (1 + 0.3 * np.sin(2 * np.pi * rate * times_s + generator.uniform(0, 6)))
        for center, rate in ((600, 2.1), (1700, 2.9))
    )
    voiced = np.zeros_like(times_s)
    for harmonic in range(1, 25):
        frequency_hz = harmonic * pitch_hz
        heard = np.exp(-(((frequency_hz - first_hz) / 200) ** 2)) + 0.5 * np.exp(
            -(((frequency_hz - second_hz) / 300) ** 2)
        )
        voiced += (heard + 0.02) * np.sin(harmonic * phase) * (frequency_hz < 0.45 * sample_rate_hz)
    syllables = np.clip(np.sin(2 * np.pi * 2 * times_s), 0, None) ** 0.5
    sound = voiced * syllables + 0.003 * generator.standard_normal(times_s.size)
    peak = np.max(np.abs(sound), initial=1e-9)
    return (level * sound / peak).astype(np.float32)
