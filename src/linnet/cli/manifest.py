"""`linnet manifest`: split, filter, merge, measure, normalize and pack manifests; one subcommand each."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli.config_options import options_from
from linnet.cli.console import EXIT_SOME_FAILED, print_result, print_warning, progress_bar
from linnet.cli.manifest_tables import print_characters, print_parts, print_selection, print_stats
from linnet.manifest.filter_config import FilterConfig

if TYPE_CHECKING:
    from linnet.core.errors import ManifestError
    from linnet.manifest.selection import LeftOut, Selection
    from linnet.manifest.stats import ManifestStats
    from linnet.manifest.utterance import Utterance

MAX_NAMED = 10  # utterances of one kind on stderr; a file has them all

manifest = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Split, filter, merge, measure, normalize or pack manifests.",
)

ManifestArgument = Annotated[
    str, typer.Argument(metavar="MANIFEST", help="JSON lines, plain, .gz or .zst; a path or a URL.")
]
ManifestsArgument = Annotated[
    list[str], typer.Argument(metavar="MANIFEST...", help="JSON lines, plain, .gz or .zst; paths or URLs.")
]
OutputOption = Annotated[
    Path, typer.Option("--output", "-o", help="The new manifest; .gz and .zst compress it.")
]
LeftOutOption = Annotated[
    Path | None, typer.Option("--left-out", help="Write what was left out here, with the reasons.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]


class SplitBy(StrEnum):
    """What stays together in a split."""

    SPEAKER = "speaker"
    UTTERANCE = "utterance"


@manifest.command()
def split(
    source: ManifestArgument,
    parts: Annotated[str, typer.Option(help="Names and shares: train=0.9,dev=0.05,test=0.05.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for a manifest of each part.")],
    by: Annotated[
        SplitBy, typer.Option(help="What goes to one part; without a speaker, the recording does.")
    ] = SplitBy.SPEAKER,
    salt: Annotated[str, typer.Option(help="Another text gives another split.")] = "",
    force: ForceOption = False,
) -> None:
    """Divide a manifest by a hash, so that added data moves no utterance to another part."""
    from linnet.manifest.jsonl import write_manifest
    from linnet.manifest.split import parse_parts, split_utterances

    shares = parse_parts(parts)
    compression = Path(source).suffix if Path(source).suffix in (".gz", ".zst") else ""
    outputs = {name: output / f"{name}.jsonl{compression}" for name in shares}
    _check_outputs([source], list(outputs.values()), force=force)
    utterances, problems = _read([source])
    divided = split_utterances(utterances, shares, source, by=by.value, salt=salt)
    for name, path in outputs.items():
        write_manifest(path, divided[name])
    print_parts({str(path): divided[name] for name, path in outputs.items()})
    _warn_of_split(divided, by)
    _conclude(problems)


@manifest.command("filter")
@options_from(FilterConfig, "conditions")
def filter_manifest(
    source: ManifestArgument,
    conditions: FilterConfig,
    output: OutputOption,
    left_out: LeftOutOption = None,
    force: ForceOption = False,
) -> None:
    """Keep the utterances that meet every condition, and say what was left out and why."""
    from linnet.manifest.filter import filter_utterances

    _check_outputs([source], [output, left_out], force=force)
    utterances, problems = _read([source])
    selection = filter_utterances(utterances, conditions)
    print_selection(selection)
    _write(selection, problems, output, left_out)
    _conclude(problems)


@manifest.command()
def merge(
    sources: ManifestsArgument,
    output: OutputOption,
    left_out: LeftOutOption = None,
    force: ForceOption = False,
) -> None:
    """Join manifests; of the same stretch of a recording the first line counts."""
    from linnet.manifest.merge import merge_utterances

    _check_outputs(sources, [output, left_out], force=force)
    utterances, problems = _read(sources)
    selection = merge_utterances(utterances)
    _write(selection, problems, output, left_out)
    _name_left_out(selection.left_out)
    print_parts({str(output): selection.kept})
    _conclude(problems)


@manifest.command()
def stats(
    sources: ManifestsArgument,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
    force: ForceOption = False,
) -> None:
    """Measure manifests: hours, speakers, lengths, speech rates, words and characters."""
    from linnet.manifest.stats import measure_utterances

    _check_outputs(sources, [json_path], force=force)
    problems: list[ManifestError] = []
    measured: dict[str, ManifestStats] = {}
    everything: list[Utterance] = []
    for source in sources:
        utterances, more = _read([source])
        problems += more
        everything += utterances
        measured[source] = measure_utterances(utterances)
    total = measure_utterances(everything)
    if json_path:
        _write_stats(json_path, measured, total, problems)
    print_stats(measured if len(measured) == 1 else measured | {"all": total})
    print_characters(total)
    _conclude(problems)


@manifest.command()
def normalize(
    source: ManifestArgument,
    normalizer: Annotated[str, typer.Option(help="Name of the text normalizer, such as basic.")],
    output: OutputOption,
    left_out: LeftOutOption = None,
    force: ForceOption = False,
) -> None:
    """Normalize the texts; what changes keeps the original in the field raw_text."""
    from linnet.manifest.normalization import normalize_texts

    _check_outputs([source], [output, left_out], force=force)
    utterances, problems = _read([source])
    selection = normalize_texts(utterances, normalizer)
    _write(selection, problems, output, left_out)
    _name_left_out(selection.left_out)
    unchanged = {id(utterance) for utterance in utterances}
    changed = [utterance for utterance in selection.kept if id(utterance) not in unchanged]
    print_result(f"{output}: {len(selection.kept)} utterances, {len(changed)} texts changed")
    _name("no word is left of the text of", [each for each in changed if not (each.text or "").split()])
    _conclude(problems, failed=bool(selection.left_out))


@manifest.command()
def shard(
    source: ManifestArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder for archives and manifest.")],
    shard_mb: Annotated[
        float, typer.Option(min=0.001, help="Megabytes of recordings in an archive.")
    ] = 256.0,
    seed: Annotated[int, typer.Option(help="Another seed gives another order.")] = 0,
    left_out: LeftOutOption = None,
    force: ForceOption = False,
) -> None:
    """Pack the recordings of a manifest into tar archives, as NeMo lays them out, in a random order."""
    from linnet.manifest.selection import write_left_out
    from linnet.manifest.shards import MANIFEST_NAME, write_shards

    _check_outputs([source], [left_out], force=force)
    utterances, problems = _read([source])
    with progress_bar("utterances") as bar:
        task = bar.add_task("shard", total=len(utterances))
        shards = write_shards(
            utterances,
            output,
            shard_mb=shard_mb,
            seed=seed,
            progress=lambda num_done: bar.update(task, completed=num_done),
        )
    if left_out:
        write_left_out(left_out, shards.selection.left_out, problems)
    _name_left_out(shards.selection.left_out)
    kept = len(shards.selection.kept)
    print_result(f"{output / MANIFEST_NAME}: {kept} utterances in {shards.num_archives} archives")
    _conclude(problems, failed=bool(shards.selection.left_out))


def _check_outputs(sources: Sequence[str], outputs: Sequence[Path | None], *, force: bool) -> None:
    """Refuse outputs that are read as well, are written twice, lie elsewhere, or exist."""
    from linnet.core.errors import ConfigError
    from linnet.core.remote import as_url

    taken = {Path(source).resolve() for source in sources if not as_url(source)}
    for output in outputs:
        if output is None:
            continue
        if as_url(output):
            raise ConfigError(
                "only files of this machine are written", where=str(output), remedy="Write it here, then copy"
            )
        if output.resolve() in taken:
            raise ConfigError(
                "it would overwrite a manifest or another output",
                where=str(output),
                remedy="Choose another name for the output",
            )
        if output.exists() and not force:
            raise ConfigError(
                "it exists", where=str(output), remedy="Choose another name, or replace it with --force"
            )
        taken.add(output.resolve())


def _read(sources: Sequence[str]) -> "tuple[list[Utterance], list[ManifestError]]":
    """Read manifests one after another; lines that cannot be used are named, and given as problems."""
    from linnet.core.errors import ManifestError
    from linnet.manifest.jsonl import scan_manifest

    utterances: list[Utterance] = []
    problems: list[ManifestError] = []
    for source in sources:
        read = scan_manifest(source)
        if not read.utterances:
            what = str(read.problems[0]) if read.problems else "the manifest holds no utterances"
            raise ManifestError(
                what, where=source, remedy="linnet doctor names all that is wrong with a manifest"
            )
        utterances += read.utterances
        problems += read.problems
    for problem in problems:
        print_warning(f"left out: {problem}")
    return utterances, problems


def _write(
    selection: "Selection", problems: "Sequence[ManifestError]", output: Path, left_out: Path | None
) -> None:
    from linnet.core.errors import ManifestError
    from linnet.manifest.jsonl import write_manifest
    from linnet.manifest.selection import write_left_out

    if left_out:
        write_left_out(left_out, selection.left_out, problems)
    if not selection.kept:
        remedy = f"The reasons are in {left_out}" if left_out else "--left-out FILE gives the reasons"
        raise ManifestError("no utterance is left, so it is not written", where=str(output), remedy=remedy)
    write_manifest(output, selection.kept)


def _write_stats(
    path: Path, measured: "Mapping[str, ManifestStats]", total: "ManifestStats", problems: Sequence[Exception]
) -> None:
    import json

    from linnet.core.files import write_text

    content = {
        "manifests": {source: stats.to_dict() for source, stats in measured.items()},
        "all": total.to_dict(),
        "problems": [str(problem) for problem in problems],
    }
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _conclude(problems: Sequence[Exception], *, failed: bool = False) -> None:
    if problems or failed:
        raise typer.Exit(EXIT_SOME_FAILED)


def _warn_of_split(parts: "Mapping[str, Sequence[Utterance]]", by: SplitBy) -> None:
    for name, utterances in parts.items():
        if not utterances:
            print_warning(
                f"{name} is empty: too few {by.value}s for its share; another --salt splits otherwise"
            )
    num_nameless = sum(not utterance.speaker for part in parts.values() for utterance in part)
    if by is SplitBy.SPEAKER and num_nameless:
        print_warning(f"{num_nameless} utterances name no speaker: their recordings were divided instead")


def _name_left_out(left_out: "Sequence[LeftOut]") -> None:
    for each in left_out[:MAX_NAMED]:
        print_warning(
            f"left out {_place(each.utterance)}: {each.reason}{each.detail and f' ({each.detail})'}"
        )
    if len(left_out) > MAX_NAMED:
        print_warning(f"left out {len(left_out)} in all; --left-out FILE writes each")


def _name(what: str, utterances: "Sequence[Utterance]") -> None:
    for utterance in utterances[:MAX_NAMED]:
        print_warning(f"{what} {_place(utterance)}")
    if len(utterances) > MAX_NAMED:
        print_warning(f"{what} {len(utterances)} utterances in all")


def _place(utterance: "Utterance") -> str:
    return utterance.audio + (f" at {utterance.offset_s:g} s" if utterance.offset_s else "")
