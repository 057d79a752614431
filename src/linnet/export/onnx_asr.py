"""A bundle as onnx-asr reads NeMo's CTC models: model.onnx, vocab.txt and config.json.

What onnx-asr needs was read from its source (`models/nemo.py`, `asr.py`, `preprocessors/`) and tried with the
package, version 0.12.0.
"""

import json
import shutil
from pathlib import Path

from linnet.bundle.reader import Bundle
from linnet.bundle.schema import TOKENS_FILE, BundleSpec
from linnet.export.foreign import MODEL_FILE, Differences, ForeignProgram, unequal, unwritable_pieces

VOCABULARY_FILE = "vocab.txt"
CONFIG_FILE = "config.json"
MODEL_TYPE = "nemo-conformer-ctc"

# Its front end for NeMo's models, which is that of NeMo since version 2.5, with two sets of mel bands.
FRONTEND = {
    "kind": "logmel",
    "sample_rate_hz": 16000,
    "num_mels": (80, 128),
    "window_ms": 25.0,
    "hop_ms": 10.0,
    "fft_size": 512,
    "window": "hann",
    "periodic_window": False,
    "preemphasis": 0.97,
    "low_hz": 0.0,
    "highest_hz": 8000.0,
    "normalize": "per_feature",
    "log_guard": 2.0**-24,
    "log_guard_mode": "add",
}


def compare(bundle: Bundle) -> Differences:
    """Find what onnx-asr computes in another way than the model was trained with."""
    spec = bundle.spec
    prevents = [*unequal(spec.frontend, FRONTEND), *unwritable_pieces(bundle)]
    changes = ["a space before a mark such as the apostrophe is left out of the text"]
    if spec.frontend.pad_mode != "zeros":
        changes.append(
            "the ends of a recording are padded with zeros and not mirrored, and it has one frame less, as "
            "in NeMo since 2.5; the model was trained as before"
        )
    if spec.frontend.pad_to:
        changes.append(f"the number of frames is not padded to a multiple of {spec.frontend.pad_to}")
    if spec.one_at_a_time:
        changes.append("recordings recognized together are padded, which changes this model's last frames")
    return Differences(tuple(prevents), tuple(changes))


def write(bundle: Bundle, folder: Path) -> None:
    """Write the model, its pieces and what onnx-asr has to know of it."""
    spec = bundle.spec
    shutil.copyfile(bundle.model_path, folder / MODEL_FILE)
    shutil.copyfile(bundle.path / TOKENS_FILE, folder / VOCABULARY_FILE)
    config = {
        "model_type": MODEL_TYPE,
        "features_size": spec.frontend.num_features,
        "subsampling_factor": spec.subsampling,
    }
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def usage(_: BundleSpec) -> str:
    """Give the lines of Python that transcribe a recording."""
    return f"""import onnx_asr

model = onnx_asr.load_model("{MODEL_TYPE}", "FOLDER")
print(model.recognize("call.wav"))"""


ONNX_ASR = ForeignProgram(
    name="onnx-asr",
    files=(VOCABULARY_FILE, CONFIG_FILE),
    compare=compare,
    num_outputs=lambda num_frames, subsampling: (num_frames - 1) // subsampling + 1,
    write=write,
    usage=usage,
)
