"""What a stranger's graph does, found by running it: its subsampling, its outputs, and its batches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.core.errors import BundleError, CheckpointError
from linnet.importers.onnx_graph import ForeignGraph, to_contract
from linnet.runtime.session import CtcSession

_TRIED_FRAMES = (64, 65, 67, 97, 128)
_MAX_SUBSAMPLING = 64
_SUM_TOLERANCE = 1e-2
# A graph without masks differs by 1e-3 and more in a padded batch, one with them by rounding.
_BATCH_TOLERANCE = 5e-4


@dataclass(frozen=True, slots=True)
class Trial:
    """What the graph does.

    Attributes:
        subsampling: frames of features for one of log-probs.
        num_tokens: V, with the blank.
        log_softmax: whether its outputs are scores, which a log-softmax has to follow.
        one_at_a_time: whether a recording in a padded batch comes out otherwise than alone.
    """

    subsampling: int
    num_tokens: int
    log_softmax: bool
    one_at_a_time: bool


def try_graph(graph: ForeignGraph, num_features: int, folder: Path) -> Trial:
    """Run a graph on noise of several lengths.

    Args:
        graph: what was read.
        num_features: F.
        folder: for the file that is run.

    Raises:
        CheckpointError: when it does not run, or gives something else than log-probs (B, S, V) of
            S = ceil(T / subsampling) frames.
    """
    path = folder / "trial.onnx"
    to_contract(graph, path, subsampling=1)
    where = str(graph.path)
    try:
        session = CtcSession(path)
        outputs = [_run(session, [_noise(num_features, frames)])[0] for frames in _TRIED_FRAMES]
    except BundleError as error:
        raise CheckpointError(
            f"cannot be run: {error.what}", where=where, remedy="Export the model again"
        ) from None
    if not all(np.isfinite(each).all() for each in outputs):
        raise CheckpointError(
            "gives values that are not finite", where=where, remedy="Export the model again, in float32"
        )
    sums = np.exp(outputs[0].astype(np.float64)).sum(axis=-1)
    return Trial(
        subsampling=_subsampling([len(each) for each in outputs], where),
        num_tokens=outputs[0].shape[1],
        log_softmax=bool(np.abs(sums - 1).max() > _SUM_TOLERANCE),
        one_at_a_time=not _keeps_batches_apart(session, num_features),
    )


def _subsampling(counts: list[int], where: str) -> int:
    """Find s of S = ceil(T / s)."""
    for factor in range(1, _MAX_SUBSAMPLING + 1):
        if counts == [-(-frames // factor) for frames in _TRIED_FRAMES]:
            return factor
    raise CheckpointError(
        f"gives {counts} frames for {list(_TRIED_FRAMES)} of features, which no subsampling explains",
        where=where,
        remedy="Read are models that give one frame for each s frames of features, the last one rounded up",
    )


def _keeps_batches_apart(session: CtcSession, num_features: int) -> bool:
    short, long = (_noise(num_features, frames) for frames in (65, 128))
    try:
        batched = _run(session, [short, long])
    except BundleError:  # a graph for one recording only
        return False
    alone = [_run(session, [each])[0] for each in (short, long)]
    return all(np.abs(a - b[: len(a)]).max() <= _BATCH_TOLERANCE for a, b in zip(alone, batched, strict=True))


def _run(session: CtcSession, features: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Give all frames that come out for features (F, T), as one batch padded with zeros."""
    lengths = np.array([each.shape[1] for each in features], np.int64)
    batch = np.zeros((len(features), features[0].shape[0], int(lengths.max())), np.float32)
    for row, each in zip(batch, features, strict=True):
        row[:, : each.shape[1]] = each
    return list(session.log_probs(batch, lengths)[0])


def _noise(num_features: int, num_frames: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(num_frames)
    return generator.standard_normal((num_features, num_frames), dtype=np.float32)
