"""The model_config.yaml of a .nemo file as plain values: YAML as OmegaConf writes it, from a stranger."""

import re
from typing import Any

import yaml

from linnet.core.config import use_core_schema
from linnet.core.errors import CheckpointError

MAX_NODES = (
    1_000_000  # after aliases are followed: a large tokenizer has 10,000 pieces, listed two or three times
)
MAX_DEPTH = 64
_DAMAGED = "Download the file again; its own toolkit should be able to read it"

# libyaml is ten times as fast, and not every build of PyYAML has it.
_Base: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # which of the two it is shows when it runs
    """Plain values by the YAML 1.2 core schema: `no` is a word, and 1e-5 a number."""


use_core_schema(_Loader)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^(?:<<)$"), ["<"])


def parse_config(content: bytes, where: str) -> dict[str, Any]:
    """Read a configuration; nothing in it is ever run, and aliases cannot make it grow without bound.

    Args:
        content: the file.
        where: what messages call it.

    Raises:
        CheckpointError: when it is no YAML, has tags of Python, grows too large, or is no mapping.
    """
    try:
        loader = _Loader(content)
        node = loader.get_single_node()
        _measure(node, {}, MAX_DEPTH, where)
        values = loader.construct_document(node) if node else None
    except CheckpointError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = f"cannot be read as plain YAML: {error.problem}"
        raise CheckpointError(problem, where=where + line, remedy=_DAMAGED) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"cannot be read as plain YAML: {error}", where=where, remedy=_DAMAGED
        ) from None
    if not isinstance(values, dict):
        raise CheckpointError("holds no keys with values", where=where, remedy=_DAMAGED)
    return values


def _measure(node: Any, sizes: dict[int, int], depth: int, where: str) -> int:
    """Count the nodes below `node` with each alias followed, as a program that reads all of it would meet."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in sizes:
        if depth == 0:
            raise CheckpointError(
                f"is nested more than {MAX_DEPTH} deep, or contains itself", where=where, remedy=_DAMAGED
            )
        size = 1
        for entry in node.value:
            size += sum(
                _measure(each, sizes, depth - 1, where)
                for each in (entry if isinstance(entry, tuple) else [entry])
            )
        if size > MAX_NODES:
            raise CheckpointError(
                f"grows to more than {MAX_NODES} values by its aliases", where=where, remedy=_DAMAGED
            )
        sizes[id(node)] = size
    return sizes[id(node)]
