"""The folder that transcripts are written into: nothing replaced unasked, nothing finished done again.

Each file is written under a temporary name and renamed, so what has its name is whole. Before the rename a
line in RECORD_FILE says which content, settings and recording it will be of. With --resume a file is finished
when it is there and its line tells exactly that; a file without such a line was made by something else.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from linnet.cli.recordings import Recording
from linnet.core.errors import ConfigError
from linnet.core.files import bounded_lines, replacing
from linnet.runtime.formats.writers import TranscriptFormat

RECORD_FILE = ".linnet-transcribe.jsonl"
MAX_LINE_BYTES = 1 << 20

Settings = Mapping[str, Any]


class _Line(TypedDict):
    """What RECORD_FILE says of a file."""

    file: str
    sha256: str
    recording: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """Where transcripts go.

    Attributes:
        path: the folder.
        formats: what is written of each recording.
        settings: what a transcript depends on beside the recording, as JSON has it.
    """

    path: Path
    formats: tuple[TranscriptFormat, ...]
    settings: Settings

    def unfinished(
        self, recordings: Iterable[Recording], *, overwrite: bool, resume: bool
    ) -> list[Recording]:
        """Choose what has to be done.

        Raises:
            ConfigError: when files are there that may not be replaced; nothing was written then.
        """
        record = self._read_record() if resume else {}
        todo, obstacles = [], []
        for recording in recordings:
            files = [self._file(recording, form) for form in self.formats]
            existing = [name for name in files if (self.path / name).exists()]
            reasons = [(name, self._obstacle(name, record, resume=resume)) for name in existing]
            foreign = [(name, reason) for name, reason in reasons if reason]
            is_same = all(
                record[name]["recording"] == recording.version() for name in existing if not foreign
            )
            if resume and not foreign and is_same and len(existing) == len(files):
                continue
            todo.append(recording)
            obstacles += foreign
        if obstacles and not overwrite:
            raise _refusal(self.path, obstacles, resume=resume)
        return todo

    def write(self, recording: Recording, texts: Mapping[TranscriptFormat, str]) -> None:
        """Write the files of one recording, each whole or not at all.

        Raises:
            OSError: naming the file, when the disk is full or the folder cannot be written to.
        """
        for form, text in texts.items():
            name = self._file(recording, form)
            path, content = self.path / name, text.encode()
            try:
                with replacing(path) as temporary:
                    temporary.write_bytes(content)
                    self._append(name, hashlib.sha256(content).hexdigest(), recording.version())
            except OSError as error:
                raise OSError(error.errno, f"cannot write: {error.strerror}", str(path)) from error

    def _file(self, recording: Recording, form: TranscriptFormat) -> str:
        return f"{recording.title}.{form}"

    def _obstacle(self, name: str, record: Mapping[str, _Line], *, resume: bool) -> str:
        """Say why an existing file may neither be kept nor replaced; "" when linnet wrote it like this."""
        if not resume:
            return "exists"
        if name not in record:
            return "exists, and linnet has not written it"
        if record[name]["sha256"] != hashlib.sha256((self.path / name).read_bytes()).hexdigest():
            return "has been changed since linnet wrote it"
        theirs = record[name]["settings"]
        differing = [key for key in self.settings if theirs.get(key) != self.settings[key]]
        return f"was written with another {' and '.join(differing)}" if differing else ""

    def _append(self, name: str, sha256: str, recording: str) -> None:
        line = _Line(file=name, sha256=sha256, recording=recording, settings=dict(self.settings))
        with (self.path / RECORD_FILE).open("ab") as file:
            file.write(f"\n{json.dumps(line)}\n".encode())  # begun anew, where the last run was cut short

    def _read_record(self) -> dict[str, _Line]:
        """Read the last line on each file; what is no such line was cut short, or is not ours."""
        try:
            with (self.path / RECORD_FILE).open("rb") as file:
                lines = [_parsed(line) for line in bounded_lines(file, MAX_LINE_BYTES)]
        except FileNotFoundError:
            return {}
        return {line["file"]: line for line in lines if line}


def _parsed(line: bytes) -> _Line | None:
    try:
        value = json.loads(line)
        found = _Line(
            file=str(value["file"]),
            sha256=str(value["sha256"]),
            recording=str(value["recording"]),
            settings=dict(value["settings"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return found


def _refusal(folder: Path, obstacles: Sequence[tuple[str, str]], *, resume: bool) -> ConfigError:
    name, reason = obstacles[0]
    others = f", and {len(obstacles) - 1} more" if len(obstacles) > 1 else ""
    go_on = "" if resume else "go on with an interrupted run with --resume, "
    return ConfigError(
        f"{folder / name} {reason}{others}",
        remedy=f"Choose another --output-dir, {go_on}or replace the files with --overwrite",
    )
