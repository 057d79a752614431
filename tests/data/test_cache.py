"""The cache of decoded audio: what it gives, when it decodes, and what damage it survives."""

import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linnet.data import cache as cache_module
from linnet.data.cache import AudioCache, open_cache, read_stretch, stretch_of
from linnet.data.config import SourceConfig
from linnet.data.examples import Example

RATE_HZ = 16_000
SOURCES = [SourceConfig(manifest=Path(name)) for name in ("a/train.jsonl", "b/train.jsonl", "a/train.jsonl")]
OpenCache = Callable[..., AudioCache]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the recordings that were decoded, in order."""
    names: list[str] = []

    def read(stretch: cache_module.Stretch, sample_rate_hz: int) -> object:
        names.append(Path(stretch.audio).name)
        return read_stretch(stretch, sample_rate_hz)

    monkeypatch.setattr(cache_module, "read_stretch", read)
    return names


@pytest.fixture
def open_it(tmp_path: Path) -> OpenCache:
    """`open_it(examples, num_workers=0, sample_rate_hz=16000)` → the cache in `tmp_path/cache`."""

    def open_it(examples: list[Example], num_workers: int = 0, sample_rate_hz: int = RATE_HZ) -> AudioCache:
        return open_cache(examples, SOURCES, tmp_path / "cache", sample_rate_hz, num_workers=num_workers)

    return open_it


def assert_holds(cache: AudioCache, examples: list[Example]) -> None:
    for index, example in enumerate(examples):
        samples = cache[index]
        assert samples is not None
        assert samples.dtype == np.float32
        np.testing.assert_allclose(samples, read_stretch(stretch_of(example), RATE_HZ), atol=0.5 / 32768)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_it_gives_what_the_files_give(recorded: list[Example], open_it: OpenCache, num_workers: int) -> None:
    assert_holds(open_it(recorded, num_workers), recorded)


def test_it_decodes_once_and_anew_what_changed(
    recorded: list[Example], open_it: OpenCache, decoded: list[str]
) -> None:
    open_it(recorded)
    assert decoded == [f"{number}.wav" for number in range(6)]
    assert_holds(open_it(recorded), recorded)
    assert len(decoded) == 6
    os.utime(recorded[2].utterance.audio, ns=(0, 0))
    open_it(recorded)
    assert len(decoded) == 12
    assert open_it(recorded, sample_rate_hz=8000).places[0, 2] == 800


def test_sources_of_one_manifest_share_what_they_read(
    recorded: list[Example], make_example: Callable[..., Example], open_it: OpenCache, decoded: list[str]
) -> None:
    def again(index: int, source: int, **stretch: float) -> Example:
        utterance = recorded[index].utterance
        values = {"duration_s": utterance.duration_s} | stretch
        return make_example(utterance.audio, values.pop("duration_s"), source=source, **values)

    examples = [*recorded[:2], again(1, 1), again(1, 2), again(1, 2, duration_s=0.05, offset_s=0.05)]
    cache = open_it(examples)
    assert decoded == ["0.wav", "1.wav", "1.wav", "1.wav"]
    assert_holds(cache, examples)
    again_alone = open_it([again(1, 1)])
    assert len(decoded) == 4, "the other manifest is left alone"
    assert_holds(again_alone, [again(1, 1)])


def test_it_rounds_and_clips_what_16_bits_cannot_hold(
    monkeypatch: pytest.MonkeyPatch, make_example: Callable[..., Example], open_it: OpenCache
) -> None:
    read = np.array([1.0, -1.0, 1.7, -1.7, 0.4 / 32768, 0.6 / 32768], np.float32)
    monkeypatch.setattr("linnet.data.cache.read_audio", lambda *_, **__: read)
    samples = open_it([make_example()])[0]
    assert samples is not None
    assert (samples * 32768).tolist() == [32767, -32768, 32767, -32768, 0, 1]


def test_what_cannot_be_decoded_is_none(recorded: list[Example], open_it: OpenCache) -> None:
    Path(recorded[1].utterance.audio).write_bytes(b"no audio")
    cache = open_it(recorded)
    assert cache[1] is None
    assert_holds(open_it([recorded[0], recorded[2]]), [recorded[0], recorded[2]])
    assert open_it([recorded[1]])[0] is None, "a file without samples cannot be mapped"


def test_another_process_maps_the_files_itself(recorded: list[Example], open_it: OpenCache) -> None:
    cache = open_it(recorded)
    assert cache[5] is not None
    sent = pickle.dumps(cache)
    assert len(sent) < 2000
    assert_holds(pickle.loads(sent), recorded)


@pytest.mark.parametrize("suffix", [".pcm", ".npy"])
@pytest.mark.parametrize("damage", ["shorter", "other", "gone"])
def test_damaged_files_are_written_anew(
    recorded: list[Example], open_it: OpenCache, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    suffix: str, damage: str,
) -> None:  # fmt: skip
    open_it(recorded)
    path = max((tmp_path / "cache").glob(f"*{suffix}"), key=lambda path: path.stat().st_size)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-8] if damage == "shorter" else b"PK\3\4")
    with caplog.at_level(logging.INFO, "linnet"):
        assert_holds(open_it(recorded), recorded)
    assert ("is damaged, and written anew" in caplog.text) == (damage != "gone")


def test_an_interrupt_leaves_nothing_half_written(
    recorded: list[Example], open_it: OpenCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(stretch: cache_module.Stretch, sample_rate_hz: int) -> object:
        if stretch.audio.endswith("3.wav"):
            raise KeyboardInterrupt
        return read_stretch(stretch, sample_rate_hz)

    monkeypatch.setattr(cache_module, "read_stretch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_it(recorded)
    assert list((tmp_path / "cache").iterdir()) == []
