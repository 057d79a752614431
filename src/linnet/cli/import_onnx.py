"""`linnet import` of an ONNX file that another toolkit exported, or of its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.cli.console import print_result, print_warning, printable, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linnet.importers.onnx_files import OnnxFiles
    from linnet.importers.onnx_model import OnnxImport

_MOST = 0.5  # of the frames of a recording are blank in any CTC model that has learned its texts


def import_exported(
    source: Path,
    output_dir: Path,
    files: "OnnxFiles",
    told: Mapping[str, str],
    *,
    replace: bool,
) -> None:
    """Write the bundle, and say what was found and what was assumed."""
    from linnet.importers.onnx_files import find_files
    from linnet.importers.onnx_model import import_onnx, model_name

    found = find_files(source, files)
    with progress_bar("") as bar:
        bar.add_task("importing and running", total=None)
        imported = import_onnx(found, output_dir, model_name(source), told, replace=replace)
    for line in _facts(imported):
        print_result(printable(line))
    print_result(f"wrote {output_dir}")
    _warn_of_another_blank(output_dir)


def _facts(imported: "OnnxImport") -> "Iterator[str]":
    spec, frontend = imported.spec, imported.spec.frontend
    shift_ms = 1000 * spec.frame_shift_s
    yield f"model       {spec.name}: {spec.parameters:,} parameters, a frame every {shift_ms:g} ms"
    yield f"vocabulary  {spec.blank_id} pieces, {spec.vocabulary}; texts by {spec.normalizer}"
    yield (
        f"front end   {frontend.kind}, {frontend.num_features} features, "
        f"{frontend.window_ms:g}/{frontend.hop_ms:g} ms at {frontend.sample_rate_hz} Hz, "
        f"{frontend.normalize}, {frontend.pad_mode} beyond the ends ({imported.frontend_source})"
    )
    if spec.one_at_a_time:
        yield "batches     one recording at a time, since padding changes what the graph gives"


def _warn_of_another_blank(directory: Path) -> None:
    """Say so where the packaged sample has another token than the blank in most frames."""
    import numpy as np

    from linnet.audio.read import read_audio
    from linnet.runtime.packaged import packaged_sample
    from linnet.runtime.recognizer import Recognizer

    recognizer = Recognizer.load(directory)
    samples = read_audio(packaged_sample(), sample_rate_hz=recognizer.sample_rate_hz)
    (log_probs,) = recognizer.log_probs([recognizer.features(samples)])
    shares = np.bincount(log_probs.argmax(axis=1), minlength=log_probs.shape[1]) / max(1, len(log_probs))
    vocabulary = recognizer.bundle.vocabulary
    most = int(shares.argmax())
    if most != vocabulary.blank_id and shares[most] > _MOST:
        print_warning(
            f"token {most}, {vocabulary.pieces[most]!r}, is the best of {shares[most]:.0%} of the frames of "
            f"the packaged sample, and the blank of {shares[vocabulary.blank_id]:.0%}: are these the model's "
            "tokens?"
        )
