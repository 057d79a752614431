"""Windows of a recording give the log-probs of the whole, whatever comes in which block."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from linnet.core.arrays import Features, LogProbs, Samples
from linnet.core.results import Word
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.runtime.longform_config import LongFormConfig
from linnet.runtime.recognizer import Recognizer
from linnet.runtime.windows import joined_log_probs

CONFIG = LongFormConfig(chunk_s=2.0, overlap_s=0.6)


@pytest.fixture(scope="module")
def recognizer(tone_bundle: Path) -> Recognizer:
    return Recognizer.load(tone_bundle)


def blocks_of(samples: Samples, num_samples: int) -> Iterator[Samples]:
    return (samples[start : start + num_samples] for start in range(0, len(samples), num_samples))


@pytest.mark.parametrize("num_samples", [0, 100, 31_999, 32_000, 32_001, 54_399, 54_401, 100_000, 123_457])
def test_the_pieces_are_the_whole(
    recognizer: Recognizer, speech_like: Callable[..., Samples], num_samples: int
) -> None:
    samples = speech_like(8.0)[:num_samples]
    (whole,) = recognizer.log_probs([recognizer.features(samples)])
    for block in (1_000, 7_777, 200_000):
        pieces = list(joined_log_probs(recognizer, blocks_of(samples, block), CONFIG))
        np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)


class WaveformModel:
    """Hears 400 samples every 320, as wav2vec 2.0 does, and tells how loud they are."""

    search = None
    frontend = FrontendConfig(kind="waveform")
    subsampling = 320
    vocabulary: Any = SimpleNamespace(size=2, blank_id=1)
    bundle: Any = SimpleNamespace()

    def log_probs(self, features: Sequence[Features]) -> list[LogProbs]:
        """Score (1, N) normalized samples."""
        found = []
        for (samples,) in features:
            heard = sliding_window_view(np.pad(samples, (0, max(0, 400 - len(samples)))), 400)[::320]
            level = np.square(heard).mean(axis=1)[: max(0, (len(samples) - 400) // 320 + 1)]
            found.append(np.stack([-level, np.full_like(level, -0.1)], axis=1))
        return found

    def words(self, *_: Any) -> tuple[Word, ...]:
        """Read nothing."""
        return ()


@pytest.mark.parametrize("num_samples", [0, 399, 400, 32_000, 32_400, 54_401, 123_457])
def test_the_pieces_of_a_waveform_are_the_whole(
    speech_like: Callable[..., Samples], num_samples: int
) -> None:
    model, samples = WaveformModel(), speech_like(8.0)[:num_samples]
    (whole,) = model.log_probs([compute_features(samples, model.frontend)[0]])
    pieces = list(joined_log_probs(model, blocks_of(samples, 7_777), CONFIG))
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)


def test_a_seam_lies_where_nothing_is_said(recognizer: Recognizer, say_tones: Callable[..., Samples]) -> None:
    samples = say_tones("one two one two one two one two one two one two", gap_s=0.3)
    ends = np.cumsum([len(piece) for piece in joined_log_probs(recognizer, [samples], CONFIG)])[:-1]
    for end_s in ends * 0.02:
        assert 0.05 < end_s % 0.5 < 0.29  # a gap, and then 0.2 s of a tone
    assert len(ends) >= 3


@pytest.mark.parametrize(("config", "most_s"), [(CONFIG, 2), (LongFormConfig(), 30)])
def test_no_more_than_a_window_goes_through_the_network(
    tone_bundle: Path, monkeypatch: pytest.MonkeyPatch, config: LongFormConfig, most_s: int
) -> None:  # the memory of attention grows with its square
    recognizer = Recognizer.load(tone_bundle)
    sizes: list[int] = []
    log_probs = recognizer.log_probs
    monkeypatch.setattr(recognizer, "log_probs", lambda f: sizes.append(f[0].shape[1]) or log_probs(f))
    hop = recognizer.frontend.hop_samples
    blocks = (np.zeros(4000, np.float32) for _ in range(200))
    found = sum(map(len, joined_log_probs(recognizer, blocks, config)))
    assert found == 200 * 4000 // hop // recognizer.subsampling
    assert max(sizes) <= most_s * recognizer.sample_rate_hz // hop
