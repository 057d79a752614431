"""`linnet export`: from a checkpoint to a bundle, float32 or int8, refused unless it gives the same."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field
from rich.table import Table

from linnet.bundle.schema import About
from linnet.cli.config_options import options_from
from linnet.cli.console import print_result, progress_bar, results

if TYPE_CHECKING:
    from collections.abc import Callable

    from linnet.core.arrays import Samples
    from linnet.export.options import ExportOptions
    from linnet.export.proof import Proof

CHECKPOINT_SUFFIX = ".ckpt"
NUM_RECORDINGS = 32


class ExportSettings(About):
    """What a person says of a model that is exported, and what it is compared on."""

    manifest: str | None = Field(
        default=None, description="Compare on its first recordings; default: the packaged sample."
    )
    recordings: int = Field(
        default=NUM_RECORDINGS, ge=1, description=f"How many of the manifest; default: {NUM_RECORDINGS}."
    )
    calibrate: str | None = Field(
        default=None,
        description=f"Manifest whose first {NUM_RECORDINGS} recordings give the ranges of int8; default: "
        "what is compared.",
    )
    attention_frames: int | None = Field(
        default=None,
        ge=1,
        description="Output frames that a Conformer's attention sees before and behind each, for long "
        "recordings; default: as in training.",
    )
    keep_checkpoint: bool = Field(
        default=False, description="Put the checkpoint in too, to train on from: init=BUNDLE."
    )
    replace: bool = Field(default=False, description="Replace a model that is there.")
    force: bool = Field(
        default=False,
        description="Write it although it differs too much, or although another program will read it wrong; "
        "the card says so.",
    )


class Program(StrEnum):
    """The programs that can be exported for, by the names of their packages."""

    sherpa_onnx = "sherpa-onnx"
    onnx_asr = "onnx-asr"


@options_from(ExportSettings, "settings")
def export(
    source: Annotated[
        Path,
        typer.Argument(help="A .ckpt of `linnet train`; with --int8 or --for also a bundle."),
    ],
    output_dir: Annotated[Path, typer.Argument(help="Directory to write.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Write an int8 graph: a quarter of the size, and faster.")
    ] = False,
    reports: Annotated[
        list[Path] | None,
        typer.Option(
            "--report", help="Report of `linnet evaluate --json`, whose WER goes on the card; repeatable."
        ),
    ] = None,
    program: Annotated[
        Program | None,
        typer.Option("--for", help="Write the folder that this program reads instead."),
    ] = None,
    *,
    settings: ExportSettings,
) -> None:
    """Turn a checkpoint into a bundle that runs without torch.

    The graph and the torch model are compared on real audio, alone and in a padded batch, and in windows of
    a long recording. A difference above 1e-4 in a log-probability, or one changed text, and nothing is
    written. With --int8, a loss of more than 0.3 points of word error rate keeps the worst layers in float32.
    """
    from linnet.core.errors import ConfigError

    if settings.attention_frames is not None and source.suffix != CHECKPOINT_SUFFIX:
        raise ConfigError(
            "--attention-frames needs a checkpoint: in a bundle attention is as it was exported",
            where=str(source),
            remedy="Export the .ckpt of `linnet train`",
        )

    def export_to(directory: Path) -> None:
        _export_bundle(source, directory, reports, settings, int8=int8)

    if program is None:
        export_to(output_dir)
        print_result(f"wrote {output_dir}")
        return
    from linnet.cli.export_foreign import export_foreign

    made = export_to if int8 or source.suffix == CHECKPOINT_SUFFIX else None
    export_foreign(source, output_dir, program, made, force=settings.force, replace=settings.replace)


def _export_bundle(
    source: Path, output_dir: Path, reports: list[Path] | None, settings: ExportSettings, *, int8: bool
) -> None:
    """Export a checkpoint, or shrink a bundle, and say how both compare."""
    from linnet.core.optional import require

    is_bundle = int8 and source.suffix != CHECKPOINT_SUFFIX
    for module in ("onnx",) if is_bundle else ("torch", "onnx", "onnxscript"):
        require(module, extra="train", purpose="exporting")
    from linnet.export.options import ExportOptions

    metrics = {f"WER {path.stem}": _wer_of(path) for path in reports or ()}
    options = ExportOptions(
        **{name: getattr(settings, name) for name in About.model_fields},
        metrics=metrics,
        attention_frames=settings.attention_frames,
        keep_checkpoint=settings.keep_checkpoint,
        replace=settings.replace,
        int8=int8,
        force=settings.force,
    )
    proof = (_shrink if is_bundle else _export)(source, output_dir, settings, options)
    for line in proof.lines():
        print_result(line)
    results.print(_table(proof))


def _export(source: Path, output_dir: Path, settings: ExportSettings, options: "ExportOptions") -> "Proof":
    from linnet.bundle.schema import SPEC_FILE
    from linnet.core.errors import CheckpointError
    from linnet.export.run import export_bundle
    from linnet.models.checkpoint import read_checkpoint

    if (source / SPEC_FILE).is_file():
        raise CheckpointError(
            "this is a bundle already",
            where=str(source),
            remedy="Say what to make of it with --int8 or --for",
        )

    rate_hz = read_checkpoint(source).config.frontend.sample_rate_hz
    return _with_progress(export_bundle, source, output_dir, settings, options, rate_hz)


def _shrink(source: Path, output_dir: Path, settings: ExportSettings, options: "ExportOptions") -> "Proof":
    from linnet.bundle.reader import read_bundle
    from linnet.export.shrink import shrink_bundle
    from linnet.runtime.packaged import find_model

    bundle = find_model(str(source))
    rate_hz = read_bundle(bundle).spec.sample_rate_hz
    return _with_progress(shrink_bundle, bundle, output_dir, settings, options, rate_hz)


def _with_progress(
    work: "Callable[..., Proof]",
    source: Path,
    output_dir: Path,
    settings: ExportSettings,
    options: "ExportOptions",
    rate_hz: int,
) -> "Proof":
    from dataclasses import replace

    recordings, texts = _proof_recordings(settings.manifest, settings.recordings, rate_hz)
    calibration, _ = (
        _proof_recordings(settings.calibrate, NUM_RECORDINGS, rate_hz) if settings.calibrate else ([], [])
    )
    with progress_bar("") as bar:
        task = bar.add_task("exporting and comparing", total=None)
        options = replace(
            options,
            texts=tuple(texts),
            calibration=tuple(calibration),
            advance=lambda what: bar.update(task, description=what),
        )
        return work(source, output_dir, recordings, options)


def _proof_recordings(
    manifest: str | None, count: int, sample_rate_hz: int
) -> "tuple[list[Samples], list[str | None]]":
    """Read the first recordings of a manifest with their texts, or the packaged sample and a part of it."""
    from linnet.audio.read import read_audio

    if manifest is None:
        return sample_recordings(sample_rate_hz), []
    from linnet.manifest.jsonl import read_manifest

    utterances = read_manifest(manifest)[:count]
    recordings = [
        read_audio(
            utterance.audio,
            sample_rate_hz=sample_rate_hz,
            offset_s=utterance.offset_s,
            duration_s=utterance.duration_s,
        )
        for utterance in utterances
    ]
    return recordings, [utterance.text for utterance in utterances]


def sample_recordings(sample_rate_hz: int) -> "list[Samples]":
    """Read the packaged sample, and give a part of it too, so that a batch of both is padded."""
    from linnet.audio.read import read_audio
    from linnet.runtime.packaged import packaged_sample

    sample = read_audio(packaged_sample(), sample_rate_hz=sample_rate_hz)
    return [sample, sample[: len(sample) * 2 // 3]]


def _table(proof: "Proof") -> Table:
    table = Table(
        "graph", "read", "difference", "changed words", "WER", "RTFx", "MB", box=None, pad_edge=False
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for row in proof.rows:
        table.add_row(
            row.graph,
            row.way,
            f"{row.difference:.1e}",
            str(row.changed_words),
            "-" if row.wer is None else f"{row.wer:.2%}",
            f"{row.rtfx:.0f}",
            f"{row.size_bytes / 1e6:.2f}",
        )
    return table


def _wer_of(report: Path) -> float:
    """Read the word error rate, in percent, from a report of `linnet evaluate --json`."""
    import json

    from linnet.core.errors import ConfigError

    try:
        return round(100 * float(json.loads(report.read_text(encoding="utf-8"))["words"]["rate"]), 3)
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            "is not a report with a word error rate",
            where=str(report),
            remedy="Write one with: linnet evaluate --json",
        ) from None
