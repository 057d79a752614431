"""The words about a part: lengths, characters of any script, and none at all."""

from pathlib import Path

import pytest

from linnet.corpora.report import Part
from linnet.corpora.summary import MAX_CHARACTERS_SHOWN, lengths_and_characters


@pytest.mark.parametrize(
    ("characters", "shown"),
    [
        (" 'ab", "4 characters: 'ab, space"),
        ("", "0 characters: none, there are no texts"),
        ("a\x1b\u0301", "3 characters: a\\x1b\u0301"),
        ("".join(map(chr, range(0x4E00, 0x4E00 + 200))), " and 80 more"),
    ],
)
def test_characters(characters: str, shown: str) -> None:
    part = Part(Path("train.jsonl"), 2, 1, 5.0, (1.0, 2.5, 3.9, 4.0), characters)
    line = lengths_and_characters(part)
    assert line.startswith("1.0 to 4.0 s (median 2.5, 95 % below 3.9), ")
    assert line.endswith(shown)
    assert len(line) < 100 + MAX_CHARACTERS_SHOWN
