"""What `linnet bench` measured, as tables, as bars, as JSON and as a picture."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from linnet.cli.console import print_result, printable, results
from linnet.cli.measurement import Measurement
from linnet.core.files import replacing, write_text
from linnet.core.optional import require
from linnet.metrics.speed import inverse_real_time_factor

SCHEMA_VERSION = 1
BAR_COLUMNS = 30
_MB = 1e6


def print_measurements(measured: Sequence[Measurement], repeat: int) -> None:
    """Show the stages of each measurement, and where there are several, how they compare."""
    for each in measured:
        if len(measured) > 1:
            print_result(f"\n{_label(each)}")
        results.print(_stage_table(each))
        _print_facts(_facts(each, repeat))
    if len(measured) > 1:
        print_result("")
        results.print(_comparison(measured))
    _print_facts(_machine())


def write_json(path: Path, measured: Sequence[Measurement]) -> None:
    """Write every figure, with the machine."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "machine": _machine(),
        "measurements": [asdict(each) | _summary(each) for each in measured],
    }
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def draw(path: Path, measured: Sequence[Measurement]) -> None:
    """Write a PNG with a bar for each measurement, made of its stages.

    Raises:
        MissingDependencyError: when matplotlib is not installed.
    """
    figures = require("matplotlib.figure", extra="plot", purpose="--plot")
    figure = figures.Figure(figsize=(8, 1.2 + 0.5 * len(measured)), layout="constrained")
    panel = figure.subplots()
    labels = [_label(each) for each in measured]
    places = np.arange(len(measured))
    starts = np.zeros(len(measured))
    for stage in measured[0].stages:
        widths = np.array([1e3 * each.stages[stage].wall_s / each.audio_s for each in measured])
        panel.barh(places, widths, left=starts, label=stage)
        starts += widths
    panel.set_yticks(places, labels)
    panel.invert_yaxis()
    panel.set_xlabel("milliseconds of work for a second of audio")
    panel.legend(ncols=len(measured[0].stages), fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def _label(each: Measurement) -> str:
    return f"{each.model}, {each.precision}, {each.threads} thread{'s' if each.threads > 1 else ''}"


def _summary(each: Measurement) -> dict[str, float]:
    total = each.total
    p50_s, p95_s = np.percentile(each.latencies_s, [50, 95])
    return {
        "rtf": total.wall_s / each.audio_s,
        "rtf_by_cpu_time": total.cpu_s / each.audio_s,
        "rtfx": inverse_real_time_factor(each.audio_s, total.wall_s),
        "latency_p50_s": float(p50_s),
        "latency_p95_s": float(p95_s),
    }


def _stage_table(each: Measurement) -> Table:
    table = _table("stage", "wall ms", "CPU ms", "RTF", "share")
    total = each.total
    for stage, cost in (*each.stages.items(), ("whole pipeline", total)):
        table.add_row(
            stage,
            f"{cost.wall_s * 1e3:.2f}",
            f"{cost.cpu_s * 1e3:.2f}",
            f"{cost.wall_s / each.audio_s:.5f}",
            f"{cost.wall_s / total.wall_s:.0%}",
        )
    return table


def _comparison(measured: Sequence[Measurement]) -> Table:
    """Put measurements below each other; the longest bar is the fastest."""
    table = _table("model", "precision", "threads", "MB", "peak MB", "p50 ms", "p95 ms", "RTFx")
    table.add_column("")
    speeds = [_summary(each) for each in measured]
    fastest = max(speed["rtfx"] for speed in speeds)
    for each, speed in zip(measured, speeds, strict=True):
        table.add_row(
            printable(each.model),
            each.precision,
            str(each.threads),
            f"{each.size_bytes / _MB:.2f}",
            _megabytes(each.peak_memory_bytes),
            f"{1e3 * speed['latency_p50_s']:.1f}",
            f"{1e3 * speed['latency_p95_s']:.1f}",
            f"{speed['rtfx']:.0f}",
            "█" * max(1, round(BAR_COLUMNS * speed["rtfx"] / fastest)),
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(*columns, box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _facts(each: Measurement, repeat: int) -> dict[str, str]:
    speed = _summary(each)
    return {
        "speed": f"RTF {speed['rtf']:.5f}, RTFx {speed['rtfx']:.0f}; "
        f"by CPU time RTF {speed['rtf_by_cpu_time']:.5f}",
        "latency": f"p50 {1e3 * speed['latency_p50_s']:.1f} ms, p95 {1e3 * speed['latency_p95_s']:.1f} ms "
        f"of {len(each.latencies_s)} recordings; loading the model {1e3 * each.load_s:.0f} ms",
        "audio": f"{each.audio_s:.1f} s, median of {repeat} passes",
        "model": f"{each.model}, {each.parameters / 1e6:.2f} M parameters, {each.precision}, "
        f"{each.size_bytes / _MB:.2f} MB",
        "decoding": each.decoding,
        "memory": f"{_megabytes(each.peak_memory_bytes)} MB at most, the whole process",
        "threads": f"{each.threads} for the network; cores: {each.num_cores or 'any'}",
    }


def _megabytes(num_bytes: int | None) -> str:
    return "unknown" if num_bytes is None else f"{num_bytes / _MB:.0f}"


def _machine() -> dict[str, str]:
    packages = ("linnet", "onnxruntime", "numpy", "soundfile")
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in packages),
    }


def _processor() -> str:
    """Name the processor; Linux tells only in /proc."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _print_facts(facts: dict[str, Any]) -> None:
    print_result("")
    for label, value in facts.items():
        print_result(f"{label:<11}{printable(value)}")
