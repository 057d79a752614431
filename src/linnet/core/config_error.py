"""What pydantic found wrong with a configuration, said with the user's own keys and the nearest valid one."""

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from linnet.core.errors import ConfigError

MAX_LISTED_PROBLEMS = 20
MAX_SHOWN_CHARACTERS = 60


def config_error(error: ValidationError, cls: type[BaseModel], where: str) -> ConfigError:
    """Turn pydantic's report into one message with a line for each wrong key.

    Args:
        error: what `cls` raised.
        cls: the class that was validated.
        where: the file the values came from.
    """
    problems: dict[str, list[str]] = {}
    for details in error.errors(include_url=False):
        key, sentence = _explain(cls, details)
        sentences = problems.setdefault(key, [])
        if sentence not in sentences:
            sentences.append(sentence)
    # The members of a union complain one by one about the same key.
    lines = [f"{key}: " + "; or ".join(sentences) for key, sentences in problems.items()]
    if len(lines) == 1:
        return ConfigError(lines[0].removeprefix(": "), where=where)
    shown = lines[:MAX_LISTED_PROBLEMS]
    if len(lines) > len(shown):
        shown.append(f"and {len(lines) - len(shown)} more")
    return ConfigError("\n  ".join([f"{len(lines)} problems", *shown]), where=where)


def _explain(cls: type[BaseModel], details: Mapping[str, Any]) -> tuple[str, str]:
    """Give the dotted key of one pydantic error and a sentence about it."""
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    key, types_there = _locate(cls, details["loc"])
    if kind == "extra_forbidden":
        return key, _explain_unknown_key(cls, key, types_there)
    if kind == "missing":
        return key, f"is missing; give {' or '.join(map(_describe, types_there)) or 'a value'}"
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        field = context["discriminator"].strip("'")
        allowed = _tags(types_there, field)
        missing = kind == "union_tag_not_found"
        sentence = f"is missing; give {_one_of(allowed)}" if missing else _not_one_of(context["tag"], allowed)
        return f"{key}.{field}", sentence
    choices = [choice for there in types_there for choice in get_args(there)]
    if kind == "literal_error" and choices:
        return key, _not_one_of(value, choices)
    if kind in ("model_type", "model_attributes_type"):
        return key, f"{shorten(value)} is not a section with the keys {', '.join(_fields(types_there))}"
    if kind == "value_error":
        complaint = str(context["error"])
        # A model's own check names its fields; its whole value would only bury the message.
        return key, complaint if isinstance(value, dict | BaseModel) else f"{shorten(value)}: {complaint}"
    return key, re.sub(r"^\w+ (?=should)", f"{shorten(value)} ".replace("\\", r"\\"), details["msg"])


def _explain_unknown_key(cls: type[BaseModel], key: str, models: Sequence[Any]) -> str:
    prefix, _, name = key.rpartition(".")
    valid = _fields(models)
    near = get_close_matches(name, valid, n=1)
    if near:
        return f"unknown key; did you mean {f'{prefix}.' if prefix else ''}{near[0]}?"
    elsewhere = [other for other in _all_keys(cls) if other.rpartition(".")[2] == name]
    if elsewhere:
        return f"unknown key; did you mean {elsewhere[0]}?"
    return f"unknown key; the keys here are {', '.join(valid)}"


def _locate(cls: type[BaseModel], location: Sequence[str | int]) -> tuple[str, list[Any]]:
    """Follow pydantic's location through the annotations.

    Pydantic mixes labels of union members ("char", "int", "NovoGradConfig") into its locations; the user
    wrote no such keys. A label stands exactly where the annotation offers several alternatives.

    Returns:
        The dotted key as written in the file, and the types allowed there (for an unknown key, the models
        that refuse it).
    """
    names: list[str] = []
    alternatives: list[Any] = [cls]
    for part in location:
        if len(alternatives) > 1:
            alternatives = [there for there in alternatives if _has_label(there, part)]
            continue
        names.append(str(part))
        if alternatives and _is_model(alternatives[0]) and part not in alternatives[0].model_fields:
            break  # an unknown key
        alternatives = [below for there in alternatives for below in _below(there, part)]
    return ".".join(names), alternatives


def _alternatives(annotation: Any) -> list[Any]:
    """Take `X | Y | None` and `Annotated[...]` apart; None, which pydantic does not label, is left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [there for member in get_args(annotation) for there in _alternatives(member)]
    return [] if annotation is types.NoneType else [annotation]


def _below(annotation: Any, part: str | int) -> list[Any]:
    """Give the types allowed at key or index `part` of a value of this type."""
    if _is_model(annotation):
        return _alternatives(annotation.model_fields[str(part)].annotation)
    arguments = [argument for argument in get_args(annotation) if argument is not ...]
    if isinstance(part, int):
        chosen = arguments[part : part + 1] if len(arguments) > 1 else arguments
    else:
        chosen = arguments[1:2]
    return [there for argument in chosen for there in _alternatives(argument)]


def _has_label(annotation: Any, label: str | int) -> bool:
    if get_origin(annotation) is Literal:
        return str(label).startswith("literal[")
    if not _is_model(annotation):
        return False
    return label == annotation.__name__ or any(
        label in get_args(field.annotation)
        for field in annotation.model_fields.values()
        if get_origin(field.annotation) is Literal
    )


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields(models: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(field for model in models for field in model.model_fields))


def _tags(models: Sequence[Any], field: str) -> list[Any]:
    return [tag for model in models for tag in get_args(model.model_fields[field].annotation)]


def _all_keys(cls: type[BaseModel], prefix: str = "", above: tuple[Any, ...] = ()) -> Iterator[str]:
    """Give every dotted key of a configuration; lists are not entered."""
    for name, field in cls.model_fields.items():
        yield f"{prefix}{name}"
        for there in _alternatives(field.annotation):
            if _is_model(there) and there not in above:
                yield from _all_keys(there, f"{prefix}{name}.", (*above, there))


def _describe(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return _one_of(get_args(annotation))
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return "a section" if _is_model(annotation) else annotation.__name__
    return str(annotation).replace("typing.", "")


def _not_one_of(value: Any, allowed: Sequence[Any]) -> str:
    near = get_close_matches(str(value), [str(choice) for choice in allowed], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{shorten(value)} is not {_one_of(allowed)}{hint}"


def _one_of(allowed: Sequence[Any]) -> str:
    return ("one of " if len(allowed) > 1 else "") + ", ".join(map(repr, allowed))


def shorten(value: Any) -> str:
    """Show a value in a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"
