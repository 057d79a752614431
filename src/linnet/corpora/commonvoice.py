"""Mozilla Common Voice: a directory a language, with tables (.tsv) and clips of one sentence each.

Source: https://commonvoice.mozilla.org (Ardila et al., "Common Voice", LREC 2020). The official parts are
train, dev and test, of which no speaker is in two. A language that has none yet is divided by the hash of its
speakers, out of validated.tsv. lhotse's recipe is not used: it finds 23 of the languages, wants columns that
older releases lack, and stops at a missing table.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Entry, Skipped
from linnet.corpora.hashed_split import PARTS
from linnet.corpora.text_lines import numbered_lines

COLUMNS = ("client_id", "path", "sentence")


def read_commonvoice(source: Path) -> Iterator[Entry | Skipped]:
    """Read the directory of a language, or of a release with several; then the language is in the part."""
    if (source / "clips").is_dir():
        yield from _read_language(source, "")
        return
    for language in sorted(path.parent for path in source.glob("*/clips") if path.is_dir()):
        yield from _read_language(language, f"{language.name}-")


def _read_language(directory: Path, prefix: str) -> Iterator[Entry | Skipped]:
    tables = {part: directory / f"{part}.tsv" for part in PARTS if (directory / f"{part}.tsv").is_file()}
    if tables:
        for part, table in tables.items():
            yield from _read_table(table, prefix + part)
    elif (directory / "validated.tsv").is_file():
        yield from _read_table(directory / "validated.tsv", "")
    else:
        yield Skipped(str(directory), "there is neither train.tsv nor validated.tsv")


def _read_table(table: Path, part: str) -> Iterator[Entry | Skipped]:
    problems: list[Skipped] = []
    lines = numbered_lines(table, problems)
    _, header = next(lines, (0, ""))
    names = header.split("\t")
    if missing := [name for name in COLUMNS if name not in names]:
        yield Skipped(f"{table}, line 1", f"no column {', '.join(missing)}")
        return
    for number, line in lines:
        # Sentences hold single quotation marks, so a quotation mark means nothing here.
        cells = next(csv.reader([line], delimiter="\t", quoting=csv.QUOTE_NONE))
        row = dict(zip(names, cells, strict=False))
        where = f"{table}, line {number}"
        clip = row.get("path", "")
        if not clip or Path(clip).name != clip:
            yield Skipped(where, f"{clip!r} is not the name of a clip")
            continue
        yield Entry(
            where=where,
            audio=table.parent / "clips" / (clip if Path(clip).suffix else f"{clip}.mp3"),
            text=row.get("sentence", ""),
            part=part,
            speaker=row["client_id"],
            language=row.get("locale") or table.parent.name,
        )
    yield from problems
