"""Padding of waveforms and of both kinds of targets."""

from collections.abc import Callable

import numpy as np
import torch

from linnet.data.batch import AUDIO_ONLY, collate
from linnet.data.examples import Example


def test_waveforms_and_targets_are_padded_with_zeros(make_example: Callable[..., Example]) -> None:
    batch = collate(
        [np.array([0.1, 0.2], np.float32), np.array([0.3, 0.4, 0.5], np.float32)],
        [make_example(tokens=(4, 5), text="four five"), make_example("b.wav", tokens=(6,), text="six")],
    )
    assert batch.samples.dtype == torch.float32
    np.testing.assert_allclose(batch.samples, [[0.1, 0.2, 0], [0.3, 0.4, 0.5]], atol=1e-7)
    assert batch.lengths.tolist() == [2, 3]
    assert batch.tokens.tolist() == [[4, 5], [6, 0]]
    assert batch.token_lengths.tolist() == [2, 1]
    assert batch.texts == ["four five", "six"]
    assert batch.audio_samples == 5


def test_no_target_is_told_from_an_empty_one(make_example: Callable[..., Example]) -> None:
    waveforms = [np.zeros(1, np.float32)] * 3
    examples = [
        make_example(tokens=None, auxiliary_tokens=(1, 2, 3)),
        make_example(tokens=(), auxiliary_tokens=()),
        make_example(tokens=(7,), auxiliary_tokens=None),
    ]
    batch = collate(waveforms, examples)
    assert batch.token_lengths.tolist() == [AUDIO_ONLY, 0, 1]
    assert batch.auxiliary_token_lengths.tolist() == [3, 0, AUDIO_ONLY]
    assert batch.tokens.shape == (3, 1)
    assert batch.auxiliary_tokens.tolist() == [[1, 2, 3], [0, 0, 0], [0, 0, 0]]


def test_a_batch_without_any_target_still_has_a_column(make_example: Callable[..., Example]) -> None:
    batch = collate([np.zeros(1, np.float32)], [make_example(tokens=None)])
    assert batch.tokens.shape == batch.auxiliary_tokens.shape == (1, 1)


def test_names_tell_where_an_utterance_starts(make_example: Callable[..., Example]) -> None:
    examples = [make_example("a.wav"), make_example("a.wav", offset_s=12.5)]
    assert collate([np.zeros(1, np.float32)] * 2, examples).names == ["a.wav", "a.wav@12.5s"]
