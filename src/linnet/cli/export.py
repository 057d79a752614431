"""`linnet export`: from a checkpoint to a bundle, refused unless both give the same."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, Field

from linnet.bundle.schema import About
from linnet.cli.config_options import options_from
from linnet.cli.console import print_result, progress_bar

if TYPE_CHECKING:
    from linnet.core.arrays import Samples

MAX_PROOF_RECORDINGS = 32


class Program(StrEnum):
    """The programs that can be exported for, by the names of their packages."""

    sherpa_onnx = "sherpa-onnx"
    onnx_asr = "onnx-asr"


class Writing(BaseModel):
    """How the directory is written; the descriptions are the help of the command."""

    keep_checkpoint: bool = Field(
        default=False, description="Put the checkpoint in too, to train on from: init=BUNDLE."
    )
    replace: bool = Field(default=False, description="Replace a model that is there.")
    force: bool = Field(
        default=False, description="Write for another program though its texts will be wrong."
    )


@options_from(Writing, "writing")
@options_from(About, "about")
def export(
    checkpoint: Annotated[Path, typer.Argument(help="A .ckpt of `linnet train`; with --for also a bundle.")],
    output_dir: Annotated[Path, typer.Argument(help="Directory to write.")],
    manifest: Annotated[
        str | None,
        typer.Option(
            help=f"Compare on its first {MAX_PROOF_RECORDINGS} recordings; default: the packaged sample."
        ),
    ] = None,
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
    writing: Writing,
    about: About,
) -> None:
    """Turn a checkpoint into a bundle that runs without torch.

    The graph and the torch model are compared on real audio, alone and in a padded batch. A difference
    above 1e-4 in a log-probability, or one changed text, and nothing is written.
    """

    def export_to(directory: Path) -> None:
        _export_bundle(checkpoint, directory, manifest, reports, writing, about)

    if program is None:
        export_to(output_dir)
        print_result(f"wrote {output_dir}")
        return
    from linnet.cli.export_foreign import export_foreign

    export_foreign(checkpoint, output_dir, program, export_to, force=writing.force, replace=writing.replace)


def _export_bundle(
    checkpoint: Path,
    output_dir: Path,
    manifest: str | None,
    reports: list[Path] | None,
    writing: Writing,
    about: About,
) -> None:
    """Export a checkpoint, and say how it compares."""
    from linnet.core.optional import require

    for module in ("torch", "onnx", "onnxscript"):
        require(module, extra="train", purpose="exporting")
    from linnet.export.run import ExportOptions, export_bundle
    from linnet.models.checkpoint import read_checkpoint

    metrics = {f"WER {path.stem}": _wer_of(path) for path in reports or ()}
    options = ExportOptions(
        **about.model_dump(),
        metrics=metrics,
        keep_checkpoint=writing.keep_checkpoint,
        replace=writing.replace,
    )
    recordings = _proof_recordings(manifest, read_checkpoint(checkpoint).config.frontend.sample_rate_hz)
    with progress_bar("") as bar:
        bar.add_task("exporting and comparing", total=None)
        proof = export_bundle(checkpoint, output_dir, recordings, options)
    for line in proof.lines():
        print_result(line)


def _proof_recordings(manifest: str | None, sample_rate_hz: int) -> "list[Samples]":
    """Read the first recordings of a manifest, or the packaged sample and a part of it."""
    from linnet.audio.read import read_audio

    if manifest is None:
        return sample_recordings(sample_rate_hz)
    from linnet.manifest.jsonl import read_manifest

    utterances = read_manifest(manifest)[:MAX_PROOF_RECORDINGS]
    return [
        read_audio(
            utterance.audio,
            sample_rate_hz=sample_rate_hz,
            offset_s=utterance.offset_s,
            duration_s=utterance.duration_s,
        )
        for utterance in utterances
    ]


def sample_recordings(sample_rate_hz: int) -> "list[Samples]":
    """Read the packaged sample, and give a part of it too, so that a batch of both is padded."""
    from linnet.audio.read import read_audio
    from linnet.runtime.packaged import packaged_sample

    sample = read_audio(packaged_sample(), sample_rate_hz=sample_rate_hz)
    return [sample, sample[: len(sample) * 2 // 3]]


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
