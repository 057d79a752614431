"""An exported CTC model, as NeMo, sherpa-onnx and onnx-asr have it, as a bundle."""

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from linnet import __version__
from linnet.bundle.front_matter import front_matter
from linnet.bundle.schema import BundleSpec
from linnet.bundle.writer import check_free, write_bundle
from linnet.core.config_error import config_error
from linnet.core.errors import CheckpointError
from linnet.importers.nemo_tokenizer import normalizer_of
from linnet.importers.onnx_files import Source
from linnet.importers.onnx_frontend import (
    FoundFrontend,
    frontend_from_nemo,
    frontend_from_yaml,
    frontend_of_program,
    read_spec,
)
from linnet.importers.onnx_graph import ForeignGraph, read_graph, to_contract
from linnet.importers.onnx_tokens import kind_of, read_foreign_tokens
from linnet.importers.onnx_trial import Trial, try_graph
from linnet.text.vocabulary import Vocabulary

# What a description in the file says beyond what the graph shows.
_KEPT = {
    *("name", "description", "language", "license", "normalizer", "vocabulary", "parameters", "metrics"),
    *("one_at_a_time", "confidence_temperature", "word_start_shift_s", "word_end_shift_s"),
}


@dataclass(frozen=True, slots=True)
class OnnxImport:
    """What became of it.

    Attributes:
        spec: the description of the bundle.
        trial: what running the graph has shown.
        frontend_source: where the front end is from.
    """

    spec: BundleSpec
    trial: Trial
    frontend_source: str


def model_name(source: Path) -> str:
    """Make a model's name of the name of its file, or of its folder where the file has a usual one."""
    stem = source.name if source.is_dir() or source.stem != "model" else source.resolve().parent.name
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", stem.removesuffix(".onnx")).strip("-._")
    return stem[:64] or "imported"


def import_onnx(
    source: Source, directory: Path, name: str, told: Mapping[str, str], *, replace: bool = False
) -> OnnxImport:
    """Read an exported model, run it on noise, and write the bundle.

    Args:
        source: its files.
        directory: of the bundle.
        name: what it is called where neither its user nor the file says.
        told: name, language and license, where its user says them.
        replace: whether a bundle that is there may go.

    Raises:
        BundleError: when something is in the way.
        CheckpointError: when the model cannot be read or run, or its files do not fit together.
        ConfigError: when what its user told is not what a bundle may say.
        MissingDependencyError: when the package onnx is not installed.
    """
    check_free(directory, replace=replace)
    graph = read_graph(source.model)
    known = read_spec(graph.metadata, str(source.model))
    found = _frontend(source, graph, known)
    with tempfile.TemporaryDirectory() as temporary:
        trial = try_graph(graph, _num_features(graph, found), Path(temporary))
        vocabulary = read_foreign_tokens(source.tokens, trial.num_tokens)
        spec = _describe(graph, found, trial, vocabulary, {"name": name, **_kept(known), **told})
        path = Path(temporary) / "model.onnx"
        to_contract(graph, path, trial.subsampling, log_softmax=trial.log_softmax)
        write_bundle(directory, spec, path, vocabulary, _card(spec, source, found), replace=replace)
    return OnnxImport(spec, trial, found.source)


def _frontend(source: Source, graph: ForeignGraph, known: BundleSpec | None) -> FoundFrontend:
    if source.frontend is not None:
        return frontend_from_yaml(source.frontend)
    if known is not None:
        return FoundFrontend(known.frontend, "linnet's own description in the file")
    if source.config is not None:
        return frontend_from_nemo(source.config)
    return frontend_of_program(graph.metadata, source.program_config, graph.num_features, str(source.model))


def _num_features(graph: ForeignGraph, found: FoundFrontend) -> int:
    num_features = found.config.num_features
    if graph.num_features not in (None, num_features):
        raise CheckpointError(
            f"reads {graph.num_features} features, but its front end ({found.source}) gives {num_features}",
            where=str(graph.path),
            remedy="Give the front end it was trained with, by --config or --frontend",
        )
    return num_features


def _kept(known: BundleSpec | None) -> dict[str, Any]:
    """Take over what no run of the graph can tell."""
    return known.model_dump(include=_KEPT) if known else {}


def _describe(
    graph: ForeignGraph, found: FoundFrontend, trial: Trial, vocabulary: Vocabulary, values: dict[str, Any]
) -> BundleSpec:
    read = {
        "language": "und",
        "license": "LicenseRef-unknown",
        "normalizer": normalizer_of(vocabulary.pieces),
        "vocabulary": kind_of(vocabulary),
        "parameters": graph.num_parameters,
        **values,
        "sample_rate_hz": found.config.sample_rate_hz,
        "frontend": found.config,
        "subsampling": trial.subsampling,
        "blank_id": vocabulary.blank_id,
        "one_at_a_time": trial.one_at_a_time or values.get("one_at_a_time", False),
        "opset": graph.opset,
        "created_with": __version__,
    }
    try:
        return BundleSpec.model_validate(read)
    except ValidationError as error:
        raise config_error(error, BundleSpec, "bundle.yaml") from None


def _card(spec: BundleSpec, source: Source, found: FoundFrontend) -> str:
    return f"""{front_matter(spec)}
# {spec.name}

{spec.description or "A CTC speech recognizer."}

{spec.parameters:,} parameters, {spec.sample_rate_hz} Hz mono audio, one output frame every \
{1000 * spec.frame_shift_s:g} ms. Imported by linnet {spec.created_with} from `{source.model.name}` and
`{source.tokens.name}`; front end: {found.source}.

```console
linnet transcribe --model DIRECTORY FILE
```

The graph was run on features of several lengths, alone and in a padded batch. The model it was exported from
was not there to be compared with.
"""
