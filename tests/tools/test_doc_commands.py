"""The reader of shell commands in Markdown pages."""

from pathlib import Path

import pytest

import doc_commands

PAGE = """# A page

<!-- ci: tests -->
```console
$ pip install linnet \\
    --quiet
$ linnet --version
linnet 0.1.0
```

1. In a list:

   ```bash
   # a comment
   linnet transcribe a.wav
   ```

```python
print("not a shell")
```
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_console_and_bash_blocks_are_read_and_nothing_else(page: Path) -> None:
    named, listed = doc_commands.read_blocks(page)
    assert named.name == "tests"
    assert named.commands == ("pip install linnet --quiet", "linnet --version")
    assert named.output == ("linnet 0.1.0",)
    assert (listed.name, listed.commands, listed.output) == ("", ("linnet transcribe a.wav",), ())


@pytest.mark.parametrize(
    ("arguments", "code", "printed"),
    [
        (["tests"], 0, "pip install linnet --quiet\nlinnet --version\n"),
        (["tests", "--output"], 0, "linnet 0.1.0\n"),
        (["absent"], 2, ""),
    ],
)
def test_main_prints_the_named_block(
    page: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    printed: str,
) -> None:
    monkeypatch.setattr("sys.argv", ["doc_commands.py", str(page), *arguments])
    assert doc_commands.main() == code
    assert capsys.readouterr().out == printed
