"""Sentences of text files, as a script for the synthesizers."""

import random
from collections.abc import Sequence
from pathlib import Path

from linnet.core.compression import open_decompressed
from linnet.core.errors import TextError
from linnet.core.files import bounded_lines
from linnet.corpora.voices import SPEAKABLE, Engine, Line, Voice, can_say

ENGINE_SHARES = {"espeak-ng": 0.30, "flite": 0.42, "festival": 0.28}
MIN_WORDS, MAX_WORDS = 2, 34
MAX_LINE_BYTES = 2000


class SpokenSentences:
    """Lines of text files, each file as often as the others, each line as often as its neighbours.

    Args:
        texts: one sentence a line, lower-case words; lines with anything else, and lines of one word or
            more than 34, are passed over.

    Raises:
        TextError: when a file cannot be read, or has no usable line.
    """

    def __init__(self, texts: Sequence[Path]) -> None:
        self.texts = [_usable_lines(path) for path in texts]

    def draw(self, engine: Engine, rng: random.Random, *, dev: bool) -> tuple[Line, str]:
        """Draw a voice that speaks English and a sentence."""
        voice = _english_voice(engine, rng, dev=dev)
        text = rng.choice(rng.choice(self.texts))
        return Line(voice, text), text


def _english_voice(engine: Engine, rng: random.Random, *, dev: bool) -> Voice:
    while not can_say(voice := engine.draw_voice(rng, dev=dev), ("sentence",)):
        pass
    return voice


def _usable_lines(path: Path) -> list[str]:
    lines = []
    with open_decompressed(path, "text", TextError) as file:
        for line in bounded_lines(file, MAX_LINE_BYTES):
            text = line.decode("utf-8", errors="replace").strip()
            if MIN_WORDS <= len(text.split()) <= MAX_WORDS and SPEAKABLE.fullmatch(text):
                lines.append(text)
    if not lines:
        raise TextError(
            f"has no line of {MIN_WORDS} to {MAX_WORDS} lower-case words",
            where=str(path),
            remedy="Write one sentence a line, with the letters a to z and apostrophes only: "
            "`linnet manifest normalize` or any editor does it",
        )
    return lines
