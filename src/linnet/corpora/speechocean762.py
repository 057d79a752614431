"""speechocean762: sentences by Mandarin speakers, published as two Kaldi data directories.

Source: https://www.openslr.org/101 (Zhang et al., "speechocean762", Interspeech 2021). `train` and `test` are
the official split; the paths in wav.scp start at the root of the corpus. Its texts are in capitals.
"""

from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.kaldi import read_kaldi


def read_speechocean762(source: Path) -> Iterator[Entry | Skipped]:
    """Read the directory `speechocean762`."""
    for part in ("train", "test"):
        if (source / part / "wav.scp").is_file():
            yield from read_kaldi(source / part)
        else:
            yield Skipped(str(source / part), "there is no wav.scp")
