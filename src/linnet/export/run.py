"""From a checkpoint to a proved bundle."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from linnet import __version__
from linnet.bundle.reader import MAX_MODEL_BYTES
from linnet.bundle.schema import BundleSpec
from linnet.bundle.writer import check_free, write_bundle
from linnet.core.arrays import Samples
from linnet.core.config_error import config_error
from linnet.core.errors import ExportError
from linnet.export.card import model_card
from linnet.export.onnx import OPSET, export_onnx
from linnet.export.proof import Proof, prove
from linnet.models.checkpoint import load_model
from linnet.models.ctc import CtcModel
from linnet.runtime.session import CtcSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What the bundle says beyond the checkpoint.

    Attributes:
        description: one line on what the model recognizes.
        language: BCP 47 tag of what it hears.
        license: SPDX identifier of the weights.
        metrics: measured figures by name.
        replace: whether a bundle that lies there already may be replaced.
    """

    description: str = ""
    language: str = "en"
    license: str = "Apache-2.0"
    metrics: Mapping[str, float] = field(default_factory=dict)
    replace: bool = False


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
        ConfigError: when an option is not what a bundle may say.
        ExportError: when the graph and the torch model differ.
        BundleError: when something is in the way.
    """
    check_free(directory, replace=options.replace)
    return export_model(load_model(checkpoint), directory, recordings, options)


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
        path = Path(temporary) / "model.onnx"
        export_onnx(model, path)
        proof = prove(model, CtcSession(path), recordings)
        write_bundle(
            directory, spec, path, model.vocabulary, model_card(spec, proof), replace=options.replace
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
            opset=OPSET,
            parameters=model.num_parameters(),
            created_with=__version__,
            metrics=dict(options.metrics),
        )
    except ValidationError as error:
        raise config_error(error, BundleSpec, "bundle.yaml") from None
