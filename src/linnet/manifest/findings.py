"""What can be wrong with a training set: the kinds with severity and remedy, and one finding of a kind."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from linnet.manifest.utterance import Utterance


class Severity(StrEnum):
    """How bad a finding is: an error spoils training, a warning may, a note is for information."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding, known by a code that stays the same from version to version.

    Attributes:
        severity: how bad it is.
        title: what it is, for people.
        remedy: what to do about it, where the finding itself knows nothing better.
        leaves_out: whether a clean manifest leaves the line out.
    """

    severity: Severity
    title: str
    remedy: str
    leaves_out: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a manifest that could be read.

    Attributes:
        manifest: the file.
        number: of the line, from 1.
        utterance: what it says.
    """

    manifest: Path
    number: int
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: a key of KINDS.
        manifest: the file it was found in, "" when in none.
        line: the line there, 0 when it is about the whole.
        what: what is wrong, with the value found.
        remedy: what to do about it.
    """

    code: str
    manifest: str
    line: int
    what: str
    remedy: str

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return KINDS[self.code].severity

    @property
    def leaves_out(self) -> bool:
        """Whether a clean manifest leaves the line out."""
        return KINDS[self.code].leaves_out

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {"severity": self.severity.value, **asdict(self)}


def found(code: str, line: Line, what: str, remedy: str = "") -> Finding:
    """Make a finding about a line, with the remedy of its kind unless another is given."""
    return Finding(code, str(line.manifest), line.number, what, remedy or KINDS[code].remedy)


def found_in(code: str, manifest: Path | str, what: str, number: int = 0, remedy: str = "") -> Finding:
    """Make a finding about a manifest as a whole, or about a line of it that could not be read."""
    return Finding(code, str(manifest), number, what, remedy or KINDS[code].remedy)


_OUT = True
KINDS = {
    "bad-manifest": Kind(
        Severity.ERROR,
        "manifests that cannot be used",
        "Check the path; a manifest has one JSON object a line, plain or compressed by gzip or zstd",
    ),
    "bad-line": Kind(
        Severity.ERROR,
        "lines that cannot be used",
        'Write one object a line, such as {"audio_filepath": "a.wav", "duration": 3.2, "text": "hello"}',
        _OUT,
    ),
    "unreadable-audio": Kind(
        Severity.ERROR, "recordings that cannot be read", "Copy or convert the recording again", _OUT
    ),
    "empty-audio": Kind(
        Severity.ERROR, "recordings without samples", "Record or copy it again, or leave the line out", _OUT
    ),
    "truncated-audio": Kind(
        Severity.ERROR,
        "recordings that were cut short",
        "Copy the recording again from where it came from; the text names more than it holds",
        _OUT,
    ),
    "beyond-end": Kind(
        Severity.ERROR,
        "stretches that end after their recording",
        "Correct offset and duration, or copy the recording again if it was cut short",
        _OUT,
    ),
    "wrong-duration": Kind(
        Severity.ERROR,
        "durations that are not the recording's",
        "Check that text and recording belong together, then write the true duration or leave the field out",
        _OUT,
    ),
    "wrong-rate": Kind(
        Severity.ERROR,
        "sample rates that are not the recording's",
        "Listen whether it plays at its proper speed; then correct the field, or write the file again",
        _OUT,
    ),
    "silent-audio": Kind(
        Severity.ERROR,
        "silent stretches",
        "Leave it out, or record it again (a channel may be off)",
        _OUT,
    ),
    "bad-samples": Kind(
        Severity.ERROR, "NaN or infinite samples", "Write the recording again without NaN and infinity", _OUT
    ),
    "clipped-audio": Kind(
        Severity.WARNING, "clipped recordings", "Listen; record at a lower level if the words suffer"
    ),
    "duplicate-audio": Kind(
        Severity.WARNING, "stretches that appear twice", "Keep one of them; use `repeat` to weigh data", _OUT
    ),
    "contradicting-texts": Kind(
        Severity.ERROR,
        "the same sound with different texts",
        "Listen, and keep the line whose text is right",
        _OUT,
    ),
    "duplicate-text": Kind(
        Severity.NOTE, "texts that appear again", "Fine for commands and digits; else look for copied lines"
    ),
    "missing-text": Kind(
        Severity.ERROR,
        "lines without a text",
        'Add "text", or take the line out for supervised training',
        _OUT,
    ),
    "unlabelled": Kind(
        Severity.NOTE, "manifests without any text", "Fine to transcribe; training and scoring need texts"
    ),
    "empty-text": Kind(
        Severity.WARNING,
        "texts without a word",
        "Right where nothing is said; else write down what is said or leave the line out",
    ),
    "damaged-text": Kind(
        Severity.WARNING,
        "texts with control or replacement characters",
        "Convert the text to UTF-8 from the encoding it was written in",
    ),
    "impossible-rate": Kind(
        Severity.ERROR,
        "more text than can be spoken",
        "Check that text and recording belong together, and the duration",
        _OUT,
    ),
    "odd-rate": Kind(
        Severity.WARNING,
        "speech rates far from the others",
        "Listen: a text may be too long or too short, or silence may surround the speech",
    ),
    "shared-audio": Kind(
        Severity.ERROR,
        "sound of a later split in an earlier one",
        "Leave it out of the training set, or the score of the other split is worthless",
        _OUT,
    ),
    "shared-speaker": Kind(
        Severity.WARNING,
        "speakers in two splits",
        "Split by speaker if the score shall hold for new voices",
    ),
    "shared-text": Kind(
        Severity.WARNING,
        "texts in two splits",
        "Split by text if the score shall hold for new sentences; fine for commands and digits",
    ),
    "outside-vocabulary": Kind(
        Severity.ERROR,
        "texts that the vocabulary cannot write",
        "Normalize the text, add the piece, or set target or only_known_words on the source",
        _OUT,
    ),
    "ctc-infeasible": Kind(
        Severity.ERROR,
        "texts with more labels than frames",
        "Check text and duration; if they are right, use larger pieces or less subsampling",
        _OUT,
    ),
    "outside-durations": Kind(
        Severity.WARNING,
        "utterances that training leaves out for their length",
        "Cut them, or widen data.min_duration_s and data.max_duration_s",
    ),
    "low-rate": Kind(
        Severity.WARNING,
        "recordings below the model's sample rate",
        "Their upper band is empty: fine if the model shall hear telephones, else find the originals",
    ),
    "batch-too-large": Kind(
        Severity.ERROR, "a batch that does not fit the memory", "Lower data.batch_s to the limit found"
    ),
}
