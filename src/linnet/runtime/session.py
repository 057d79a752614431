"""The exported network in onnxruntime: features in, log-probabilities out."""

import platform
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from linnet.core.errors import BundleError, ConfigError

_INPUTS = {"audio_signal": ("tensor(float)", 3), "length": ("tensor(int64)", 1)}
_OUTPUTS = {"logprobs": ("tensor(float)", 3), "logprobs_length": ("tensor(int64)", 1)}
PRECISION_KEY = "linnet.precision"  # in the metadata of the graph
INT8, FLOAT32 = "int8", "float32"
_ERRORS_ONLY = 3  # onnxruntime's severity: its warnings are about graphs, which no user can mend


class CtcSession:
    """One CTC network on the CPU.

    Args:
        model_path: the ONNX file. Inputs: `audio_signal` float32 (B, F, T) and `length` int64 (B). Outputs:
            `logprobs` float32 (B, S, V) and `logprobs_length` int64 (B).
        num_threads: threads for one call.

    Raises:
        BundleError: when the file is no ONNX model or has other inputs and outputs.
        ConfigError: when `num_threads` is below 1.

    Attributes:
        num_features: F, or None where the model takes any.
        num_tokens: V, or None where the model does not tell.
        size_bytes: of the file.
        precision: "int8" where its metadata say so, else "float32".
    """

    def __init__(self, model_path: Path, *, num_threads: int = 1) -> None:
        self._where = str(model_path)
        self._session = self._open(model_path, _options(num_threads))
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._check(inputs, _INPUTS, "inputs")
        self._check(outputs, _OUTPUTS, "outputs")
        self.num_features = _fixed_size(inputs, "audio_signal", axis=1)
        self.num_tokens = _fixed_size(outputs, "logprobs", axis=2)
        self.size_bytes = model_path.stat().st_size
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.precision = INT8 if metadata.get(PRECISION_KEY) == INT8 else FLOAT32

    def log_probs(
        self, features: NDArray[np.float32], lengths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Run the network on a padded batch.

        Args:
            features: (B, F, T).
            lengths: (B,) valid frames of each utterance.

        Returns:
            Log-probabilities (B, S, V) and their valid lengths (B,).

        Raises:
            BundleError: when the network fails on these features.
        """
        feed = {"audio_signal": features, "length": lengths}
        try:
            log_probs, log_probs_lengths = self._session.run(list(_OUTPUTS), feed)
        except Exception as error:  # onnxruntime's errors share no narrower base
            raise BundleError(
                f"the model cannot run on features of shape {features.shape}: {error}", where=self._where
            ) from error
        return log_probs, log_probs_lengths

    def _open(self, model_path: Path, options: Any) -> Any:
        try:
            return onnxruntime.InferenceSession(
                str(model_path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no narrower base
            raise BundleError(
                f"onnxruntime {onnxruntime.__version__} cannot load the model: {error}",
                where=self._where,
                remedy="Export the model again, or upgrade onnxruntime",
            ) from error

    def _check(self, found: list[Any], expected: dict[str, tuple[str, int]], what: str) -> None:
        shapes = {value.name: (value.type, len(value.shape)) for value in found}
        if shapes != expected:
            raise BundleError(
                f"the model's {what} are {_listed(shapes)}, expected {_listed(expected)}",
                where=self._where,
                remedy="Only CTC models that linnet export wrote can be used",
            )


def _options(num_threads: int) -> Any:
    if num_threads < 1:
        raise ConfigError(f"num_threads={num_threads}", remedy="Give 1 or more threads")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = _ERRORS_ONLY
    if _int8_sums_may_overflow():
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


@cache
def _int8_sums_may_overflow() -> bool:
    """Tell whether this is an x86 processor without VNNI, as far as is known.

    There the sums of two int8 products are kept in 16 bits, unless onnxruntime is asked for slower ones.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    try:
        return "vnni" not in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return True


def _fixed_size(values: list[Any], name: str, axis: int) -> int | None:
    size = next(value for value in values if value.name == name).shape[axis]
    return size if isinstance(size, int) else None


def _listed(shapes: dict[str, tuple[str, int]]) -> str:
    return ", ".join(f"{name} {kind} of rank {rank}" for name, (kind, rank) in shapes.items()) or "none"
