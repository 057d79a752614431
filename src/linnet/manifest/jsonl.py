"""Manifests as NeMo writes them: one JSON object a line, plain or compressed by gzip or zstd."""

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from linnet.audio.archive import Member, as_member
from linnet.audio.read import audio_info
from linnet.core.compression import create_compressed, open_decompressed
from linnet.core.errors import AudioError, ManifestError
from linnet.core.files import bounded_lines, replacing
from linnet.core.remote import SCHEMES, as_url, join_url
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


def read_manifest(path: str | os.PathLike[str], *, strict: bool = True) -> list[Utterance]:
    """Read the utterances of a manifest.

    Args:
        path: path or URL of a file of JSON lines, which gzip or zstd may have compressed.
        strict: raise at the first bad line; otherwise skip the bad lines with a logged warning.

    Raises:
        ManifestError: when the file cannot be read or holds no utterance, and for a bad line when `strict`.
        MissingDependencyError: when zstandard, or fsspec for a URL, is needed and not installed.
    """
    manifest = scan_manifest(path)
    if manifest.problems:
        first, count = manifest.problems[0], len(manifest.problems)
        tally = f"{count} of {count + len(manifest.utterances)} lines cannot be used"
        if strict:
            raise ManifestError(f"{first.what} ({tally})", where=first.where, remedy=first.remedy)
        _log.warning("%s: %s and were left out; the first: %s", path, tally, first)
    if not manifest.utterances:
        raise ManifestError(
            "the manifest holds no utterances", where=as_url(path) or str(path), remedy=_ONE_OBJECT_A_LINE
        )
    return manifest.utterances


def scan_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read a manifest, here or at a URL, to its end, collecting the problems of its lines.

    Audio on this machine must exist. Audio at a URL is taken at its word: to ask for each would take longer
    than to read the manifest, and what is missing is named when it is read.

    Raises:
        ManifestError: when the file as a whole cannot be read.
        MissingDependencyError: when zstandard, or fsspec for a URL, is needed and not installed.
    """
    utterances: list[Utterance] = []
    problems: list[ManifestError] = []
    for _, read in numbered_utterances(path):
        if isinstance(read, Utterance):
            utterances.append(read)
        else:
            problems.append(read)
    return Manifest(utterances, problems)


def numbered_utterances(path: str | os.PathLike[str]) -> Iterator[tuple[int, Utterance | ManifestError]]:
    """Yield the number of each line that is not blank, with its utterance or with what is wrong.

    Raises:
        ManifestError: when the file as a whole cannot be read.
        MissingDependencyError: when zstandard, or fsspec for a URL, is needed and not installed.
    """
    location = as_url(path) or Path(path)
    for number, fields in scan_objects(location):
        try:
            if isinstance(fields, ManifestError):
                raise fields
            find = partial(find_audio, manifest=location)
            if "shard_id" in fields:
                find = partial(find_member, manifest=location, shard=fields["shard_id"])
            yield number, parse_utterance(fields, find)
        except ManifestError as error:
            where = f"{location}, line {number}"
            yield number, ManifestError(error.what, where=where, remedy=error.remedy)


def scan_objects(location: str | Path) -> Iterator[tuple[int, dict[str, Any] | ManifestError]]:
    """Yield the JSON object of each line that is not blank with its number, or what is wrong with the line.

    Args:
        location: path, or text of a URL.

    Raises:
        ManifestError: when the file as a whole cannot be read.
        MissingDependencyError: when zstandard, or fsspec for a URL, is needed and not installed.
    """
    for number, line in _numbered_lines(location):
        try:
            yield number, _fields(line)
        except ManifestError as error:
            yield number, error


def write_manifest(path: Path, utterances: Iterable[Utterance]) -> None:
    """Write a manifest in NeMo's names, whole or not at all; `.gz` and `.zst` compress.

    Paths of audio below the manifest's directory are written relative to it, so that the directory can move,
    and so are those that a manifest gave relative to itself; others are written absolute, URLs as they are.

    Raises:
        ManifestError: when a field holds what JSON has no word for, such as NaN.
        MissingDependencyError: when zstandard is needed and not installed.
    """
    directory = path.parent.resolve()
    write_lines(path, (utterance_fields(utterance, directory) for utterance in utterances))


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, all or nothing; `.gz` and `.zst` compress.

    Raises:
        ManifestError: when a field holds what JSON has no word for, such as NaN.
        MissingDependencyError: when zstandard is needed and not installed.
    """
    with replacing(path) as temporary, create_compressed(temporary) as file:
        for fields in lines:
            try:
                line = json.dumps(fields, ensure_ascii=False, allow_nan=False)
            except ValueError as error:
                raise ManifestError(
                    f"the line of {_shown(fields.get('audio_filepath'))} cannot be written ({error})",
                    where=str(path),
                    remedy="JSON has no NaN and no infinity: write null, or a text",
                ) from error
            # File names that are not UTF-8 hold lone surrogates; JSON writes these with a backslash.
            file.write(line.encode("utf-8", "backslashreplace") + b"\n")


def utterance_fields(utterance: Utterance, directory: Path) -> dict[str, Any]:
    """Return the fields of the line that stands for an utterance in a manifest.

    Args:
        utterance: what the line is about.
        directory: that of the manifest, resolved; the audio is named as `write_manifest` says.

    Raises:
        ManifestError: when the audio lies in a tar archive elsewhere than in `directory`.
    """
    member = as_member(utterance.audio)
    if member and Path(member.archive).resolve().parent != directory:
        raise ManifestError(
            f"{member.archive} does not lie in {directory}",
            remedy="Write the new manifest beside the archives, or unpack them with linnet prepare nemo",
        )
    fields: dict[str, Any] = {
        "audio_filepath": audio_name(utterance, directory),
        "duration": utterance.duration_s,
    }
    if utterance.offset_s:
        fields["offset"] = utterance.offset_s
    if utterance.text is not None:
        fields["text"] = utterance.text
    if utterance.speaker:
        fields["speaker"] = utterance.speaker
    if utterance.language:
        fields["lang"] = utterance.language
    return fields | utterance.extra | fields  # the fields first, and none of them overruled


def audio_name(utterance: Utterance, directory: Path) -> str:
    """Name the audio of an utterance for a manifest in `directory`, which is resolved."""
    if member := as_member(utterance.audio):
        return member.name
    if url := as_url(utterance.audio):
        return url
    # Strings, because a Path takes most of the time of writing a large manifest.
    folder, name = os.path.split(utterance.audio)
    inside = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
    base = os.path.join(directory, "")  # noqa: PTH118
    if inside.startswith(base):
        return Path(inside[len(base) :]).as_posix()
    if utterance.audio_is_relative:
        return Path(os.path.relpath(inside, directory)).as_posix()
    return str(Path(utterance.audio).absolute())


def _numbered_lines(location: str | Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers from 1."""
    with open_decompressed(location, "manifest", ManifestError) as file:
        for number, line in enumerate(bounded_lines(file, MAX_LINE_BYTES), start=1):
            content = (line.removeprefix(_BOM) if number == 1 else line).strip()
            if number == 1 and content.startswith(b"["):
                raise ManifestError(
                    "the file is one JSON array, not JSON lines",
                    where=str(location),
                    remedy=f"Write one object a line: jq -c '.[]' {location} > lines.jsonl",
                )
            if content:
                yield number, content


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


def parse_utterance(fields: Mapping[str, Any], find: Callable[[str | None], str]) -> Utterance:
    """Turn the fields of a line into an utterance; what no attribute takes stays in `extra`.

    Args:
        fields: the JSON object of the line.
        find: gives path or URL of the recording for the name that the line has (None where it has none).

    Raises:
        ManifestError: when a field is missing or wrong, and what `find` raises.
    """
    rest = dict(fields)
    name = _take(rest, AUDIO_NAMES, str)
    audio = find(name)
    speaker = _take(rest, ("speaker",), (str, int))
    offset_s = _seconds(rest, "offset") or 0.0
    duration_s = _seconds(rest, "duration")
    return Utterance(
        audio=audio,
        duration_s=_header_duration_s(audio) - offset_s if duration_s is None else duration_s,
        text=_take(rest, TEXT_NAMES, str),
        offset_s=offset_s,
        speaker="" if speaker is None else str(speaker),
        language=_take(rest, LANGUAGE_NAMES, str) or "",
        extra=rest,
        audio_is_relative=not (as_url(name or "") or Path(name or "").is_absolute()),
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


def find_audio(name: str | None, manifest: str | Path) -> str:
    """Resolve the name of a recording as its manifest, a path or the text of a URL, means it.

    Raises:
        ManifestError: when the line names none, or there is no such file.
    """
    if not name:
        raise _nameless()
    if url := as_url(name):
        return url
    if isinstance(manifest, str) and not Path(name).is_absolute():
        return join_url(manifest, name)
    path = Path(manifest).parent / name
    try:
        found = path.is_file()
    except (OSError, ValueError):  # too long a name, a null character
        found = False
    if not found:
        raise ManifestError(
            f"the audio {_shown(name)} does not exist (looked at {_shown(str(path))})",
            remedy="A relative path is relative to the manifest's directory; "
            f"URLs begin with {', '.join(f'{scheme}://' for scheme in SCHEMES)}",
        )
    return str(path)


def find_member(name: str | None, manifest: str | Path, shard: object) -> str:
    """Name a recording of a tarred data set: a member of audio_SHARD.tar beside the manifest.

    Whether the archive has it shows when the archive is read.

    Raises:
        ManifestError: when the line names none, or there is no such archive.
    """
    if not name:
        raise _nameless()
    if isinstance(shard, bool) or not isinstance(shard, int):
        raise ManifestError(f"'shard_id' is {_shown(shard)}", remedy="Write the number of the archive")
    return str(Member(find_audio(f"audio_{shard}.tar", manifest), name.removeprefix("./")))


def _nameless() -> ManifestError:
    looked_for = ", ".join(AUDIO_NAMES)
    return ManifestError(f"the line names no audio (looked for {looked_for})", remedy=_ONE_OBJECT_A_LINE)


def _header_duration_s(audio: str) -> float:
    try:
        return audio_info(audio).duration_s
    except AudioError as error:
        raise ManifestError(
            f"the line has no 'duration' and the header of the audio cannot be read: {error}",
            remedy="Add the duration in seconds, or mend the recording",
        ) from error


def _shown(value: object) -> str:
    """Show a value in a message, at most 80 characters of it."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
