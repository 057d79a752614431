"""The `linnet` command: its subcommands, each imported only when it is run or its own help is asked.

The command `name` lives in `linnet/cli/name.py` as the attribute `name`: a function with typer annotations,
or a `typer.Typer` when it has subcommands of its own. Where Python keeps the name for itself, both end in
"_". A new command adds its file and one line to `COMMANDS`. The summary there is what `linnet --help` shows,
so that the help loads no command.
"""

import importlib
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from linnet import __version__
from linnet.cli.console import errors_as_exit_codes, log_on_stderr, print_result

COMMANDS = {
    "transcribe": "Write recordings as text.",
    "listen": "Write speech as text while it is spoken.",
    "align": "Find when each word of a known text was said.",
    "prepare": "Make a manifest from a folder or a corpus.",
    "manifest": "Split, filter, merge, measure, normalize or pack manifests.",
    "doctor": "Find what is wrong with a training set before the first step.",
    "tokenizer": "Train a tokenizer, and try it on texts.",
    "lm": "Build, convert, measure and mix n-gram language models.",
    "augment": "Write examples of the changes that training makes to a recording.",
    "models": "List the models that can be trained, with their cost and published error rates.",
    "train": "Train a model from a configuration.",
    "evaluate": "Measure the word error rate of a model on a manifest.",
    "export": "Turn a checkpoint into a bundle that runs without torch.",
    "import": "Turn a model of NeMo, transformers, icefall or fairseq into a bundle, and compare both.",
    "bench": "Measure the speed of models on this machine.",
}


class LazyGroup(TyperGroup):
    """A group that lists its commands from a table and imports the one that is run."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=summary) for name, summary in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command as click does, then put the real one in the place of its summary."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; its log goes to stderr, its errors become messages and exit codes."""
        with log_on_stderr(), errors_as_exit_codes():
            return super().invoke(ctx)


def load_command(name: str) -> Any:
    """Import the module of a command and give its click command."""
    python_name = f"{name}_" if iskeyword(name) else name
    command = getattr(importlib.import_module(f"linnet.cli.{python_name}"), python_name)
    if isinstance(command, typer.Typer):
        return typer.main.get_command(command)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(command)
    return typer.main.get_command(alone)


app = typer.Typer(cls=LazyGroup, no_args_is_help=True, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_result(f"linnet {__version__}")
        raise typer.Exit


@app.callback()
def linnet(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Train, prove and ship CTC speech recognizers."""


def main() -> None:
    """Run the command line; the entry point of the `linnet` script."""
    app(prog_name="linnet")
