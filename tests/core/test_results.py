"""Results are plain values that turn into JSON."""

import json

from linnet.core.results import Transcript, Word


def test_a_transcript_becomes_plain_values() -> None:
    word = Word(text="oh", start_s=0.1, end_s=0.3, confidence=0.5)
    transcript = Transcript(text="oh", words=(word,), duration_s=1.0, model="tiny")
    assert json.loads(json.dumps(transcript.to_dict())) == {
        "text": "oh",
        "words": [{"text": "oh", "start_s": 0.1, "end_s": 0.3, "confidence": 0.5}],
        "duration_s": 1.0,
        "model": "tiny",
    }
