"""Foreign weights under our names, held against the model that a configuration describes."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.models.ctc import CtcModel, ModelConfig

MAX_LISTED = 20
_COUNTER = ".num_batches_tracked"


def fitted(config: ModelConfig, weights: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """Compare names and shapes before memory is taken for a model of whatever size the file claims.

    Returns:
        The weights, with the counters of batch norms where the file does without: no result depends on them.

    Raises:
        CheckpointError: listing what is missing, too much or of another shape.
    """
    with torch.device("meta"):
        expected = {key: tuple(value.shape) for key, value in CtcModel(config).state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    counters = {key for key in expected if key.endswith(_COUNTER) and key not in found}
    missing = [key for key in expected if key not in found and key not in counters]
    unexpected = [key for key in found if key not in expected]
    shapes = [
        f"{key} has the shape {found[key]}, expected {shape}"
        for key, shape in expected.items()
        if found.get(key, shape) != shape
    ]
    problems = [
        *([f"missing: {listed(missing)}"] if missing else []),
        *([f"unexpected: {listed(unexpected)}"] if unexpected else []),
        *([listed(shapes)] if shapes else []),
    ]
    if problems:
        raise CheckpointError(
            f"the weights do not fit the configuration: {'; '.join(problems)}",
            where=where,
            remedy="The file may be damaged, or its configuration may be another model's",
        )
    return {**weights, **{key: torch.tensor(0) for key in counters}}


def under_our_names(
    weights: Mapping[str, Tensor],
    rename: Callable[[str], str | None],
    left_out: Mapping[str, str],
    where: str,
    remedy: str,
) -> tuple[dict[str, Tensor], dict[str, int]]:
    """Give the weights under our names, and how many numbers were left out, by what they are.

    Args:
        weights: under foreign names.
        rename: gives our name, or None for one that it does not know.
        left_out: what is not taken, by how its names begin.
        where: the file.
        remedy: told where there are names that nobody knows.

    Raises:
        CheckpointError: listing these.
    """
    renamed: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    unknown: list[str] = []
    for key, value in weights.items():
        if other := next((what for start, what in left_out.items() if key.startswith(start)), None):
            counts[other] = counts.get(other, 0) + value.numel()
        elif ours := rename(key):
            renamed[ours] = value
        else:
            unknown.append(key)
    if unknown:
        raise CheckpointError(
            f"{len(unknown)} weights are unknown to linnet: {listed(unknown)}", where=where, remedy=remedy
        )
    return renamed, counts


def listed(names: list[str]) -> str:
    """Name the first of them, and how many more there are."""
    shown = ", ".join(names[:MAX_LISTED])
    return shown if len(names) <= MAX_LISTED else f"{shown} and {len(names) - MAX_LISTED} more"
