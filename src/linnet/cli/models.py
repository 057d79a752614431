"""`linnet models`: what can be trained, what it costs, and what was published of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from linnet.cli.console import print_result, results
from linnet.core.errors import ConfigError

if TYPE_CHECKING:
    from linnet.models.catalog import Architecture

    Rows = list[dict[str, Any]]

PIPE_COLUMNS = 160  # wide enough that nothing wraps where no terminal limits the lines
FOOTNOTE = """
GMAC/s  billions of multiplications a second of audio, in an utterance of 10 s
step    frames of 10 ms in one frame out
WER     percent on LibriSpeech test-clean/test-other, greedy, as published; "dev": on its dev parts"""


def models(
    family: Annotated[str | None, typer.Argument(help="Show the sizes of one family alone.")] = None,
    size: Annotated[str | None, typer.Argument(help="Write the configuration of one size.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of a table.")] = False,
) -> None:
    """List the models that can be trained, with their cost and published error rates.

    With a family and a size: the section `model` for the configuration of a training run. What stands behind
    the size is in it as comments, to be changed one by one.
    """
    from linnet.models.catalog import ARCHITECTURES

    rows = _selected(ARCHITECTURES, family, size)
    if as_json:
        print_result(json.dumps(rows, indent=2))
    elif size is not None:
        print_result(_configuration(rows[0]))
    else:
        _print_table(rows)


def _selected(architectures: "Mapping[str, Architecture]", family: str | None, size: str | None) -> "Rows":
    """Give the facts of each size that is asked for."""
    if family is not None and family not in architectures:
        raise ConfigError(f"there is no family {family!r}", remedy=f"Families: {', '.join(architectures)}")
    rows = [
        row
        for name, architecture in architectures.items()
        if family in (None, name)
        for row in _rows(name, architecture)
    ]
    if size is not None and size not in [row["size"] for row in rows]:
        sizes = ", ".join(row["size"] for row in rows)
        raise ConfigError(f"{family} has no size {size!r}", remedy=f"Sizes: {sizes}")
    return [row for row in rows if size in (None, row["size"])]


def _rows(family: str, architecture: "Architecture") -> "Rows":
    return [
        {
            "family": family,
            "size": name,
            "title": architecture.title,
            "paper": architecture.paper,
            "parameters": size.parameters,
            "num_outputs": architecture.num_outputs_of(name),
            "gmac_per_s": size.gmac_per_s,
            "subsampling": architecture.subsampling,
            "frame_ms": 1000 * architecture.frontend.frame_shift_s * architecture.subsampling,
            "frontend": architecture.frontend_of(name).model_dump(mode="json", exclude_unset=True),
            "wer": None if size.wer is None else asdict(size.wer),
            "source": size.source,
        }
        for name, size in architecture.sizes.items()
    ]


def _print_table(rows: "Rows") -> None:
    table = Table(
        "family", "size", "M parameters", "GMAC/s", "step", "WER", "source", box=None, pad_edge=False
    )
    for column in table.columns[2:5]:
        column.justify = "right"
    for row in rows:
        table.add_row(
            row["family"],
            row["size"],
            f"{row['parameters'] / 1e6:.1f}",
            f"{row['gmac_per_s']:.3g}",
            f"{row['frame_ms'] / 10:g}",
            _wer(row),
            row["source"],
        )
    wide = Console(highlight=False, width=PIPE_COLUMNS)
    (results if results.is_terminal else wide).print(table)
    print_result(FOOTNOTE)


def _configuration(row: dict[str, Any]) -> str:
    """Write the section `model` of a training configuration: YAML, ready to be pasted."""
    from linnet.core.optional import require

    require("torch", extra="train", purpose="showing the values behind a size")
    from linnet.models.encoders import FAMILIES

    family, size = row["family"], row["size"]
    values = _yaml(FAMILIES[family].config(size).model_dump(mode="json", exclude={"kind"}))
    facts = f"{row['parameters']:,} parameters with {row['num_outputs']} outputs"
    wer = row["wer"] and f", WER {_wer(row)}"
    lines = [
        f"# {row['title']} {size} ({row['paper']}): {facts}{wer or ''} ({row['source']})",
        "model:",
        f"  name: {family}_{size}",
        *(f"  {line}" for line in _yaml({"frontend": row["frontend"]})),
        "  encoder:",
        f"    {family}: {size}",
        "    # what stands behind it; a key without its # replaces the value",
        *(f"    # {line}" for line in values),
        "  tokenizer: {kind: char}",
    ]
    return "\n".join(lines)


def _wer(row: dict[str, Any]) -> str:
    """Write clean/other, with the parts of LibriSpeech that they are of unless they are the test parts."""
    if (wer := row["wer"]) is None:
        return ""
    rates = "/".join(f"{rate}" for rate in (wer["clean"], wer["other"]) if rate is not None)
    return rates if wer["part"] == "test" else f"{wer['part']} {rates}"


def _yaml(values: dict[str, Any]) -> list[str]:
    """Write YAML with the innermost mappings on a line each."""
    import yaml

    return yaml.safe_dump(values, default_flow_style=None, sort_keys=False, width=100).splitlines()
