"""`linnet import`: from a foreign model to a bundle, refused unless both give the same."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, Field

from linnet.bundle.schema import SPEC_FILE
from linnet.cli.config_options import options_from
from linnet.cli.console import print_result, printable
from linnet.importers.fetch import is_transformers_folder
from linnet.importers.onnx_files import OnnxFiles, is_exported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linnet.core.arrays import Samples
    from linnet.importers.imported_model import ImportedModel


class Told(BaseModel):
    """What a file does not say of its model; the descriptions are the help of the command."""

    name: str | None = Field(default=None, description="Name of the model; default: that of the file.")
    language: str | None = Field(
        default=None, description="Language tag of what it hears; default: from NVIDIA's names, or und."
    )
    license: str | None = Field(default=None, description="SPDX identifier of the weights.")


@options_from(OnnxFiles, "files")
@options_from(Told, "told")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="A .nemo file, a folder of transformers, a .pt file of icefall or fairseq, an .onnx file or "
            "its folder, a bundle's folder (copied), hf:OWNER/NAME or ngc:NAME."
        ),
    ],
    output_dir: Annotated[Path, typer.Argument(help="Directory of the bundle.")],
    audio: Annotated[
        list[Path] | None,
        typer.Option(help="Compare on this recording too, besides the packaged sample; repeatable."),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Write a checkpoint of linnet too, for fine-tuning.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    *,
    files: OnnxFiles,
    told: Told,
) -> None:
    """Turn a model of NeMo, transformers, icefall or fairseq into a bundle, and compare both.

    Read are CTC models and the CTC branch of hybrid ones; of transformers wav2vec
    2.0, HuBERT and WavLM, of fairseq wav2vec 2.0 and HuBERT. Nothing in the file is
    run, and nothing is written unless the bundle gives what the model gives.
    An .onnx file that was exported from such a model, or its folder for sherpa-onnx
    or onnx-asr, is run on noise, since there is no model to compare it with.
    """
    is_bundle = (Path(source) / SPEC_FILE).is_file()
    if is_exported(source) and not is_transformers_folder(source) and not is_bundle:
        from linnet.cli.import_onnx import import_exported

        import_exported(Path(source), output_dir, files, told.model_dump(exclude_none=True), replace=replace)
        return
    from linnet.bundle.writer import check_free, copy_bundle
    from linnet.cli.export import sample_recordings
    from linnet.cli.imported import (
        UNKNOWN_LICENSE,
        import_foreign,
        language_of,
        require_importing,
        write_imported,
    )
    from linnet.importers.fetch import fetch_bundle

    check_free(output_dir, replace=replace)
    if bundle := Path(source) if is_bundle else fetch_bundle(source):
        copy_bundle(bundle, output_dir, replace=replace)
        print_result(f"wrote {output_dir}")
        return
    require_importing()
    from linnet.core.errors import CheckpointError
    from linnet.export.options import ExportOptions
    from linnet.models.checkpoint import save_model

    if checkpoint is not None and checkpoint.exists() and not replace:
        raise CheckpointError("there is a file here already", where=str(checkpoint), remedy="Add --replace")
    imported = import_foreign(source, told.name)
    model = imported.model
    rate_hz = model.config.frontend.sample_rate_hz
    options = ExportOptions(
        description=f"Imported from {Path(source).name}.",
        language=told.language or language_of(model.config.name),
        license=told.license or UNKNOWN_LICENSE,
        replace=replace,
    )
    recordings = [*sample_recordings(rate_hz), *_read_all(audio or [], rate_hz)]
    proof = write_imported(model, output_dir, recordings, options)
    for label, value in _facts(imported):
        print_result(f"{label:<12}{printable(value)}")
    for line in proof.lines():
        print_result(line)
    print_result(f"wrote {output_dir}")
    if checkpoint is not None:
        save_model(checkpoint, model.config, model.state_dict(), step=0)
        print_result(f"wrote {checkpoint}")


def _read_all(paths: list[Path], sample_rate_hz: int) -> "list[Samples]":
    from linnet.audio.read import read_audio

    return [read_audio(path, sample_rate_hz=sample_rate_hz) for path in paths]


def _facts(imported: "ImportedModel") -> "Iterator[tuple[str, str]]":
    """Say what was read, in lines of a label and a value."""
    model, config = imported.model, imported.model.config
    frontend, tokenizer = config.frontend, config.tokenizer
    yield "model", f"{config.name}: {imported.origin}"
    shift_ms = 1000 * model.frame_shift_s
    yield (
        "encoder",
        f"{config.encoder.kind}, {model.num_parameters():,} parameters, a frame every {shift_ms:g} ms",
    )
    yield "vocabulary", f"{model.vocabulary.blank_id} pieces, {tokenizer.kind}; texts by {config.normalizer}"
    if frontend.kind == "waveform":
        yield "front end", f"samples at {frontend.sample_rate_hz} Hz, normalized {frontend.normalize}"
    else:
        yield (
            "front end",
            f"{frontend.kind}, {frontend.num_features} features, {frontend.window_ms:g}/{frontend.hop_ms:g} "
            f"ms at {frontend.sample_rate_hz} Hz, {frontend.normalize}, {frontend.pad_mode} beyond the ends",
        )
    for what, count in imported.left_out.items():
        yield "left out", f"{what}, {count:,} numbers"
