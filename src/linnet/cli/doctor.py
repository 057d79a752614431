"""`linnet doctor`: what is wrong with a training set, and with a configuration, before the first step."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.console import EXIT_SOME_FAILED, print_result, printable, progress_bar

if TYPE_CHECKING:
    from linnet.manifest.checks import Examination
    from linnet.manifest.findings import Finding
    from linnet.training.batch_limit import BatchLimit
    from linnet.training.config import TrainConfig


def doctor(
    manifests: Annotated[
        list[Path] | None,
        typer.Argument(help="JSON lines, a file for each split; default: those of the configuration."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Check against this training configuration too.")
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode the audio: silence, clipping, damage, equal sound.")
    ] = False,
    fit: Annotated[
        bool, typer.Option(help="With --config: find the largest batch that fits (about a minute).")
    ] = True,
    fix: Annotated[
        Path | None, typer.Option(help="Write the manifest without its errors here (several: a directory).")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write all findings here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the lengths into this PNG.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that read audio.")] = 1,
) -> None:
    """Find what is wrong with a training set before the first step.

    Exit code 1 says that errors were found. Audio is never changed.
    """
    from linnet.cli.doctor_report import print_report
    from linnet.manifest.checks import compare_splits, examine

    settings = _load(config) if config else None
    paths = _manifests(manifests or [], settings)
    clean = _outputs(paths, fix, json_path, plot)
    with _stages() as progress:
        examined = {path: examine(path, deep=deep, workers=workers, progress=progress) for path in paths}
    findings = [finding for one in examined.values() for finding in one.findings]
    findings += compare_splits(_splits(examined, settings))
    limit = None
    if settings:
        findings += _check_config(settings, examined)
        limit = _find_batch_limit(settings, examined, findings) if fit else None
        findings += _judge_batch(settings, limit)
    print_report(examined, findings, limit, settings)
    if fix:
        _write_clean(clean, examined, findings)
    if json_path:
        _write_json(json_path, examined, findings, limit)
    if plot:
        _draw(plot, examined)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(EXIT_SOME_FAILED)


def _load(config: Path) -> "TrainConfig":
    from linnet.core.optional import require

    for module in ("torch", "lightning", "lhotse"):
        require(module, extra="train", purpose="checking a configuration")
    from linnet.cli.imported import imported_source
    from linnet.training.source import load_run

    return load_run(config, read_foreign=imported_source).config


def _manifests(given: Sequence[Path], settings: "TrainConfig | None") -> list[Path]:
    from linnet.core.errors import ConfigError

    sources = [*settings.data.train, *settings.data.dev] if settings else []
    paths = list({path.resolve(): path for path in given or [source.manifest for source in sources]}.values())
    if not paths:
        raise ConfigError(
            "there is nothing to check", remedy="Name a manifest, or a --config that names some"
        )
    return paths


def _outputs(
    paths: Sequence[Path], fix: Path | None, json_path: Path | None, plot: Path | None
) -> dict[Path, Path]:
    """Name the clean manifest of each manifest, and refuse outputs that would replace something."""
    from linnet.core.errors import ConfigError
    from linnet.core.optional import require
    from linnet.manifest.cleaning import left_out_path

    if plot:
        require("matplotlib", extra="plot", purpose="--plot")
    clean: dict[Path, Path] = {}
    if fix:
        clean = {path: fix / path.name for path in paths} if len(paths) > 1 else {paths[0]: fix}
    written = [*clean.values(), *map(left_out_path, clean.values())]
    written += [path for path in (json_path, plot) if path]
    inputs = {path.resolve() for path in paths}
    for number, path in enumerate(written):
        if path.resolve() in inputs | {other.resolve() for other in written[:number]}:
            what = f"{path} would replace a manifest or another output"
            raise ConfigError(what, remedy="Name another file, or check manifests of one name separately")
        if path.exists():
            raise ConfigError(f"{path} exists already", remedy="Name another file, or remove it first")
    return clean


def _splits(
    examined: dict[Path, "Examination"], settings: "TrainConfig | None"
) -> list[tuple[str, list["Examination"]]]:
    """Group the manifests by their part in the configuration; any other is a split of its own."""
    groups: dict[str, list[Examination]] = {}
    parts = {"train": settings.data.train, "dev": settings.data.dev} if settings else {}
    for name, sources in parts.items():
        used = {source.manifest.resolve() for source in sources}
        groups[name] = [one for path, one in examined.items() if path.resolve() in used]
    grouped = [one for group in groups.values() for one in group]
    for path, one in examined.items():
        if not any(one is other for other in grouped):
            groups[str(path)] = [one]
    return list(groups.items())


def _check_config(settings: "TrainConfig", examined: dict[Path, "Examination"]) -> list["Finding"]:
    from linnet.training.config_checks import check_lines, sources_of

    return [
        finding
        for path, one in examined.items()
        for finding in check_lines(settings, one.lines, one.headers, sources_of(settings, path))
    ]


def _find_batch_limit(
    settings: "TrainConfig", examined: dict[Path, "Examination"], findings: Sequence["Finding"]
) -> "BatchLimit | None":
    from linnet.training.batch_limit import LONGEST_KEPT, find_batch_limit
    from linnet.training.config_checks import longest_examples

    dev = {source.manifest.resolve() for source in settings.data.dev}
    chosen = [one for path, one in examined.items() if path.resolve() not in dev]
    lines = [line for one in chosen or examined.values() for line in one.lines]
    examples = longest_examples(settings, lines, findings, LONGEST_KEPT)
    if not examples:
        return None
    with progress_bar("s of audio") as bar:
        task = bar.add_task("growing a batch", total=None)
        return find_batch_limit(
            settings, examples, lambda trial: bar.update(task, completed=round(trial.batch_s))
        )


def _judge_batch(settings: "TrainConfig", limit: "BatchLimit | None") -> list["Finding"]:
    from linnet.manifest.findings import found_in

    if limit is None or limit.allows(settings.data.batch_s):
        return []
    what = f"data.batch_s is {settings.data.batch_s:g} s, and about {limit.estimated_batch_s:.0f} s fit"
    return [found_in("batch-too-large", "", what)]


@contextmanager
def _stages() -> Iterator[Callable[[str, int, int], None]]:
    """Draw a bar for what is being done to the current manifest."""
    with progress_bar("recordings") as bar:
        task = bar.add_task("headers")
        yield lambda stage, done, total: bar.update(task, description=stage, completed=done, total=total)


def _write_clean(
    outputs: dict[Path, Path], examined: dict[Path, "Examination"], findings: Sequence["Finding"]
) -> None:
    from linnet.manifest.cleaning import left_out_path, write_clean

    for path, clean in outputs.items():
        mine = [finding for finding in findings if finding.manifest == str(path)]
        kept, left_out = write_clean(clean, examined[path].lines, mine)
        listed = f"{left_out} left out, listed in {left_out_path(clean)}"
        print_result(printable(f"{clean}: {kept} lines kept, {listed}"))


def _write_json(
    path: Path,
    examined: dict[Path, "Examination"],
    findings: Sequence["Finding"],
    limit: "BatchLimit | None",
) -> None:
    import json
    from dataclasses import asdict

    from linnet.core.files import write_text

    content = {
        "manifests": [
            {
                "manifest": str(manifest),
                "lines": len(one.lines),
                "duration_s": sum(one.durations_s),
                "speakers": one.num_speakers,
            }
            for manifest, one in examined.items()
        ],
        "findings": [finding.to_dict() for finding in findings],
        "batch_limit": asdict(limit) | {"batch_s": limit.batch_s} if limit else None,
    }
    write_text(path, json.dumps(content, indent=2) + "\n")


def _draw(path: Path, examined: dict[Path, "Examination"]) -> None:
    from linnet.manifest.histogram import draw_histogram

    draw_histogram(path, {str(name): one.durations_s for name, one in examined.items()})
