"""The Free Spoken Digit Dataset: single English digits of a few speakers, recorded at home.

Source: https://github.com/Jakobovski/free-spoken-digit-dataset. Recordings are named
`{digit}_{speaker}_{number}.wav`; by its README the numbers 0 to 4 are the test part, the others train.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.nemo import read_nemo
from linnet.corpora.number_text import DIGIT_WORDS

NUM_TEST_RECORDINGS = 5  # of each digit and speaker

_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[A-Za-z]+)_(?P<number>\d+)\.(wav|flac|opus|ogg|mp3)")


def read_fsdd(source: Path) -> Iterator[Entry | Skipped]:
    """Read the repository, its `recordings` directory, or a directory with `train.jsonl` and `test.jsonl`."""
    manifests = [source / f"{part}.jsonl" for part in ("train", "test")]
    if all(manifest.is_file() for manifest in manifests):
        for manifest in manifests:
            yield from read_nemo(manifest)
        return
    directory = source / "recordings" if (source / "recordings").is_dir() else source
    for path in sorted(directory.glob("*")):
        if match := _NAME.fullmatch(path.name):
            part = "test" if int(match["number"]) < NUM_TEST_RECORDINGS else "train"
            text = DIGIT_WORDS[int(match["digit"])]
            yield Entry(str(path), path, text, part, speaker=match["speaker"])
