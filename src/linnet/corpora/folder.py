"""A folder of one's own recordings: texts in .txt files beside the audio, or in a CSV or TSV table."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from linnet.audio.read import AUDIO_SUFFIXES
from linnet.core.errors import ManifestError
from linnet.corpora.entry import Entry, Skipped
from linnet.manifest.jsonl import AUDIO_NAMES, LANGUAGE_NAMES, TEXT_NAMES

TABLE_SUFFIXES = frozenset((".csv", ".tsv"))
MAX_TEXT_BYTES = 1 << 20

# Column names in small letters; a table without any of them has the path first and the text second.
AUDIO_COLUMNS = (*AUDIO_NAMES, "file", "filename", "file_name", "audio_path")
TEXT_COLUMNS = (*TEXT_NAMES, "transcription", "raw_transcription", "normalized_text")
SPEAKER_COLUMNS = ("speaker", "speaker_id", "client_id")
LANGUAGE_COLUMNS = (*LANGUAGE_NAMES, "locale")

_PART = "manifest"


def read_folder(source: Path) -> Iterator[Entry | Skipped]:
    """Read a folder of recordings and their texts.

    Args:
        source: a folder, searched with its subfolders for audio with a .txt file of the same stem beside it;
            or, where no audio has one, for one table directly in it; or the table itself. The paths in a
            table are relative to it.

    Raises:
        ManifestError: when the table cannot be read, or there are several.
    """
    for row in _rows_of(source):
        if row.audio is None:
            yield Skipped(row.where, "no audio for this text")
            continue
        try:
            text = _read_text(row.text) if isinstance(row.text, Path) else row.text
        except ManifestError as error:
            yield Skipped(row.where, error.what)
        else:
            yield Entry(row.where, row.audio, text or "", _PART, row.speaker, row.language)


@dataclass(frozen=True, slots=True)
class _Row:
    """A recording and its text (words, or the file that holds them); None where one of them is missing."""

    where: str
    audio: Path | None
    text: Path | str | None
    speaker: str = ""
    language: str = ""


def _rows_of(source: Path) -> list[_Row]:
    if source.is_file():
        return list(_table_rows(source))
    entries = list(_folder_rows(source))
    tables = sorted(path for path in source.iterdir() if path.suffix.lower() in TABLE_SUFFIXES)
    if not tables or any(entry.audio and entry.text for entry in entries):
        return entries
    if len(tables) > 1:
        raise ManifestError(
            f"the folder holds {len(tables)} tables: {', '.join(table.name for table in tables)}",
            where=str(source),
            remedy=f"Name the one to use, such as {tables[0]}",
        )
    return list(_table_rows(tables[0]))


def _folder_rows(folder: Path) -> Iterator[_Row]:
    """Yield the audio files with the .txt beside each, then the .txt files without audio."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    texts = {path.with_suffix(""): path for path in files if path.suffix.lower() == ".txt"}
    recordings = [path for path in files if path.suffix.lower() in AUDIO_SUFFIXES]
    for path in recordings:
        yield _Row(str(path), path, texts.get(path.with_suffix("")))
    for stem in sorted(texts.keys() - {path.with_suffix("") for path in recordings}):
        yield _Row(str(texts[stem]), None, texts[stem])


def _table_rows(table: Path) -> Iterator[_Row]:
    rows = _rows(table)
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
    audio, text = _column(header, AUDIO_COLUMNS), _column(header, TEXT_COLUMNS)
    if audio is None and text is None:
        audio, text = 0, 1
    elif audio is None or text is None:
        missing, names = ("path", AUDIO_COLUMNS) if audio is None else ("text", TEXT_COLUMNS)
        raise ManifestError(
            f"the header ({', '.join(header)}) has no column for the {missing}",
            where=str(table),
            remedy=f"Call it one of: {', '.join(names)}",
        )
    else:
        rows = rows[1:]
    speaker, language = _column(header, SPEAKER_COLUMNS), _column(header, LANGUAGE_COLUMNS)
    for line, row in rows:
        path = _cell(row, audio)
        yield _Row(
            where=f"{table}, line {line}",
            audio=table.parent / path if path else None,
            text=_cell(row, text) or None,
            speaker=_cell(row, speaker),
            language=_cell(row, language),
        )


def _rows(table: Path) -> list[tuple[int, list[str]]]:
    """Read the rows that are not blank with their last lines; the first line tells what separates columns."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            first_line = file.readline(MAX_TEXT_BYTES)
            file.seek(0)
            delimiter = next((mark for mark in "\t|;" if mark in first_line), ",")
            quoted = delimiter in ",;"  # elsewhere a quote is part of the text
            reader = csv.reader(
                file, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
            )
            return [(reader.line_num, row) for row in reader if any(row)]
    except UnicodeDecodeError as error:
        raise ManifestError(f"not UTF-8 ({error})", where=str(table), remedy="Save it as UTF-8") from error
    except (OSError, csv.Error) as error:
        raise ManifestError(f"the table cannot be read ({error})", where=str(table)) from error


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _cell(row: list[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
        if len(content) > MAX_TEXT_BYTES:
            raise ManifestError(f"the text beside it is longer than {MAX_TEXT_BYTES} bytes")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"the text beside it is not UTF-8 ({error})") from error
    except OSError as error:
        raise ManifestError(f"the text beside it cannot be read ({error.strerror})") from error
