"""The Free Spoken Digit Dataset: single English digits of a few speakers, recorded at home.

Source: https://github.com/Jakobovski/free-spoken-digit-dataset. Recordings are named
`{digit}_{speaker}_{number}.wav`; by its README the numbers 0 to 4 are the test part, the others train.
"""

import re
from pathlib import Path

from linnet.audio.read import audio_info
from linnet.core.errors import AudioError, ManifestError
from linnet.corpora.number_text import DIGIT_WORDS
from linnet.corpora.report import PrepareReport, Skipped, check_free, write_parts
from linnet.manifest.jsonl import read_manifest
from linnet.manifest.utterance import Utterance

NUM_TEST_RECORDINGS = 5  # of each digit and speaker
PARTS = ("train", "test")

_NAME = re.compile(r"(?P<digit>\d)_(?P<speaker>[A-Za-z]+)_(?P<number>\d+)\.(wav|flac|opus|ogg|mp3)")


def prepare_fsdd(source: Path, output: Path, *, force: bool = False) -> PrepareReport:
    """Write `train.jsonl` and `test.jsonl` by the official split.

    Args:
        source: the repository, its `recordings` directory, or a directory that holds both manifests already:
            those are checked and written to `output`.
        output: the directory for the manifests.
        force: replace manifests that exist.

    Raises:
        ManifestError: when the source is not this corpus, or a manifest exists and `force` is not given.
    """
    check_free(output, PARTS, force=force)
    manifests = {part: source / f"{part}.jsonl" for part in PARTS}
    if all(manifest.is_file() for manifest in manifests.values()):
        parts = {part: read_manifest(manifest) for part, manifest in manifests.items()}
        return PrepareReport(
            write_parts(output, parts),
            note=f"{source} holds manifests already; you can train and evaluate with them as they are",
        )
    parts, skipped = _read_recordings(source)
    return PrepareReport(write_parts(output, parts), tuple(skipped))


def _read_recordings(source: Path) -> tuple[dict[str, list[Utterance]], list[Skipped]]:
    directory = source / "recordings" if (source / "recordings").is_dir() else source
    parts: dict[str, list[Utterance]] = {part: [] for part in PARTS}
    skipped: list[Skipped] = []
    for path in sorted(directory.glob("*")):
        if match := _NAME.fullmatch(path.name):
            part = "test" if int(match["number"]) < NUM_TEST_RECORDINGS else "train"
            try:
                parts[part].append(_utterance(path, match))
            except AudioError as error:
                skipped.append(Skipped(str(path), error.what))
    if not all(parts.values()):
        raise ManifestError(
            f"found {len(parts['train'])} recordings for train and {len(parts['test'])} for test",
            where=str(directory),
            remedy="Give the directory of the corpus, which holds recordings/0_george_0.wav and so on",
        )
    return parts, skipped


def _utterance(path: Path, match: re.Match[str]) -> Utterance:
    return Utterance(
        audio=str(path),
        duration_s=round(audio_info(path).duration_s, 4),
        text=DIGIT_WORDS[int(match["digit"])],
        speaker=f"fsdd_{match['speaker']}",
        language="en",
    )
