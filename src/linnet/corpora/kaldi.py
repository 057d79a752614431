"""Kaldi data directories: wav.scp and text, with segments, utt2spk, utt2lang and reco2file_and_channel.

Format: https://kaldi-asr.org/doc/data_prep.html. A recording in wav.scp may be a command that writes to a
pipe. Such a command is never run: those that only unpack a file (sph2pipe, flac, cat) are understood, and the
file is read instead; a recording made by any other is left out.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from linnet.core.errors import ManifestError
from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.text_lines import read_table

_CHANNELS = {"1": 0, "2": 1, "A": 0, "B": 1}


def read_kaldi(source: Path) -> Iterator[Entry | Skipped]:
    """Read a data directory, or all that lie in a directory; each is a part of its name."""
    directories = [source] if (source / "wav.scp").is_file() else sorted(source.glob("*/wav.scp"))
    for directory in directories:
        yield from _read_directory(directory if directory.is_dir() else directory.parent)


@dataclass(frozen=True, slots=True)
class _Span:
    recording: str
    offset_s: float = 0.0
    duration_s: float | None = None


def _read_directory(directory: Path) -> Iterator[Entry | Skipped]:
    problems: list[Skipped] = []
    recordings = read_table(directory / "wav.scp", problems)
    texts = read_table(directory / "text", problems)
    speakers, languages, channels = (
        read_table(directory / name, problems) if (directory / name).is_file() else {}
        for name in ("utt2spk", "utt2lang", "reco2file_and_channel")
    )
    spans = _spans(directory, recordings, problems)
    yield from problems
    for utterance, span in spans.items():
        where = f"{directory}, {utterance}"
        if utterance not in texts:
            yield Skipped(where, "no line in text")
            continue
        try:
            audio, channel = _recording(recordings.get(span.recording, ""), directory)
        except ManifestError as error:
            yield Skipped(where, error.what)
            continue
        side = channels.get(span.recording, "").rpartition(" ")[2].upper()
        yield Entry(
            where=where,
            audio=audio,
            text=texts[utterance],
            part=directory.resolve().name,
            speaker=speakers.get(utterance, ""),
            language=languages.get(utterance, ""),
            offset_s=span.offset_s,
            duration_s=span.duration_s,
            channel=_CHANNELS.get(side) if channel is None else channel,
        )
    for utterance in sorted(texts.keys() - spans.keys()):
        yield Skipped(f"{directory}, {utterance}", "a text without a recording")


def _spans(directory: Path, recordings: dict[str, str], problems: list[Skipped]) -> dict[str, _Span]:
    """Read `segments`, or take each recording for an utterance where there is none."""
    path = directory / "segments"
    if not path.is_file():
        return {recording: _Span(recording) for recording in recordings}
    spans: dict[str, _Span] = {}
    for utterance, line in read_table(path, problems).items():
        try:
            recording, start, end, *_ = line.split()
            start_s, end_s = float(start), float(end)
        except ValueError:
            problems.append(
                Skipped(f"{path}, {utterance}", f"{line!r} is not a recording, a start and an end")
            )
            continue
        # Kaldi's own convention: an end of -1 is the end of the recording.
        spans[utterance] = _Span(recording, start_s, None if end_s == -1 else end_s - start_s)
    return spans


def _recording(value: str, directory: Path) -> tuple[Path, int | None]:
    """Find the file of a line of wav.scp, and the channel its command takes.

    Raises:
        ManifestError: when there is no line, or a command that is not understood.
    """
    if not value:
        raise ManifestError("its recording has no line in wav.scp")
    channel = None
    if value.endswith("|"):
        value, channel = _piped_file(value.removesuffix("|"))
    elif ".ark:" in value:
        raise ManifestError(f"the recording {value!r} lies in an archive of Kaldi")
    # Relative paths start where Kaldi's scripts run, mostly one or two levels above the data directory.
    places = (directory, directory.resolve().parent, directory.resolve().parent.parent, Path())
    candidates = [place / value for place in places]
    return next((path for path in candidates if path.is_file()), candidates[0]), channel


def _piped_file(command: str) -> tuple[str, int | None]:
    """Find the file that a command unpacks, and the channel it chooses."""
    refused = ManifestError(f"the command {command.strip()!r} makes the recording, and commands are not run")
    try:
        words = shlex.split(command)
    except ValueError:
        raise refused from None
    program, arguments = Path(words[0]).name if words else "", words[1:]
    if {"|", ";", "&", "<", ">", "&&"} & set(words) or not arguments:
        raise refused
    if program == "cat" and len(arguments) == 1:
        return arguments[0], None
    if program == "flac" and all(word.startswith("-") for word in arguments[:-1]):
        return arguments[-1], None
    if program == "sph2pipe":
        if "-c" in arguments[:-1]:
            return arguments[-1], _CHANNELS.get(arguments[arguments.index("-c") + 1])
        return arguments[-1], None
    raise refused
