"""The budget checker catches every breach it promises to catch, and no more."""

from pathlib import Path

import pytest

import style_metrics

LONG_FUNCTION = "def long() -> None:\n" + "    pass\n" * style_metrics.MAX_FUNCTION_LINES
MEDIUM_FUNCTION = "def medium() -> None:\n" + "    pass\n" * style_metrics.MAX_MEDIAN_FUNCTION_LINES
WIDE_FUNCTION = (
    f"def wide({', '.join(f'p{i}: int' for i in range(style_metrics.MAX_PARAMETERS + 1))}) -> None: ..."
)

BREACHES = {
    "median": ({"a.py": f'"""A."""\n{MEDIUM_FUNCTION}'}, "the median function has 13 lines"),
    "function": ({"a.py": f'"""A."""\n{LONG_FUNCTION}'}, "long: 81 lines"),
    "parameters": ({"a.py": f'"""A."""\n{WIDE_FUNCTION}'}, "wide: 9 parameters"),
    "argument type": ({"a.py": '"""A."""\ndef f(x) -> None: ...'}, "f: not fully typed"),
    "return type": ({"a.py": '"""A."""\ndef f(x: int): ...'}, "f: not fully typed"),
    "star argument type": ({"a.py": '"""A."""\ndef f(*x) -> None: ...'}, "f: not fully typed"),
    "file": ({"a.py": '"""A."""\n' + "x = 1\n" * style_metrics.MAX_FILE_LINES}, "501 lines"),
    "docstring": ({"a.py": "x = 1\n"}, "first line must be a docstring"),
    "late docstring": ({"a.py": '# note\n"""A."""\n'}, "first line must be a docstring"),
    "file name": ({"audio_utils.py": '"""A."""\n'}, "name the concept"),
    "room name": ({"common/__init__.py": '"""A."""\n'}, "name the concept"),
    "ancestors": (
        {"a.py": '"""A."""\nclass A: ...\nclass B(A): ...\n', "b.py": '"""B."""\nfrom p.a import B as X\n'
         "class C(X): ...\nclass D(C): ...\n"},
        "p.b.D: 3 in-house ancestors",
    ),
    "cycle": (
        {"a.py": '"""A."""\nimport p.b\n', "b.py": '"""B."""\ndef f() -> None:\n    from p import a\n'},
        "import cycle",
    ),
}  # fmt: skip


def write_package(root: Path, files: dict[str, str]) -> Path:
    package = root / "p"
    for name, text in {"__init__.py": '"""P."""\n', **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


@pytest.mark.parametrize(("files", "message"), BREACHES.values(), ids=BREACHES.keys())
def test_each_breach_is_named(tmp_path: Path, files: dict[str, str], message: str) -> None:
    found = style_metrics.violations(style_metrics.measure(write_package(tmp_path, files)))
    assert len([line for line in found if message in line]) == 1, found


def test_a_package_at_every_limit_is_clean(tmp_path: Path) -> None:
    parameters = ", ".join(f"p{i}: int" for i in range(style_metrics.MAX_PARAMETERS))
    body = "        pass\n" * (style_metrics.MAX_MEDIAN_FUNCTION_LINES - 1)
    text = f'"""A."""\nclass A:\n    def f(self, {parameters}) -> None:\n{body}'
    text += "class B(A): ...\nclass C(B[int]): ...\n"
    text += "# filler\n" * (style_metrics.MAX_FILE_LINES - len(text.splitlines()))
    metrics = style_metrics.measure(write_package(tmp_path, {"a.py": text}))
    assert style_metrics.violations(metrics) == []
    assert metrics.ancestors["p.a.C"] == {"p.a.A", "p.a.B"}


def test_closure_counts_what_runs_on_import(tmp_path: Path) -> None:
    entry = '"""E."""\nfrom typing import TYPE_CHECKING\nfrom p.room import used\n'
    entry += "if TYPE_CHECKING:\n    import p.typed\n"
    lazy = "def f() -> None:\n    import p.lazy\n"
    package = write_package(
        tmp_path,
        {
            "runtime/__init__.py": '"""R."""\n',
            "runtime/recognizer.py": entry + lazy,
            "room/__init__.py": '"""R."""\n',
            "room/used.py": '"""U."""\n',
            "typed.py": '"""T."""\n',
            "lazy.py": '"""L."""\n',
        },
    )
    loaded = {"p", "p.runtime", "p.runtime.recognizer", "p.room", "p.room.used"}
    assert style_metrics.measure(package).closure == loaded


def test_report_shows_figures_beside_budgets(tmp_path: Path) -> None:
    metrics = style_metrics.measure(write_package(tmp_path, {"a.py": f'"""A."""\n{WIDE_FUNCTION}'}))
    assert "most parameters        9                      ≤ 8" in style_metrics.report(metrics)
