"""From a torch model to an ONNX graph: height-1 2-D convolutions, masks inside, any batch and length."""

import logging
import warnings
from ast import literal_eval
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor, nn

from linnet.core.optional import require
from linnet.export.int8 import WEIGHTED
from linnet.export.masks import widen_masks
from linnet.export.simplification import simplify
from linnet.models.conformer import ConformerConfig
from linnet.models.ctc import CtcModel
from linnet.models.encoders import WAVEFORM_ENCODERS, EncoderConfig, StackConfig

OPSET = 18
INPUTS = ("audio_signal", "length")
OUTPUTS = ("logprobs", "logprobs_length")
_SCOPES = "pkg.torch.onnx.name_scopes"  # in the metadata of each node


class _ExportedModel(nn.Module):
    """Runs the model in its 4-D form (docs/decisions/0002): (B, F, T) → (B, F, 1, T) → (B, S, V)."""

    def __init__(self, model: CtcModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        log_probs, lengths = self.model(features.unsqueeze(2), lengths)
        return log_probs, lengths


def export_onnx(model: CtcModel, path: Path) -> None:
    """Write the graph of `model`, in evaluation mode, with its weights inside the file.

    Inputs `audio_signal` (B, F, T) float32 and `length` (B,) int64; outputs `logprobs` (B, S, V) and
    `logprobs_length` (B,).

    Args:
        model: what to export.
        path: the file to write.
    """
    require("onnxscript", extra="train", purpose="exporting to ONNX")
    num_features = model.config.frontend.num_features
    # Two utterances of different length, so that tracing sees a padded batch.
    num_frames = _traced_frames(model.config.encoder)
    example = (torch.zeros(2, num_features, num_frames), torch.tensor([num_frames, num_frames - 28]))
    dynamic = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _quiet("torch.onnx", "onnxscript")
        program = torch.onnx.export(
            _ExportedModel(model).eval(),
            example,
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_shapes=({0: dynamic, 2: dynamic}, {0: dynamic}),
            opset_version=OPSET,
            dynamo=True,
            optimize=False,  # below, by onnxruntime: it takes less time and folds batch norms as well
            verbose=False,
        )
    assert program is not None
    _fold_constants(program)
    _name_layers(program)
    program.save(str(path), external_data=False)
    simplify(path)
    widen_masks(path)


def _traced_frames(encoder: EncoderConfig) -> int:
    """Choose a length that tracing takes for no special case: several frames, or blocks of attention."""
    if isinstance(encoder, StackConfig):
        return _traced_frames(encoder.first) + encoder.first.subsampling * _traced_frames(encoder.then)
    if isinstance(encoder, WAVEFORM_ENCODERS):
        return encoder.window_samples + 32 * encoder.subsampling
    band = encoder.band if isinstance(encoder, ConformerConfig) else None
    return max(128, 4 * encoder.subsampling * (max(band) + 1)) if band else 128


def _fold_constants(program: torch.onnx.ONNXProgram) -> None:
    """Compute once what the graph would compute in each run of constants alone.

    onnxruntime, which simplifies the graph after this, leaves casts and expanded constants, and folds no
    batch norm that reads them. Recurrent layers join their weights (`models.layers.recurrent`), which
    onnxscript takes for too large to fold unless told.
    """
    from onnxscript.optimizer import fold_constants

    joining = {"Gather", "Unsqueeze", "Concat"}  # they make nothing larger
    fold_constants(program.model, should_fold=lambda node: True if node.op_type in joining else None)


def _name_layers(program: torch.onnx.ONNXProgram) -> None:
    """Call what multiplies by weights after its module, so that people know which layer is meant."""
    seen: Counter[str] = Counter()
    for node in program.model.graph:
        scopes = literal_eval(node.metadata_props.get(_SCOPES, "[]"))  # ["", "model", …, module, operation]
        if node.op_type in WEIGHTED and len(scopes) > 2:
            place = scopes[-2].removeprefix("model.")
            seen[place] += 1
            node.name = place if seen[place] == 1 else f"{place}:{seen[place]}"


def _quiet(*names: str) -> None:
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
