"""Text files, one text a line, read without trusting them."""

from collections.abc import Iterator
from pathlib import Path

from linnet.core.errors import TextError
from linnet.core.files import bounded_lines

MAX_LINE_BYTES = 1 << 20


def read_lines(path: Path) -> Iterator[tuple[str, str | TextError]]:
    """Yield each line that is not blank as its place and its text, or the error that it is none.

    Raises:
        TextError: when the file cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise TextError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            remedy="Check the path, and whether you may read it",
        ) from None
    with file:
        for number, line in enumerate(bounded_lines(file, MAX_LINE_BYTES), start=1):
            where = f"{path}, line {number}"
            text = _decode(line, where)
            if isinstance(text, TextError) or text.strip():
                yield where, text


def _decode(line: bytes, where: str) -> str | TextError:
    if len(line) > MAX_LINE_BYTES:
        return TextError(f"the line is longer than {MAX_LINE_BYTES} bytes", where=where, remedy="Cut it")
    try:
        return line.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        return TextError(
            f"is not UTF-8: {error.reason} at byte {error.start + 1}",
            where=where,
            remedy="Save the file as UTF-8",
        )
