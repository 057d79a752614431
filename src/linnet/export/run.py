"""From a checkpoint to a proved bundle."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from linnet import __version__
from linnet.bundle.reader import MAX_MODEL_BYTES
from linnet.bundle.schema import CHECKPOINT_FILE, MODEL_FILE, BundleSpec
from linnet.bundle.writer import check_free, write_bundle
from linnet.core.arrays import Samples
from linnet.core.config_error import config_error
from linnet.core.errors import ExportError
from linnet.export.attention import with_attention_over
from linnet.export.card import model_card
from linnet.export.onnx import OPSET, export_onnx
from linnet.export.options import ExportOptions
from linnet.export.proof import Proof, prove, reader_of
from linnet.export.shrink import quantize
from linnet.models.checkpoint import load_model, save_model
from linnet.models.ctc import CtcModel
from linnet.runtime.session import CtcSession


def export_bundle(
    checkpoint: Path, directory: Path, recordings: Sequence[Samples], options: ExportOptions
) -> Proof:
    """Export, compare on `recordings`, and write the bundle if both agree.

    Args:
        checkpoint: of `linnet train`.
        directory: of the new bundle.
        recordings: mono waveforms at the model's rate, of different lengths.
        options: what else the bundle says.

    Raises:
        CheckpointError: when the checkpoint cannot be used.
        ConfigError: when an option is not what a bundle may say, or attention over fewer frames is asked
            of a model that cannot.
        ExportError: when the graph and the torch model differ.
        BundleError: when something is in the way.
    """
    check_free(directory, replace=options.replace)
    model = load_model(checkpoint)
    if options.attention_frames is not None:
        model = with_attention_over(model, options.attention_frames)
    return export_model(model, directory, recordings, options)


def export_model(
    model: CtcModel, directory: Path, recordings: Sequence[Samples], options: ExportOptions
) -> Proof:
    """Do the same with a model in memory, in evaluation mode.

    Raises:
        ConfigError: when an option is not what a bundle may say.
        ExportError: when the graph and the torch model differ.
        BundleError: when something is in the way.
    """
    check_free(directory, replace=options.replace)
    if (num_bytes := 4 * model.num_parameters()) >= MAX_MODEL_BYTES:
        raise ExportError(
            f"the weights take {num_bytes / 2**30:.1f} GiB, and one ONNX file holds less than 2",
            remedy="Export a smaller model",
        )
    spec = _describe(model, options)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / MODEL_FILE
        options.advance("exporting")
        export_onnx(model, path)
        options.advance("comparing")
        proof = prove(model, CtcSession(path), recordings, options.texts, force=options.force)
        if options.int8:
            path, proof = quantize(path, proof, reader_of(model), recordings, options)
        kept = Path(temporary) / CHECKPOINT_FILE if options.keep_checkpoint else None
        if kept is not None:
            save_model(kept, model.config, model.state_dict(), step=0)
        write_bundle(
            directory,
            spec,
            path,
            model.vocabulary,
            model_card(spec, proof),
            proof=proof.to_json(),
            checkpoint=kept,
            replace=options.replace,
        )
    return proof


def _describe(model: CtcModel, options: ExportOptions) -> BundleSpec:
    config = model.config
    try:
        return BundleSpec(
            name=config.name,
            description=options.description,
            language=options.language,
            license=options.license,
            sample_rate_hz=config.frontend.sample_rate_hz,
            frontend=config.frontend,
            normalizer=config.normalizer,
            vocabulary=config.tokenizer.kind,
            subsampling=config.encoder.subsampling,
            blank_id=model.vocabulary.blank_id,
            one_at_a_time=model.one_at_a_time,
            min_confidence=options.min_confidence,
            opset=OPSET,
            parameters=model.num_parameters(),
            created_with=__version__,
            metrics=dict(options.metrics),
        )
    except ValidationError as error:
        raise config_error(error, BundleSpec, "bundle.yaml") from None
