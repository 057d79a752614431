"""The frame of the command line: lazy commands, a light `--help`, errors as messages and exit codes."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from linnet import __version__
from linnet.cli import main as main_module
from linnet.cli.main import COMMANDS, app, load_command
from linnet.core.errors import ConfigError, ExportError

HEAVY = ("numpy", "onnxruntime", "torch", "pydantic", "soundfile", "soxr", "yaml", "lightning")
AddCommand = Callable[[str, Any], None]

runner = CliRunner()


@pytest.fixture
def add_command(monkeypatch: pytest.MonkeyPatch) -> AddCommand:
    """`add_command(name, command)` puts a command in the table, in a module made for it."""

    def add(name: str, command: Any) -> None:
        module = ModuleType(f"linnet.cli.{name}")
        setattr(module, name, command)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(main_module.COMMANDS, name, "A command of this test.")

    return add


def modules_after(*arguments: str) -> set[str]:
    """Run the command line in a fresh process and give the names of the modules it has loaded."""
    script = (
        "import json, sys\n"
        "from linnet.cli.main import main\n"
        f"sys.argv = ['linnet', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as ended:\n    assert not ended.code, ended.code\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_loads_nothing_heavy_and_no_command(arguments: list[str]) -> None:
    loaded = modules_after(*arguments)
    assert [name for name in HEAVY if name in loaded] == []
    assert [name for name in COMMANDS if f"linnet.cli.{name}" in loaded] == []
    assert "linnet.cli.main" in loaded


@pytest.mark.parametrize("command", ["evaluate", "lm"])
def test_the_help_of_a_command_loads_that_command_alone(command: str) -> None:
    loaded = modules_after(command, "--help")
    assert [name for name in COMMANDS if f"linnet.cli.{name}" in loaded] == [command]
    # typer itself takes pydantic to read some options.
    assert [name for name in HEAVY if name in loaded and name != "pydantic"] == []


def test_help_lists_every_command_with_its_summary() -> None:
    shown = runner.invoke(app, ["--help"], env={"COLUMNS": "120"}).stdout
    assert all(name in shown and summary in shown for name, summary in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_is_the_first_line_of_the_command_itself(name: str) -> None:
    assert load_command(name).help.splitlines()[0] == COMMANDS[name]


def test_no_arguments_show_the_help() -> None:
    result = runner.invoke(app, [])
    assert "Usage:" in result.output


def test_version() -> None:
    assert runner.invoke(app, ["--version"]).stdout == f"linnet {__version__}\n"


def test_a_misspelt_command_gets_the_nearest_one() -> None:
    result = runner.invoke(app, ["evalute"])
    assert result.exit_code == 2
    assert "No such command 'evalute'" in result.stderr
    assert result.stdout == ""


def test_a_function_becomes_a_command(add_command: AddCommand) -> None:
    def greet(name: str, loud: bool = False) -> None:
        """Greet somebody."""
        typer.echo(f"hello {name.upper() if loud else name}")

    add_command("greet", greet)
    assert runner.invoke(app, ["greet", "anna", "--loud"]).stdout == "hello ANNA\n"
    assert "Greet somebody." in runner.invoke(app, ["greet", "--help"]).stdout


def test_an_app_becomes_a_command_with_subcommands(add_command: AddCommand) -> None:
    group = typer.Typer()
    group.command("one")(lambda: typer.echo("first"))
    group.command("two")(lambda: typer.echo("second"))
    add_command("group", group)
    assert runner.invoke(app, ["group", "two"]).stdout == "second\n"


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (ConfigError("is wrong", where="a.yaml", remedy="Mend it"), 2, "error: a.yaml: is wrong. Mend it\n"),
        (ExportError("differs by 0.5"), 1, "error: differs by 0.5\n"),
        (OSError(28, "No space left on device", "out.json"), 1, "out.json: no space is left on the disk"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (ConfigError("[bold]not markup[/bold] \x1b[31m"), 2, "[bold]not markup[/bold] \\x1b[31m"),
    ],
)
def test_an_error_is_a_message_and_an_exit_code(
    add_command: AddCommand, error: BaseException, exit_code: int, message: str
) -> None:
    def fail() -> None:
        raise error

    add_command("fail", fail)
    result = runner.invoke(app, ["fail"])
    assert result.exit_code == exit_code
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_bug_keeps_its_traceback(add_command: AddCommand) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    add_command("fail", fail)
    assert isinstance(runner.invoke(app, ["fail"]).exception, ZeroDivisionError)


def test_wrong_usage_is_exit_code_2(add_command: AddCommand) -> None:
    def greet(name: str) -> None:
        """Greet somebody."""

    add_command("greet", greet)
    assert runner.invoke(app, ["greet"]).exit_code == 2
    assert runner.invoke(app, ["greet", "anna", "--lod"]).exit_code == 2


def test_the_installed_script_starts_here(repo_root: Path) -> None:
    assert 'linnet = "linnet.cli.main:main"' in (repo_root / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_loses_what_looks_like_markup(name: str) -> None:
    command = load_command(name)
    for each in (command, *getattr(command, "commands", {}).values()):
        assert re.findall(r"\[[a-z]+\]", each.help or "") == []  # an extra; rich would show nothing
