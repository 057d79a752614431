"""Spoken numbers, as a script for the synthesizers."""

import random

from linnet.corpora.number_text import NumberText, sample_digit_text, sample_number_text
from linnet.corpora.voices import Engine, Line, Voice, can_say

ENGINE_SHARES = {"espeak-ng": 0.35, "flite": 0.35, "festival": 0.30}


class SpokenNumbers:
    """Telephone numbers, digit strings, cardinals and years, as people dictate them."""

    def draw(self, engine: Engine, rng: random.Random, *, dev: bool) -> tuple[Line, str]:
        """Draw a voice and a number that it can say; return what to speak and its plain words."""
        voice = engine.draw_voice(rng, dev=dev)
        number = _number_for(voice, rng)
        pause = rng.choices((" ", ", ", ". "), weights=(25, 65, 10))[0]
        units = number.text.split() if rng.random() < 0.12 else number.groups  # some dictate word by word
        return Line(voice, pause.join(units)), number.text


def _number_for(voice: Voice, rng: random.Random) -> NumberText:
    number = sample_number_text(rng)
    return number if can_say(voice, number.text.split()) else sample_digit_text(rng)
