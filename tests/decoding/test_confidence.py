"""A confidence is a share of what is written around a token, and a temperature moves it."""

import numpy as np
import pytest

from linnet.core.results import Word
from linnet.decoding.confidence import confident_words, tempered, token_confidences


def test_only_what_is_written_near_a_token_counts() -> None:
    posteriors = np.full((12, 3), [0.0005, 0.0005, 0.999])
    posteriors[2] = [0.8, 0.0, 0.2]
    posteriors[9] = [0.3, 0.6, 0.1]
    log_probs = np.log(np.maximum(posteriors, 1e-30)).astype(np.float32)
    found = token_confidences(log_probs, np.array([0, 1]), np.array([2, 9]), np.array([3, 10]), 2)
    assert found == pytest.approx([0.8025 / 0.805, 0.6025 / 0.905], abs=1e-4)


def test_blanks_beside_a_token_change_nothing() -> None:
    log_probs = np.log(np.array([[0.6, 0.3, 0.1]], np.float32))
    silence = np.full((500, 3), [-40.0, -40.0, 0.0], np.float32)
    places = np.array([0]), np.array([0]), np.array([1])
    alone = token_confidences(log_probs, *places, 2)
    assert token_confidences(np.concatenate([log_probs, silence]), *places, 2) == pytest.approx(alone)
    assert alone == pytest.approx([2 / 3])


def test_no_tokens_no_confidences() -> None:
    nothing = np.zeros(0, np.int64)
    assert len(token_confidences(np.zeros((4, 3), np.float32), nothing, nothing, nothing, 2)) == 0


@pytest.mark.parametrize("confidence", [0.0, 0.3, 1.0])
def test_a_temperature_of_one_changes_nothing(confidence: float) -> None:
    assert tempered(confidence, 1.0) == confidence


def test_temperatures_multiply() -> None:
    assert tempered(tempered(0.9, 2.0), 3.0) == pytest.approx(tempered(0.9, 6.0))
    assert tempered(0.9, 6.0) < 0.9 < tempered(0.9, 0.5)


def test_stretches_of_guesses_are_left_out() -> None:
    heard = [
        ("uh", 0.0, 0.2),
        ("a", 0.9, 0.3),
        ("we", 2.2, 0.9),
        ("saw", 2.5, 0.1),
        ("it", 2.8, 0.9),
        ("e", 4.2, 0.4),
    ]
    words = [
        Word(text=text, start_s=start_s, end_s=start_s + 0.2, confidence=confidence)
        for text, start_s, confidence in heard
    ]
    kept = {
        least: " ".join(word.text for word in confident_words(words, words, least))
        for least in (0.0, 0.25, 0.3, 0.5, 0.7)
    }
    assert kept == {
        0.0: "uh a we saw it e",
        0.25: "uh a we saw it e",
        0.3: "we saw it e",
        0.5: "we saw it",
        0.7: "",
    }
    assert confident_words([], [], 0.5) == ()


def test_words_belong_to_the_stretch_that_is_nearest() -> None:
    heard = [
        Word(text="", start_s=at_s, end_s=at_s + 0.2, confidence=sure) for at_s, sure in ((1, 0.1), (3, 0.9))
    ]
    words = [
        Word(text=text, start_s=start_s, end_s=start_s + 0.2, confidence=0.0)
        for text, start_s in (("a", 0.5), ("b", 1.8), ("c", 2.2), ("d", 9.0))
    ]
    assert [word.text for word in confident_words(words, heard, 0.5)] == ["c", "d"]
    assert confident_words(words, [], 0.5) == ()
