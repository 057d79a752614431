"""Every `linnet …` command in the pages exists, with every option it is given."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import doc_commands
from linnet.cli.main import app, load_command

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("recipes/**/*.md"),
]
BETWEEN_COMMANDS = frozenset({"|", "||", "&", "&&", ";", "(", ")"})


def simple_commands(line: str) -> Iterator[list[str]]:
    """Split a shell line into its simple commands, each as words."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in BETWEEN_COMMANDS:
            yield words
            words = []
        else:
            words.append(word)
    yield words


def linnet_calls(page: Path) -> Iterator[list[str]]:
    """Give the words after `linnet` of each call on a page, variables set before it left out."""
    for block in doc_commands.read_blocks(page):
        for words in (words for line in block.commands for words in simple_commands(line)):
            while words and "=" in words[0]:
                words = words[1:]
            if words[:1] == ["linnet"]:
                yield words[1:]


def unknown_words(call: list[str]) -> list[str]:
    """Follow a call through the command tree and name the commands and options that do not exist."""
    root: Any = typer.main.get_command(app)
    command, unknown = root, []
    for word in call:
        known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
        if word.startswith("-") and word != "-":
            unknown += [word] if word.partition("=")[0] not in known | {"--help"} else []
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return [*unknown, word]
            command = load_command(word) if command is root else command.commands[word]
    return unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documented_commands_exist(page: Path) -> None:
    wrong = {" ".join(call): unknown for call in linnet_calls(page) if (unknown := unknown_words(call))}
    assert wrong == {}


def test_an_unknown_command_or_option_is_named() -> None:
    assert unknown_words(["transcribe", "a.wav", "--no-such-option=3", "-"]) == ["--no-such-option=3"]
    assert unknown_words(["no-such-command", "--help"]) == ["no-such-command"]


def test_calls_are_found_in_pipes_and_behind_variables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\ncat a.wav | CI=1 linnet transcribe - > out.txt && ls\n```\n", encoding="utf-8")
    assert list(linnet_calls(page)) == [["transcribe", "-", ">", "out.txt"]]


@pytest.mark.parametrize("name", ["quickstart", "tests"])
def test_the_readme_marks_what_ci_runs(name: str) -> None:
    assert [block.name for block in doc_commands.read_blocks(ROOT / "README.md")].count(name) == 1
