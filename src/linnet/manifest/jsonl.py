"""Manifests as NeMo writes them: one JSON object a line, plain or compressed by gzip or zstd."""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from linnet.audio.read import audio_info
from linnet.core.errors import AudioError, ManifestError
from linnet.core.files import replacing
from linnet.manifest.compression import create_compressed, open_decompressed
from linnet.manifest.utterance import Utterance

# Names a field may have, NeMo's first. Where a line has several, the first listed counts and the others
# stay in `extra`.
AUDIO_NAMES = ("audio_filepath", "audio", "audio_file", "wav", "path")
TEXT_NAMES = ("text", "sentence", "transcript")
LANGUAGE_NAMES = ("lang", "language")

MAX_LINE_BYTES = 1 << 20  # a line is one utterance; an hour of fast speech is about 60 kB of text

_BOM = b"\xef\xbb\xbf"
_ONE_OBJECT_A_LINE = (
    'Write one object a line, such as {"audio_filepath": "a.wav", "duration": 3.2, "text": "hello"}'
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest holds: the utterances that could be read and the problems of the other lines.

    Attributes:
        utterances: the good lines, in order.
        problems: one error for each bad line, in order, naming file and line.
    """

    utterances: list[Utterance]
    problems: list[ManifestError]


def read_manifest(path: Path, *, strict: bool = True) -> list[Utterance]:
    """Read the utterances of a manifest.

    Args:
        path: a file of JSON lines, which gzip or zstd may have compressed.
        strict: raise at the first bad line; otherwise skip the bad lines with a logged warning.

    Raises:
        ManifestError: when the file cannot be read or holds no utterance, and for a bad line when `strict`.
        MissingDependencyError: when zstandard is needed and not installed.
    """
    manifest = scan_manifest(path)
    if manifest.problems:
        first, count = manifest.problems[0], len(manifest.problems)
        tally = f"{count} of {count + len(manifest.utterances)} lines cannot be used"
        if strict:
            raise ManifestError(f"{first.what} ({tally})", where=first.where, remedy=first.remedy)
        _log.warning("%s: %s and were left out; the first: %s", path, tally, first)
    if not manifest.utterances:
        raise ManifestError("the manifest holds no utterances", where=str(path), remedy=_ONE_OBJECT_A_LINE)
    return manifest.utterances


def scan_manifest(path: Path) -> Manifest:
    """Read a manifest to its end, collecting the problems of its lines.

    Raises:
        ManifestError: when the file as a whole cannot be read.
        MissingDependencyError: when zstandard is needed and not installed.
    """
    utterances: list[Utterance] = []
    problems: list[ManifestError] = []
    for _, read in numbered_utterances(path):
        if isinstance(read, Utterance):
            utterances.append(read)
        else:
            problems.append(read)
    return Manifest(utterances, problems)


def numbered_utterances(path: Path) -> Iterator[tuple[int, Utterance | ManifestError]]:
    """Yield the number of each line that is not blank, with its utterance or with what is wrong.

    Raises:
        ManifestError: when the file as a whole cannot be read.
        MissingDependencyError: when zstandard is needed and not installed.
    """
    for number, line in _numbered_lines(path):
        try:
            yield number, _utterance(_fields(line), path.parent)
        except ManifestError as error:
            where = f"{path}, line {number}"
            yield number, ManifestError(error.what, where=where, remedy=error.remedy)


def write_manifest(path: Path, utterances: Iterable[Utterance]) -> None:
    """Write a manifest in NeMo's names, whole or not at all; `.gz` and `.zst` compress.

    Paths of audio below the manifest's directory are written relative to it, so that the directory can move;
    others are written absolute.

    Raises:
        MissingDependencyError: when zstandard is needed and not installed.
    """
    directory = path.parent.resolve()
    with replacing(path) as temporary, create_compressed(temporary) as file:
        for utterance in utterances:
            line = json.dumps(_to_fields(utterance, directory), ensure_ascii=False, allow_nan=False) + "\n"
            # File names that are not UTF-8 hold lone surrogates; JSON writes these with a backslash.
            file.write(line.encode("utf-8", "backslashreplace"))


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers from 1."""
    with open_decompressed(path) as file:
        for number, line in enumerate(_bounded_lines(file), start=1):
            content = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if number == 1 and content.startswith(b"["):
                raise ManifestError(
                    "the file is one JSON array, not JSON lines",
                    where=str(path),
                    remedy=f"Write one object a line: jq -c '.[]' {path} > lines.jsonl",
                )
            if content:
                yield number, content


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield lines of at most MAX_LINE_BYTES + 1 bytes; the rest of a longer one is dropped."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
        yield line


def _fields(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise ManifestError(f"the line is longer than {MAX_LINE_BYTES} bytes", remedy=_ONE_OBJECT_A_LINE)
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{_shown(line)} is not JSON ({error})", remedy=_ONE_OBJECT_A_LINE) from error
    if not isinstance(fields, dict):
        raise ManifestError(f"{_shown(line)} is not a JSON object", remedy=_ONE_OBJECT_A_LINE)
    return fields


def _utterance(fields: dict[str, Any], directory: Path) -> Utterance:
    """Turn the fields of a line into an utterance; what no attribute takes stays in `extra`."""
    rest = dict(fields)
    audio = _audio_path(_take(rest, AUDIO_NAMES, str), directory)
    offset_s = _seconds(rest, "offset") or 0.0
    duration_s = _seconds(rest, "duration")
    return Utterance(
        audio=str(audio),
        duration_s=_header_duration_s(audio) - offset_s if duration_s is None else duration_s,
        text=_take(rest, TEXT_NAMES, str),
        offset_s=offset_s,
        speaker=str(_take(rest, ("speaker",), (str, int)) or ""),
        language=_take(rest, LANGUAGE_NAMES, str) or "",
        extra=rest,
    )


def _take(rest: dict[str, Any], names: tuple[str, ...], types: type | tuple[type, ...]) -> Any:
    """Remove the first of `names` from `rest` and return its value, None when absent or null."""
    name = next((name for name in names if rest.get(name) is not None), names[0])
    value = rest.pop(name, None)
    if value is not None and not isinstance(value, types):
        raise ManifestError(f"{name!r} is {_shown(value)}, not a text", remedy=f"Put {name!r} in quotes")
    return value


def _seconds(rest: dict[str, Any], name: str) -> float | None:
    value = rest.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ManifestError(f"{name!r} is {_shown(value)}", remedy=f"Write {name!r} as a number of seconds")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _audio_path(name: str | None, directory: Path) -> Path:
    if not name:
        raise ManifestError(
            f"the line names no audio (looked for {', '.join(AUDIO_NAMES)})", remedy=_ONE_OBJECT_A_LINE
        )
    path = directory / name
    try:
        found = path.is_file()
    except (OSError, ValueError):  # too long a name, a null character
        found = False
    if not found:
        raise ManifestError(
            f"the audio {_shown(name)} does not exist (looked at {_shown(str(path))})",
            remedy="A relative path is relative to the manifest's directory",
        )
    return path


def _header_duration_s(audio: Path) -> float:
    try:
        return audio_info(audio).duration_s
    except AudioError as error:
        raise ManifestError(
            f"the line has no 'duration' and the header of the audio cannot be read: {error}",
            remedy="Add the duration in seconds, or mend the recording",
        ) from error


def _to_fields(utterance: Utterance, directory: Path) -> dict[str, Any]:
    audio = Path(utterance.audio).absolute()
    inside = audio.parent.resolve() / audio.name
    if inside.is_relative_to(directory):
        audio = inside.relative_to(directory)
    fields: dict[str, Any] = {"audio_filepath": audio.as_posix(), "duration": utterance.duration_s}
    if utterance.offset_s:
        fields["offset"] = utterance.offset_s
    if utterance.text is not None:
        fields["text"] = utterance.text
    if utterance.speaker:
        fields["speaker"] = utterance.speaker
    if utterance.language:
        fields["lang"] = utterance.language
    return fields | utterance.extra | fields  # the fields first, and none of them overruled


def _shown(value: object) -> str:
    """Show a value in a message, at most 80 characters of it."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
