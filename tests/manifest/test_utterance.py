"""What an utterance refuses to be."""

from typing import Any

import pytest

from linnet.core.errors import ManifestError
from linnet.manifest.utterance import Utterance


def test_a_plain_utterance() -> None:
    utterance = Utterance("a.wav", 1.5, None)
    assert (utterance.offset_s, utterance.speaker, utterance.language, utterance.extra) == (0.0, "", "", {})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"audio": ""}, "path of the audio is empty"),
        ({"duration_s": 0.0}, "duration is 0.0 s"),
        ({"duration_s": -1.0}, "duration is -1.0 s"),
        ({"duration_s": float("nan")}, "duration is nan s"),
        ({"duration_s": float("inf")}, "duration is inf s"),
        ({"offset_s": -0.1}, "offset is -0.1 s"),
    ],
)
def test_impossible_values_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        Utterance(**({"audio": "a.wav", "duration_s": 1.0, "text": "hello"} | values))
