"""What the commands share on the terminal: results on stdout, the rest on stderr, errors as exit codes."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from linnet.core.errors import ExportError, LinnetError, TrainingError

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="A packaged model's name, a bundle's folder, hf:OWNER/NAME or a .nemo file; default: english.",
    ),
]

EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

results = Console(highlight=False)  # stdout: what the user asked for, and nothing else
messages = Console(stderr=True, highlight=False)


def print_result(text: str) -> None:
    """Write a line of a result to stdout as it is: not wrapped, not colored, no markup."""
    typer.echo(text)


def print_warning(text: str) -> None:
    """Write a warning to stderr."""
    _print_labelled("warning", "bold yellow", text)


def print_error(text: str) -> None:
    """Write an error to stderr."""
    _print_labelled("error", "bold red", text)


def progress_bar(unit: str) -> Progress:
    """Make a bar that counts `unit` on stderr, and is not drawn at all where stderr is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        console=messages,
        transient=True,
        disable=not messages.is_terminal,
    )


@contextmanager
def log_on_stderr() -> Iterator[None]:
    """Show what linnet logs, above a progress bar where one is drawn; inside itself it changes nothing."""
    logger, handler = logging.getLogger("linnet"), _TerminalHandler()
    if any(isinstance(other, _TerminalHandler) for other in logger.handlers):
        yield
        return
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def errors_as_exit_codes() -> Iterator[None]:
    """Turn a mistake, a full disk or Ctrl-C into a message and an exit code; a bug keeps its traceback."""
    try:
        yield
    except (ExportError, TrainingError) as error:
        print_error(str(error))
        raise typer.Exit(EXIT_SOME_FAILED) from None
    except LinnetError as error:
        print_error(str(error))
        raise typer.Exit(EXIT_USAGE) from None
    except BrokenPipeError:
        raise  # the reader of a pipe left; typer ends quietly
    except OSError as error:
        print_error(_full_disk(error) if error.errno == errno.ENOSPC else str(error))
        raise typer.Exit(EXIT_SOME_FAILED) from None
    except KeyboardInterrupt:
        messages.print("interrupted")
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _full_disk(error: OSError) -> str:
    """Say what could not be written, and what to do; of a copy, the copy."""
    place = error.filename2 or error.filename
    where = f"{place}: " if place else ""
    return f"{where}no space is left on the disk. Make room and run the command again"


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            print_warning(record.getMessage())
        else:
            messages.print(Text(printable(record.getMessage())), soft_wrap=True)


def _print_labelled(label: str, style: str, text: str) -> None:
    messages.print(Text.assemble((f"{label}: ", style), printable(text)), soft_wrap=True)


def printable(text: str) -> str:
    """Escape control characters: file names and manifests must not steer the terminal."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1]
        for character in text
    )
