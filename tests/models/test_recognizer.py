"""A checkpoint as a recognizer: one batch gives what each waveform gives alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet.core.errors import CheckpointError
from linnet.models.checkpoint import save_model
from linnet.models.ctc import CtcModel
from linnet.models.recognizer import CheckpointRecognizer


@pytest.fixture
def waveforms(speech_like: Callable[..., Any]) -> list[Any]:
    """Of uneven lengths, one of them too short for a frame and one empty."""
    return [
        speech_like(duration_s=0.9, seed=1),
        speech_like(duration_s=0.31, seed=2),
        np.zeros(100, np.float32),
        np.zeros(0, np.float32),
    ]


def test_a_batch_gives_what_each_gives_alone(tiny_model: CtcModel, waveforms: list[Any]) -> None:
    recognizer = CheckpointRecognizer(tiny_model)
    together = recognizer.log_probs(waveforms)
    assert [len(each) for each in together] == [45, 16, 0, 0]  # 10 ms frames, halved, rounded up
    for batched, samples in zip(together, waveforms, strict=True):
        (alone,) = recognizer.log_probs([samples])
        np.testing.assert_allclose(batched, alone, atol=1e-5)
    assert recognizer.transcribe_samples(waveforms) == [
        recognizer.transcribe_samples([samples])[0] for samples in waveforms
    ]


def test_a_model_without_masks_never_shares_a_batch(tiny_model: CtcModel, waveforms: list[Any]) -> None:
    encoder = tiny_model.config.encoder.model_copy(update={"conv_mask": False})
    model = CtcModel(tiny_model.config.model_copy(update={"encoder": encoder}))
    assert model.one_at_a_time
    assert not tiny_model.one_at_a_time
    recognizer = CheckpointRecognizer(model)
    for batched, samples in zip(recognizer.log_probs(waveforms), waveforms, strict=True):
        np.testing.assert_array_equal(batched, recognizer.log_probs([samples])[0])


def test_no_waveforms_give_no_transcripts(tiny_model: CtcModel) -> None:
    assert CheckpointRecognizer(tiny_model).transcribe_samples([]) == []


def test_it_tells_what_evaluation_asks(tiny_model: CtcModel) -> None:
    recognizer = CheckpointRecognizer(tiny_model.train())
    assert (recognizer.name, recognizer.normalizer, recognizer.sample_rate_hz) == ("tiny", "basic", 16000)
    assert not recognizer.model.training


def test_it_loads_a_checkpoint(tmp_path: Path, tiny_model: CtcModel, waveforms: list[Any]) -> None:
    save_model(tmp_path / "a.ckpt", tiny_model.config, tiny_model.state_dict(), step=1)
    loaded = CheckpointRecognizer.load(tmp_path / "a.ckpt")
    expected = CheckpointRecognizer(tiny_model).log_probs(waveforms)
    for ours, reference in zip(loaded.log_probs(waveforms), expected, strict=True):
        np.testing.assert_array_equal(ours, reference)
    with pytest.raises(CheckpointError, match=r"b\.ckpt"):
        CheckpointRecognizer.load(tmp_path / "b.ckpt")


def test_a_trained_model_writes_words_with_times(tone_run: Any, say_tones: Callable[..., Any]) -> None:
    recognizer = CheckpointRecognizer.load(tone_run.output_dir / "final.ckpt")
    (transcript,) = recognizer.transcribe_samples([say_tones("two one", gap_s=0.15)])
    assert transcript.text == "two one"
    assert transcript.model == "tones"
    assert transcript.duration_s == pytest.approx(0.85)
    first, second = transcript.words
    assert 0 <= first.start_s < first.end_s <= second.start_s < second.end_s <= 0.85
