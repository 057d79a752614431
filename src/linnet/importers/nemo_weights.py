"""A PyTorch state dict from a stranger: only tensors by name, finite, as large as they claim."""

import pickle
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from linnet.core.errors import CheckpointError
from linnet.importers.section import SAVE_AGAIN
from linnet.importers.stored_settings import MAX_CLASSES, is_readable, plain, unread

MAX_TENSORS = 100_000
_ZIP_MAGIC = b"PK\x03\x04"
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
TRUSTED = "Take the file from a source you trust"
_AGAIN = "Download the file again and compare its size"


def load_weights(file: IO[bytes], num_bytes: int, where: str) -> dict[str, Tensor]:
    """Read a file of `torch.save`, of the format since PyTorch 1.6 or the one before, without running it.

    Args:
        file: open at its start; must seek.
        num_bytes: its size.
        where: what messages call it.

    Returns:
        Contiguous CPU tensors by name; half and double precision comes as float32.

    Raises:
        CheckpointError: when it is damaged, would run code, holds other things than tensors by name, or a
            value that is not finite.
    """
    return _tensors(_plain_values(file, num_bytes, where), where)


@dataclass(frozen=True, slots=True)
class StoredModel:
    """What a file of `torch.save` holds of a model.

    Attributes:
        weights: as `load_weights` gives them.
        settings: what stands beside them as `cfg`, else as `args`, in plain values.
    """

    weights: dict[str, Tensor]
    settings: Mapping[str, Any]


def load_checkpoint(path: Path) -> StoredModel:
    """Read a file of `torch.save` that holds a state dict, by itself or as its entry `model`.

    Raises:
        CheckpointError: as `load_weights`, and when there is no such file.
    """
    where = str(path)
    try:
        with path.open("rb") as file:
            state = _plain_values(file, path.stat().st_size, where, with_settings=True)
    except OSError as error:
        raise CheckpointError(f"cannot be read: {error.strerror}", where=where) from None
    inner = state.get("model") if isinstance(state, dict) else None
    if not isinstance(inner, dict):
        return StoredModel(_tensors(state, where), {})
    settings: Any = next((each for key in ("cfg", "args") if (each := plain(state.get(key)))), {})
    return StoredModel(_tensors(inner, where), settings if isinstance(settings, dict) else {})


def _tensors(state: Any, where: str) -> dict[str, Tensor]:
    if not isinstance(state, dict) or not state:
        raise CheckpointError("is no state dict of tensors by name", where=where, remedy=SAVE_AGAIN)
    if len(state) > MAX_TENSORS:
        raise CheckpointError(f"holds more than {MAX_TENSORS} tensors", where=where, remedy=TRUSTED)
    for key in list(state):
        state[key] = checked_tensor(key, state[key], where)
    return dict(state)


def _plain_values(file: IO[bytes], num_bytes: int, where: str, *, with_settings: bool = False) -> Any:
    if file.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC:
        _check_zip(file, num_bytes, where)
    kept: list[str] = []
    while True:  # PyTorch names one class at a time
        file.seek(0)
        try:
            with unread(kept):
                return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged file can raise anything
            named = _GLOBAL.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
            if named is None:
                raise _damaged(where) from error
            if not with_settings or not is_readable(named[1]) or len(kept) == MAX_CLASSES:
                # torch's own message is not shown: it proposes to run what the file holds.
                raise CheckpointError(
                    f"holds pickled code ({named[1]}), which is not run",
                    where=where,
                    remedy=f"{TRUSTED}, or ask its author for plain weights",
                ) from None
            kept.append(named[1])


def _check_zip(file: IO[bytes], num_bytes: int, where: str) -> None:
    """Refuse a zip that is not as torch.save writes it: stored records that fit into the file."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as records:
            entries = records.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise _damaged(where) from error
    compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if compressed or sum(entry.file_size for entry in entries) > num_bytes:
        raise CheckpointError(
            "holds compressed records, which PyTorch does not write", where=where, remedy=TRUSTED
        )


def checked_tensor(key: Any, value: Any, where: str) -> Tensor:
    """Give a contiguous tensor, of float32 if of numbers with a point.

    Raises:
        CheckpointError: when it is none, or holds a value that is not finite.
    """
    if not isinstance(key, str) or not isinstance(value, Tensor):
        raise CheckpointError(
            f"{str(key)[:80]!r} is a {type(value).__name__}, not a tensor with a name",
            where=where,
            remedy=TRUSTED,
        )
    tensor = value.detach()
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        raise CheckpointError(f"{key} is no plain tensor of numbers", where=where, remedy=TRUSTED)
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise CheckpointError(f"{key} claims to be larger than it is", where=where, remedy=TRUSTED)
    if tensor.is_floating_point():
        tensor = tensor.to(torch.float32)
        if not tensor.isfinite().all():
            raise CheckpointError(
                f"{key} holds NaN or infinity",
                where=where,
                remedy="Take an earlier checkpoint",
            )
    return tensor.contiguous()


def _damaged(where: str) -> CheckpointError:
    return CheckpointError("is damaged, or no file of PyTorch", where=where, remedy=_AGAIN)
