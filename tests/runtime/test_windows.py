"""Windows of a recording give the log-probs of the whole, whatever comes in which block."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from linnet.core.arrays import Samples
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


def test_a_seam_lies_where_nothing_is_said(recognizer: Recognizer, say_tones: Callable[..., Samples]) -> None:
    samples = say_tones("one two one two one two one two one two one two", gap_s=0.3)
    ends = np.cumsum([len(piece) for piece in joined_log_probs(recognizer, [samples], CONFIG)])[:-1]
    for end_s in ends * 0.02:
        assert 0.05 < end_s % 0.5 < 0.29  # a gap, and then 0.2 s of a tone
    assert len(ends) >= 3


def test_no_more_than_a_window_goes_through_the_network(
    tone_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognizer = Recognizer.load(tone_bundle)
    sizes: list[int] = []
    log_probs = recognizer.log_probs
    monkeypatch.setattr(recognizer, "log_probs", lambda f: sizes.append(f[0].shape[1]) or log_probs(f))
    blocks = (np.zeros(4000, np.float32) for _ in range(100))
    assert sum(map(len, joined_log_probs(recognizer, blocks, CONFIG))) == 100 * 4000 // 320
    assert max(sizes) <= 200
