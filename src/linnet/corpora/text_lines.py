"""Reading the text files of a corpus line by line, with what cannot be read named and passed over."""

from collections.abc import Iterator
from pathlib import Path

from linnet.corpora.entry import Skipped

MAX_LINE_BYTES = 1 << 20

_BOM = b"\xef\xbb\xbf"


def numbered_lines(path: Path, problems: list[Skipped]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a UTF-8 file that are not blank, stripped, with their numbers from 1.

    A line that is too long or not UTF-8, and a file that cannot be opened, go to `problems`.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(line) > MAX_LINE_BYTES:
                    problems.append(Skipped(f"{path}, line {number}", f"longer than {MAX_LINE_BYTES} bytes"))
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE_BYTES)
                    continue
                try:
                    text = (line.removeprefix(_BOM) if number == 1 else line).decode().strip()
                except UnicodeDecodeError as error:
                    problems.append(Skipped(f"{path}, line {number}", f"not UTF-8 ({error})"))
                    continue
                if text:
                    yield number, text
    except OSError as error:
        problems.append(Skipped(str(path), f"cannot be read ({error.strerror})"))


def read_table(path: Path, problems: list[Skipped]) -> dict[str, str]:
    """Read lines of a key and the rest ("" where there is none), as Kaldi writes `text` or `wav.scp`."""
    table: dict[str, str] = {}
    for number, line in numbered_lines(path, problems):
        key, _, value = line.partition("\t") if "\t" in line.split(" ")[0] else line.partition(" ")
        if key in table:
            problems.append(Skipped(f"{path}, line {number}", f"{key} stands here a second time"))
        else:
            table[key] = value.strip()
    return table
