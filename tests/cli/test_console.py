"""Results go to stdout as they are; all else goes to stderr and cannot steer the terminal."""

import errno
import logging

import pytest
import typer

from linnet.cli.console import (
    errors_as_exit_codes,
    log_on_stderr,
    print_error,
    print_result,
    print_warning,
    printable,
    progress_bar,
)


def test_a_result_is_not_wrapped_colored_or_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[red]word[/red] " * 50
    print_result(text)
    assert capsys.readouterr() == (f"{text}\n", "")


def test_warnings_and_errors_are_whole_lines_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    print_warning("w" * 300)
    print_error("[red]e[/red]")
    assert capsys.readouterr() == ("", f"warning: {'w' * 300}\nerror: [red]e[/red]\n")


def test_log_is_shown_on_stderr_while_a_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("linnet.audio.read")
    with log_on_stderr(), log_on_stderr():
        logger.info("read [%d] files", 3)
        logger.warning("one was cut\x07 short")
        logger.debug("not shown")
    assert capsys.readouterr() == ("", "read [3] files\nwarning: one was cut\\x07 short\n")
    assert logging.getLogger("linnet").handlers == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "error: no space is left on the disk. Make room"),
        (("a.txt",), "error: a.txt: no space is left"),
        (("a.onnx", None, "out/b.onnx"), "error: out/b.onnx: no space is left"),
    ],
)
def test_a_full_disk_is_called_so(
    capsys: pytest.CaptureFixture[str], names: tuple[str | None, ...], message: str
) -> None:
    with pytest.raises(typer.Exit) as end, errors_as_exit_codes():
        raise OSError(errno.ENOSPC, "No space left on device", *names)
    assert end.value.exit_code == 1
    assert capsys.readouterr().err.startswith(message)


def test_no_bar_is_drawn_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("files") as bar:
        bar.update(bar.add_task("read", total=2), completed=1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("наш 你好 ▁", "наш 你好 ▁"),
        ("right to left \u202e", "right to left \\u202e"),
        ("\r\x00\ud800", "\\r\\x00\\ud800"),
    ],
)
def test_control_characters_are_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
