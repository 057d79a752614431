"""From a float32 bundle, or the graph of one to be written, to an int8 one; without torch."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from linnet import __version__
from linnet.bundle.reader import read_bundle
from linnet.bundle.schema import MODEL_FILE
from linnet.bundle.writer import attach_language_model, check_free, write_bundle
from linnet.core.arrays import Samples
from linnet.core.errors import BundleError
from linnet.export.card import model_card
from linnet.export.comparison import Material, Reader, rows, run_all, run_whole
from linnet.export.int8 import GraphInt8
from linnet.export.options import ExportOptions
from linnet.export.proof import FLOAT32_GRAPH, INT8_GRAPH, Proof, compared
from linnet.export.quantization import find_int8
from linnet.export.simplification import simplify
from linnet.runtime.session import INT8, CtcSession

INT8_FILE = "model.int8.onnx"
# Recordings, and of each the beginning: all values inside the network are held for one at a time.
MAX_CALIBRATION, MAX_CALIBRATION_S = 32, 20.0


def shrink_bundle(
    source: Path, directory: Path, recordings: Sequence[Samples], options: ExportOptions
) -> Proof:
    """Write a bundle with the int8 graph of another bundle, such as an imported one.

    Figures that were measured with the float32 graph do not come along. The text of the description does, and
    so do language, license and language model.

    Args:
        source: a bundle.
        directory: of the new bundle.
        recordings: mono waveforms at the model's rate, of different lengths.
        options: what else is chosen; what describes the model is not looked at.

    Raises:
        BundleError: when the source is no bundle or is int8 already, or something is in the way.
        ExportError: when int8 loses too much.
    """
    check_free(directory, replace=options.replace)
    bundle = read_bundle(source)
    if CtcSession(bundle.model_path).precision == INT8:
        raise BundleError("this bundle is int8 already", where=str(source), remedy="Give the float32 bundle")
    spec = bundle.spec
    reader = Reader(
        frontend=spec.frontend,
        vocabulary=bundle.vocabulary,
        normalizer=spec.normalizer,
        subsampling=spec.subsampling,
        one_at_a_time=spec.one_at_a_time,
    )
    with tempfile.TemporaryDirectory() as temporary:
        graph = Path(temporary) / MODEL_FILE
        graph.write_bytes(bundle.model_path.read_bytes())
        simplify(graph)
        path, proof = quantize(graph, None, reader, recordings, options)
        spec = spec.model_copy(
            update=_told(options)
            | {"metrics": dict(options.metrics), "files": {}, "created_with": __version__, "search": None}
        )
        write_bundle(
            directory,
            spec,
            path,
            bundle.vocabulary,
            model_card(spec, proof),
            proof=proof.to_json(),
            replace=options.replace,
        )
        if bundle.language_model and bundle.spec.search:
            attach_language_model(directory, bundle.language_model, bundle.spec.search)
    return proof


def _told(options: ExportOptions) -> dict[str, Any]:
    """Give what is said of the model in place of what its bundle says."""
    usual = ExportOptions()
    names = ("description", "language", "license", "min_confidence")
    return {name: value for name in names if (value := getattr(options, name)) != getattr(usual, name)}


def quantize(
    graph: Path, proof: Proof | None, reader: Reader, recordings: Sequence[Samples], options: ExportOptions
) -> tuple[Path, Proof]:
    """Find the int8 form of a graph, and compare it on the recordings.

    Args:
        graph: a float32 graph, in a folder that may be written to.
        proof: what it was compared with; None makes the float32 graph itself the source.
        reader: how recordings are read.
        recordings: mono waveforms at the model's rate.
        options: calibration, texts, force.

    Returns:
        The path of the int8 graph, and the proof with its lines.

    Raises:
        ExportError: when int8 loses too much.
    """
    material = Material.of(reader, recordings, options.texts)
    most_samples = round(MAX_CALIBRATION_S * reader.frontend.sample_rate_hz)
    beginnings = [samples[:most_samples] for samples in options.calibration or recordings]
    calibration = Material.of(reader, beginnings).features[:MAX_CALIBRATION]
    path = graph.with_name(INT8_FILE)
    float32 = CtcSession(graph)
    source = run_all(float32.log_probs, material)
    found = find_int8(
        GraphInt8(graph, graph.parent, calibration),
        path,
        material,
        source[0],
        force=options.force,
        advance=options.advance,
    )
    if proof is None:
        of_itself = [source[0], run_whole(float32.log_probs, material)]
        lines = rows(FLOAT32_GRAPH, float32.size_bytes, source, of_itself, material)
        proof = replace(compared(material, source, source, lines), source=FLOAT32_GRAPH)
    options.advance("comparing")
    session = CtcSession(path)
    runs = run_all(session.log_probs, material)
    lines = rows(INT8_GRAPH, session.size_bytes, runs, source, material)
    forced = proof.forced or not found.holds
    return path, replace(proof, rows=(*proof.rows, *lines), int8=found, forced=forced)
