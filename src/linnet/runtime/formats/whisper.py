"""The tables of whisper's command line: JSON and TSV, with phrases for its segments."""

import json
from collections.abc import Sequence
from typing import Any

from linnet.core.results import Transcript, Word
from linnet.runtime.formats.cues import phrases, text_of

UNKNOWN_LANGUAGE = "und"  # ISO 639-2


def json_line(transcript: Transcript, name: str, language: str) -> str:
    """Write a transcript as one line of JSON: what linnet knows, and the keys of whisper's JSON.

    Of whisper's keys it has `text`, `language` and `segments`, these with `id`, `start`, `end`, `text` and
    `words`, these with `word`, `start`, `end` and `probability`, times in seconds. As in whisper, texts of
    words and segments begin with a space. It has none of the keys about whisper's own search (`seek`,
    `tokens`, `temperature`, `avg_logprob`, `compression_ratio`, `no_speech_prob`).

    Args:
        transcript: of one recording.
        name: of the recording.
        language: its language tag, left out where unknown.
    """
    values: dict[str, Any] = {"audio": name, **transcript.to_dict()}
    if language and language != UNKNOWN_LANGUAGE:
        values["language"] = language
    values["segments"] = [_segment(number, words) for number, words in enumerate(phrases(transcript.words))]
    return json.dumps(values, ensure_ascii=False) + "\n"


def tsv(texts: Sequence[Sequence[Word]]) -> str:
    """Write a line for each phrase: start and end in milliseconds, text."""
    rows = [
        f"{round(1000 * words[0].start_s)}\t{round(1000 * words[-1].end_s)}\t{text_of(words)}\n"
        for words in texts
    ]
    return "".join(["start\tend\ttext\n", *rows])


def _segment(number: int, words: Sequence[Word]) -> dict[str, Any]:
    return {
        "id": number,
        "start": words[0].start_s,
        "end": words[-1].end_s,
        "text": f" {text_of(words)}",
        "words": [
            {
                "word": f" {text_of([word])}",
                "start": word.start_s,
                "end": word.end_s,
                "probability": word.confidence,
            }
            for word in words
        ],
    }
