"""Options of a command from the fields of a configuration class, where they are too many to be parameters."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from linnet.core.config_error import config_error

Command = Callable[..., None]


def options_from(config: type[BaseModel], parameter: str) -> Callable[[Command], Command]:
    """Give a command an option for each field of `config`, and one of these in place of `parameter`.

    The name of a field is that of its option, its description the help. An option that is not given leaves
    the default to the class; what the class refuses is a ConfigError.
    """

    def decorate(command: Command) -> Command:
        def with_options(**values: Any) -> None:
            given = {name: values.pop(name) for name in config.model_fields}
            try:
                read = config.model_validate({k: v for k, v in given.items() if v is not None})
            except ValidationError as error:
                raise config_error(error, config, "options") from None
            command(**values, **{parameter: read})

        own = inspect.signature(command, eval_str=True).parameters.values()
        added = [_option(name, field) for name, field in config.model_fields.items()]
        parameters = [each for each in own if each.name != parameter] + added
        keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        with_options.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]  # typer reads it
        with_options.__annotations__ = {each.name: each.annotation for each in keywords}
        with_options.__name__, with_options.__doc__ = command.__name__, command.__doc__
        return with_options

    return decorate


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    """Describe an option that is None where it is not given.

    Many strings make it repeatable; many numbers are one string, which the class splits.
    """
    kinds: dict[Any, Any] = {tuple[str, ...]: list[str] | None, tuple[int, ...]: str | None}
    kind = kinds.get(field.annotation, field.annotation)
    flags = [f"--{name.replace('_', '-')}"] if kind is bool else []  # without these there is a --no-… too
    annotation: Any = Annotated[kind, typer.Option(*flags, help=field.description)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
