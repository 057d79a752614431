"""A YAML file and `key.sub=value` overrides become a checked configuration or an error naming the key."""

import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from linnet.core.config_error import config_error, shorten
from linnet.core.errors import ConfigError

MAX_CONFIG_BYTES = 1 << 20

C = TypeVar("C", bound=BaseModel)


def load_config(cls: type[C], path: Path, overrides: Sequence[str] = ()) -> C:
    """Read a YAML file into a configuration class.

    The YAML is the 1.2 core schema (so `no` is a string and `1e-3` a number) without anchors; a key
    written twice is an error. `${config_dir}` in a string becomes the directory of the file; other paths are
    relative to the current directory.

    Args:
        cls: a pydantic class.
        path: the YAML file.
        overrides: `key.sub=value` each, applied in order after the file. The value is YAML (`lr=1e-3`,
            `speeds=[0.9, 1.1]`, `augment=null`; nothing after the sign is an empty string); a number in the
            key is the place in a list (`blocks.0.repeat=2`).

    Raises:
        ConfigError: naming each wrong key, its value and what is allowed there.
    """
    return check_values(cls, *read_values(cls, path, overrides))


def read_values(
    cls: type[BaseModel], path: Path, overrides: Sequence[str] = ()
) -> tuple[dict[str, Any], str]:
    """Read what `load_config` checks, for a caller that adds to it first.

    A section's class may name a MAIN_KEY: a plain string in the section's place is the value of that key.

    Returns:
        The values, and where they come from, for messages.

    Raises:
        ConfigError: when the file or an override cannot be read.
    """
    main_keys = _main_keys(cls)
    values = _read_mapping(path)
    for name, key in main_keys.items():
        if isinstance(values.get(name), str):
            values[name] = {key: values[name]}
    for override in overrides:
        _apply_override(values, override, main_keys)
    where = f"{path} (with {' '.join(overrides)})" if overrides else str(path)
    return _expand(values, str(path.parent), (), where), where


def check_values(cls: type[C], values: Mapping[str, Any], where: str) -> C:
    """Turn the values of `read_values` into a configuration.

    Raises:
        ConfigError: naming each wrong key, its value and what is allowed there.
    """
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        raise config_error(error, cls, where) from None


def _main_keys(cls: type[BaseModel]) -> dict[str, str]:
    """Give the sections of `cls` that have a main key, with it."""
    return {
        name: there.MAIN_KEY
        for name, field in cls.model_fields.items()
        for there in (field.annotation, *get_args(field.annotation))
        if hasattr(there, "MAIN_KEY")
    }


class _Loader(yaml.SafeLoader):
    """YAML without surprises: the 1.2 core schema, no aliases, string keys, each key once."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # An alias can make a small file expand without bound, or contain itself.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # a gap in the stubs
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not supported", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first_lines: dict[str, int] = {}
        for key_node, _ in node.value:
            if key_node.tag != "tag:yaml.org,2002:str":
                raise _refused("a key must be a plain string", key_node)
            if key_node.value in first_lines:
                first_line = first_lines[key_node.value]
                raise _refused(f"the key {key_node.value!r} was already given in line {first_line}", key_node)
            first_lines[key_node.value] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_CORE_SCHEMA = {
    # type: (pattern, first characters)
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
}


def use_core_schema(loader: Any) -> None:
    """Let a PyYAML loader read plain scalars by the YAML 1.2 core schema, and by no other rules."""
    loader.yaml_implicit_resolvers = {}
    for name, (pattern, first) in _CORE_SCHEMA.items():
        loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), list(first))


use_core_schema(_Loader)


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        remedy = f"Paths are relative to the current directory, {Path.cwd()}"
        raise ConfigError("there is no such configuration file", where=str(path), remedy=remedy) from None
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            remedy="Check the path, and whether you may read it",
        ) from None
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(
            f"is larger than {MAX_CONFIG_BYTES} bytes, too large to be a configuration",
            where=str(path),
            remedy="Give the YAML file of a configuration",
        )
    values = _parse_yaml(data, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(
            f"holds a {type(values).__name__}, not keys with values",
            where=str(path),
            remedy="Write it as lines of `key: value`",
        )
    return values


def _parse_yaml(data: bytes | str, where: str) -> Any:
    try:
        # _Loader is a SafeLoader: it builds plain values only.
        return yaml.load(data, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(error.problem or "is not valid YAML", where=f"{where}{line}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"is not valid YAML: {error}", where=where) from None
    except RecursionError:
        raise ConfigError("is nested too deeply", where=where, remedy="Write it with fewer levels") from None


def _apply_override(values: dict[str, Any], override: str, main_keys: Mapping[str, str]) -> None:
    """Set one `key.sub=value` in place; missing mappings on the way are made."""
    key, sign, text = override.partition("=")
    parts = key.strip().split(".")
    where = f"override {override!r}"
    if not sign or not all(parts):
        raise ConfigError("is not of the form key.sub=value", where=where, remedy="For example: train.seed=7")
    new = _parse_yaml(text, where) if text.strip() else ""
    if isinstance(new, str) and len(parts) == 1 and parts[0] in main_keys:
        parts.append(main_keys[parts[0]])
    node: Any = values
    for depth, part in enumerate(parts[:-1]):
        slot = _slot(node, part, parts[:depth], where)
        if isinstance(node, dict) and node.get(slot) is None:
            node[slot] = {}
        node = node[slot]
    slot = _slot(node, parts[-1], parts[:-1], where)
    node[slot] = new


def _slot(node: Any, part: str, above: Sequence[str], where: str) -> str | int:
    """Give the key or the list index that `part` means in `node`."""
    if isinstance(node, dict):
        return part
    name = ".".join(above)
    if not isinstance(node, list):
        raise ConfigError(
            f"{name} is {shorten(node)} and has no keys", where=where, remedy=f"Set it whole: {name}=VALUE"
        )
    if not (part.isascii() and part.isdigit() and int(part) < len(node)):
        raise ConfigError(
            f"{name} is a list of {len(node)}; {part!r} is not a place in it (0 is the first)", where=where
        )
    return int(part)


def _expand(value: Any, config_dir: str, key: tuple[str, ...], where: str) -> Any:
    """Replace `${config_dir}` in every string below `value`."""
    if isinstance(value, dict):
        return {name: _expand(item, config_dir, (*key, name), where) for name, item in value.items()}
    if isinstance(value, list):
        return [_expand(item, config_dir, (*key, str(i)), where) for i, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    unknown = set(re.findall(r"\$\{[^}]*\}", value)) - {"${config_dir}"}
    if unknown:
        name = sorted(unknown)[0]
        raise ConfigError(
            f"{'.'.join(key)}: {name} is unknown", where=where, remedy="Only ${config_dir} is replaced"
        )
    return value.replace("${config_dir}", config_dir)
