"""Options made of the fields of a configuration class."""

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field
from typer.testing import CliRunner

from linnet.cli.config_options import options_from
from linnet.core.errors import ConfigError


class Wishes(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size_s: float | None = Field(1.5, gt=0.0, description="How long.")
    name: tuple[str, ...] = Field((), description="Whom to greet.")


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()

    @made.command()
    @options_from(Wishes, "wishes")
    def greet(place: str, wishes: Wishes, loud: bool = False) -> None:
        """Greet somebody."""
        typer.echo(f"{place} {wishes.size_s} {wishes.name} {loud}")

    return made


def test_options_reach_the_command_as_one_object(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["here", "--name", "ada", "--name", "bo", "--size-s", "2", "--loud"])
    assert result.output == "here 2.0 ('ada', 'bo') True\n"


def test_the_class_has_the_defaults(app: typer.Typer) -> None:
    assert CliRunner().invoke(app, ["here"]).output == "here 1.5 () False\n"


def test_the_help_is_that_of_the_fields(app: typer.Typer) -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output
    assert all(
        text in shown for text in ("--size-s", "How long.", "--name", "Whom to greet.", "Greet somebody.")
    )
    assert "--wishes" not in shown


def test_what_the_class_refuses_is_a_config_error(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["here", "--size-s", "-1"])
    assert isinstance(result.exception, ConfigError)
    assert "options: size_s: -1.0 should be greater than 0" in str(result.exception)
