"""Read the shell commands of a Markdown page, so that CI runs and tests check what the page tells people.

Usage: python tools/doc_commands.py PAGE NAME [--output]

Commands stand in fenced blocks: `console` (each command behind "$ ", what it prints below it) or `bash`
(commands only). A comment `<!-- ci: NAME -->` on the line above a block names it for CI. Prints the commands
of the block called NAME, or with --output what they should print.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?:<!-- ci: (?P<name>[\w-]+) -->\n+)?"
    r"(?P<indent> *)```(?P<language>console|bash)\n(?P<body>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: its name for CI (or ""), its commands in order, and the lines they should print."""

    name: str
    commands: tuple[str, ...]
    output: tuple[str, ...]


def read_blocks(page: Path) -> list[Block]:
    """Read every console and bash block of `page`; continued lines are joined."""
    return [_parse(match) for match in FENCE.finditer(page.read_text(encoding="utf-8"))]


def _parse(match: re.Match[str]) -> Block:
    lines = re.sub(r"\s*\\\n\s*", " ", match["body"]).splitlines()
    lines = [line.removeprefix(match["indent"]) for line in lines]
    if match["language"] == "bash":
        lines = [f"$ {line}" for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return Block(
        name=match["name"] or "",
        commands=tuple(line.removeprefix("$ ") for line in lines if line.startswith("$ ")),
        output=tuple(line for line in lines if not line.startswith("$ ")),
    )


def main() -> int:
    """Print the block asked for; the exit code is 2 when the page has no block of that name."""
    page, name, *flags = sys.argv[1:]
    for block in read_blocks(Path(page)):
        if block.name == name:
            print("\n".join(block.output if flags == ["--output"] else block.commands))
            return 0
    print(f"{page} has no block marked <!-- ci: {name} -->", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
