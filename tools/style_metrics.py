"""Measure the house budgets of a Python package, print them, and fail when one is exceeded.

Usage: python tools/style_metrics.py [PACKAGE_DIR]      (default: src/linnet)

Only the source text is read; nothing of the package is imported.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

MAX_MEDIAN_FUNCTION_LINES = 12
MAX_FUNCTION_LINES = 80
MAX_PARAMETERS = 8
MAX_FILE_LINES = 500
MAX_HOUSE_ANCESTORS = 2
MAX_TRANSCRIPTION_MODULES = 40
TRANSCRIPTION_ENTRY = "runtime.recognizer"
FORBIDDEN_NAMES = frozenset({"util", "utils", "common", "helper", "helpers", "misc", "parts"})

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file: its dotted name, path, number of lines and syntax tree."""

    name: str
    path: Path
    num_lines: int
    tree: ast.Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function or method and what the budgets ask about it."""

    place: str
    num_lines: int
    num_parameters: int
    typed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The figures of one package.

    Attributes:
        modules: every module by dotted name.
        functions: every function and method, nested ones too.
        ancestors: for each class its ancestors defined in the package.
        imports: for each module the modules of the package it imports, wherever the statement stands.
        closure: the modules that the transcription entry loads by its top-level imports.
    """

    modules: Mapping[str, Module]
    functions: tuple[Function, ...]
    ancestors: Mapping[str, frozenset[str]]
    imports: Mapping[str, frozenset[str]]
    closure: frozenset[str]


def read_modules(package: Path) -> dict[str, Module]:
    """Parse every file of the package at `package`."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        modules[name] = Module(
            name=name, path=path, num_lines=len(text.splitlines()), tree=ast.parse(text, filename=str(path))
        )
    return modules


def measure(package: Path) -> Metrics:
    """Measure the package whose folder is `package`."""
    modules = read_modules(package)
    functions = tuple(
        _measure_function(module, node)
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, FunctionNode)
    )
    everywhere = {name: frozenset(_imported(module, modules, lazy=True)) for name, module in modules.items()}
    at_top = {name: frozenset(_imported(module, modules, lazy=False)) for name, module in modules.items()}
    return Metrics(
        modules=modules,
        functions=functions,
        ancestors=_house_ancestors(modules),
        imports=everywhere,
        closure=_reached(f"{package.name}.{TRANSCRIPTION_ENTRY}", at_top),
    )


def violations(metrics: Metrics) -> list[str]:
    """Name every budget exceeded, one line each."""
    return [
        *_function_violations(metrics.functions),
        *_file_violations(metrics.modules),
        *(
            f"{name}: {len(ancestors)} in-house ancestors, over {MAX_HOUSE_ANCESTORS}"
            for name, ancestors in metrics.ancestors.items()
            if len(ancestors) > MAX_HOUSE_ANCESTORS
        ),
        *_cycle_violations(metrics.imports),
        *_closure_violations(metrics.closure),
    ]


def report(metrics: Metrics) -> str:
    """Show the figures beside their budgets."""
    sizes = [function.num_lines for function in metrics.functions]
    file_sizes = [module.num_lines for module in metrics.modules.values()]
    typed = sum(function.typed for function in metrics.functions)
    num_ancestors = max(map(len, metrics.ancestors.values()), default=0)
    rows = [
        ("files", f"{len(file_sizes)}, {sum(file_sizes)} lines", ""),
        ("longest file", f"{max(file_sizes, default=0)} lines", f"≤ {MAX_FILE_LINES}"),
        ("functions", f"{len(sizes)}", ""),
        ("median function", f"{median(sizes or [0]):g} lines", f"≤ {MAX_MEDIAN_FUNCTION_LINES}"),
        ("longest function", f"{max(sizes, default=0)} lines", f"≤ {MAX_FUNCTION_LINES}"),
        ("most parameters", f"{_most_parameters(metrics)}", f"≤ {MAX_PARAMETERS}"),
        ("typed functions", f"{typed} of {len(sizes)}", "all"),
        ("in-house ancestors", f"{num_ancestors}", f"≤ {MAX_HOUSE_ANCESTORS}"),
        ("modules to transcribe", f"{len(metrics.closure)}", f"≤ {MAX_TRANSCRIPTION_MODULES}"),
    ]
    return "\n".join(f"{label:<22} {figure:<22} {budget}".rstrip() for label, figure, budget in rows)


def main() -> int:
    """Print figures and violations; the exit code is 1 when there are any."""
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "src" / "linnet"
    metrics = measure(package.resolve())
    print(report(metrics))
    found = violations(metrics)
    print("\n".join(["", *found]) if found else "every budget kept")
    return 1 if found else 0


def _measure_function(module: Module, node: FunctionNode) -> Function:
    """Count lines from `def` to the end, docstring included, and parameters without self and cls."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
    own = [argument for argument in arguments if argument.arg not in ("self", "cls")]
    return Function(
        place=f"{module.path}:{node.lineno} {node.name}",
        num_lines=(node.end_lineno or node.lineno) - node.lineno + 1,
        num_parameters=len(own),
        typed=node.returns is not None and all(argument.annotation for argument in own),
    )


def _most_parameters(metrics: Metrics) -> int:
    return max((function.num_parameters for function in metrics.functions), default=0)


def _function_violations(functions: tuple[Function, ...]) -> Iterator[str]:
    middle = median([function.num_lines for function in functions] or [0])
    if middle > MAX_MEDIAN_FUNCTION_LINES:
        yield f"the median function has {middle:g} lines, over {MAX_MEDIAN_FUNCTION_LINES}"
    for function in functions:
        if function.num_lines > MAX_FUNCTION_LINES:
            yield f"{function.place}: {function.num_lines} lines, over {MAX_FUNCTION_LINES}"
        if function.num_parameters > MAX_PARAMETERS:
            yield f"{function.place}: {function.num_parameters} parameters, over {MAX_PARAMETERS}"
        if not function.typed:
            yield f"{function.place}: not fully typed"


def _file_violations(modules: Mapping[str, Module]) -> Iterator[str]:
    for name, module in modules.items():
        if module.num_lines > MAX_FILE_LINES:
            yield f"{module.path}: {module.num_lines} lines, over {MAX_FILE_LINES}"
        if not _opens_with_docstring(module.tree):
            yield f"{module.path}: the first line must be a docstring that says the file's one job"
        if FORBIDDEN_NAMES & set(name.rpartition(".")[2].split("_")):
            yield f"{module.path}: name the concept; {', '.join(sorted(FORBIDDEN_NAMES))} do not exist"


def _opens_with_docstring(tree: ast.Module) -> bool:
    return ast.get_docstring(tree) is not None and tree.body[0].lineno == 1


def _cycle_violations(imports: Mapping[str, frozenset[str]]) -> Iterator[str]:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        yield f"import cycle: {' → '.join(reversed(error.args[1]))}"


def _closure_violations(closure: frozenset[str]) -> Iterator[str]:
    if len(closure) > MAX_TRANSCRIPTION_MODULES:
        yield f"transcription loads {len(closure)} modules, over {MAX_TRANSCRIPTION_MODULES}"


def _imported(module: Module, modules: Mapping[str, Module], *, lazy: bool) -> Iterator[str]:
    """Name the package's modules that `module` imports; `lazy` adds those inside functions and for types."""
    nodes = ast.walk(module.tree) if lazy else _run_on_import(module.tree.body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module in modules:
            # `from room import file` reaches the file; `from room import name` the room itself.
            files = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
            yield from files or [node.module]


def _run_on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Walk the statements that run when a module is imported, less those for the type checker."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _run_on_import(node.orelse)
        elif not isinstance(node, FunctionNode):
            for field in ("body", "orelse", "finalbody", "handlers"):
                yield from _run_on_import(getattr(node, field, []))


def _reached(entry: str, imports: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Collect what importing `entry` loads, the packages above each module included."""
    reached: set[str] = set()
    waiting = [entry] if entry in imports else []
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [*imports[name], *([name.rpartition(".")[0]] if "." in name else [])]
    return frozenset(reached)


def _house_ancestors(modules: Mapping[str, Module]) -> dict[str, frozenset[str]]:
    bases = {
        f"{module.name}.{node.name}": _base_names(module, node)
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }
    return {name: _reached_classes(name, bases) for name in bases}


def _base_names(module: Module, node: ast.ClassDef) -> list[str]:
    """Give the dotted names of a class's bases, as far as the module's own imports tell them."""
    origins = {
        alias.asname or alias.name: f"{statement.module}.{alias.name}"
        for statement in ast.walk(module.tree)
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    plain = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
    names = [ast.unparse(base).partition(".") for base in plain]
    return [f"{origins.get(head, f'{module.name}.{head}')}{dot}{rest}" for head, dot, rest in names]


def _reached_classes(name: str, bases: Mapping[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [*bases[name]]
    while waiting:
        base = waiting.pop()
        if base in bases and base not in found:
            found.add(base)
            waiting += bases[base]
    return frozenset(found)


if __name__ == "__main__":
    sys.exit(main())
