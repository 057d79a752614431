"""A bundle as sherpa-onnx reads NeMo's CTC models: metadata in the ONNX file, tokens.txt beside it.

What sherpa-onnx needs was read from its source (`offline-nemo-enc-dec-ctc-model.cc`, `offline-stream.cc`,
`features.h`, `symbol-table.cc`) and tried with the package, version 2.0.1.
"""

import shutil
from pathlib import Path
from typing import Any

from linnet.bundle.reader import Bundle
from linnet.bundle.schema import METADATA_KEY, TOKENS_FILE, BundleSpec
from linnet.core.optional import require
from linnet.export.foreign import (
    MODEL_FILE,
    Differences,
    ForeignProgram,
    spec_as_json,
    unequal,
    unwritable_pieces,
)

SUBWORD_KINDS = ("sentencepiece", "wordpiece")

# What the front end for NeMo's models is there, whatever the model was trained with. Its number of mel bands
# and its rate are arguments of the recognizer.
_FRONTEND = {
    "kind": "logmel",
    "window_ms": 25.0,
    "hop_ms": 10.0,
    "window": "hann",
    "preemphasis": 0.97,
    "low_hz": 0.0,
}
_NORMALIZED = ("per_feature", "all_features", "none")
_ALWAYS = (
    "the front end is Kaldi's with NeMo's mel bands: pre-emphasis by frame and not by recording, a periodic "
    "window, the ends of a recording mirrored, other floors of the logarithm",
    "the last frame of log-probabilities is not read where the features do not fill it",
)

# Statistics over all values of a recording, as in `features.normalize`, since sherpa-onnx has only those of
# each mel band. Names that begin with "front_" are those of no other node.
_ALL_FEATURES = """
normalize (float[B, F, T] audio_signal, int64[B] length) => (float[B, F, T] front_normalized) {
  front_zero = Constant <value = int64 {0}> ()
  front_one = Constant <value = int64 {1}> ()
  front_axes = Constant <value_ints = [1, 2]> ()
  front_shape = Shape (audio_signal)
  front_index_f = Constant <value = int64 {1}> ()
  front_index_t = Constant <value = int64 {2}> ()
  front_f = Gather (front_shape, front_index_f)
  front_t = Gather (front_shape, front_index_t)
  front_range = Range (front_zero, front_t, front_one)
  front_lengths = Unsqueeze (length, front_axes)
  front_valid = Less (front_range, front_lengths)
  front_nothing = Constant <value = float {0.0}> ()
  front_at_least = Constant <value = float {1.0}> ()
  front_guard = Constant <value = float {1e-5}> ()
  front_frames = Cast <to = 1> (front_lengths)
  front_features = Cast <to = 1> (front_f)
  front_count = Mul (front_frames, front_features)
  front_spoken = Where (front_valid, audio_signal, front_nothing)
  front_sum = ReduceSum (front_spoken, front_axes)
  front_mean = Div (front_sum, front_count)
  front_centered = Sub (audio_signal, front_mean)
  front_kept = Where (front_valid, front_centered, front_nothing)
  front_squares = Mul (front_kept, front_kept)
  front_square_sum = ReduceSum (front_squares, front_axes)
  front_fewer = Sub (front_count, front_at_least)
  front_free = Max (front_fewer, front_at_least)
  front_variance = Div (front_square_sum, front_free)
  front_deviation = Sqrt (front_variance)
  front_divisor = Add (front_deviation, front_guard)
  front_normalized = Div (front_kept, front_divisor)
}
"""


def compare(bundle: Bundle) -> Differences:
    """Find what sherpa-onnx computes in another way than the model was trained with."""
    spec, frontend = bundle.spec, bundle.spec.frontend
    prevents = unequal(
        frontend,
        {
            **_FRONTEND,
            "highest_hz": frontend.sample_rate_hz / 2,
            "fft_size": 1 << (round(0.025 * frontend.sample_rate_hz) - 1).bit_length(),
            "normalize": _NORMALIZED,
        },
    )
    changes = list(_ALWAYS)
    if frontend.normalize == "per_feature":
        changes.append("the standard deviation is that of T values and not of T - 1")
    if spec.one_at_a_time:
        changes.append(
            "recordings decoded together are padded, which changes this model's last frames: decode one "
            "stream at a time"
        )
    return Differences((*prevents, *unwritable_pieces(bundle)), tuple(changes))


def write(bundle: Bundle, folder: Path) -> None:
    """Write the model with its metadata, and its tokens.

    Raises:
        MissingDependencyError: when the package onnx is not installed.
    """
    onnx = require("onnx", extra="train", purpose="exporting for sherpa-onnx")
    model = onnx.load(bundle.model_path)
    if bundle.spec.frontend.normalize == "all_features":
        _normalize_inside(onnx, model)
    onnx.helper.set_model_props(model, metadata(bundle.spec))
    onnx.save(model, folder / MODEL_FILE)
    shutil.copyfile(bundle.path / TOKENS_FILE, folder / TOKENS_FILE)


def metadata(spec: BundleSpec) -> dict[str, str]:
    """Give what sherpa-onnx looks up in the model, and the description of the bundle."""
    frontend = spec.frontend
    inside = frontend.normalize == "all_features"
    read_back = spec.model_copy(
        update={"frontend": frontend.model_copy(update={"normalize": "none"})} if inside else {}
    )
    return {
        "vocab_size": str(spec.blank_id),
        "subsampling_factor": str(spec.subsampling),
        "normalize_type": "per_feature" if frontend.normalize == "per_feature" else "",
        "model_type": "EncDecCTCModelBPE" if spec.vocabulary in SUBWORD_KINDS else "EncDecCTCModel",
        "version": "1",
        "model_author": f"linnet {spec.created_with}",
        "comment": spec.description or spec.name,
        METADATA_KEY: spec_as_json(read_back),
    }


def usage(spec: BundleSpec) -> str:
    """Give the lines of Python that transcribe a recording."""
    return f"""import sherpa_onnx, soundfile

recognizer = sherpa_onnx.OfflineRecognizer.from_nemo_ctc(
    model="model.onnx", tokens="tokens.txt",
    feature_dim={spec.frontend.num_features}, sample_rate={spec.sample_rate_hz},
)
samples, rate = soundfile.read("call.wav", dtype="float32")
stream = recognizer.create_stream()
stream.accept_waveform(rate, samples)
recognizer.decode_stream(stream)
print(stream.result.text)"""


def _normalize_inside(onnx: Any, model: Any) -> None:
    """Put the normalization before the first node of the graph."""
    nodes = onnx.parser.parse_graph(_ALL_FEATURES).node
    for node in model.graph.node:
        names = ["front_normalized" if name == "audio_signal" else name for name in node.input]
        node.input[:] = names
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])


SHERPA_ONNX = ForeignProgram(
    name="sherpa-onnx",
    files=(TOKENS_FILE,),
    compare=compare,
    num_outputs=lambda num_frames, subsampling: num_frames // subsampling,
    write=write,
    usage=usage,
)
