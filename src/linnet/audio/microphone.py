"""Sound from a microphone, block by block, as long as it is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import numpy as np

from linnet.core.arrays import Samples
from linnet.core.errors import AudioError
from linnet.core.optional import require

BLOCK_S = 0.1


@contextmanager
def open_microphone(device: str | None, sample_rate_hz: int) -> Iterator[Iterator[Samples]]:
    """Open a microphone.

    Args:
        device: its name, a part of it, or its number; None is the one the system prefers.
        sample_rate_hz: the rate wanted.

    Yields:
        Blocks (n,) of mono float32 without an end, each all that came since the last.

    Raises:
        AudioError: when there is no such microphone, or it does not give this rate.
        MissingDependencyError: when sounddevice is not installed.
    """
    try:
        sounddevice = require("sounddevice", extra="mic", purpose="listening to a microphone")
    except OSError as error:
        raise AudioError(
            f"{error}", where="sounddevice", remedy="Install it: apt install libportaudio2, or the like"
        ) from error
    queue: SimpleQueue[Samples] = SimpleQueue()

    def keep(block: Samples, *_: Any) -> None:
        queue.put(block[:, 0].copy())

    number = int(device) if device and device.isdecimal() else device
    try:
        stream = sounddevice.InputStream(
            samplerate=sample_rate_hz,
            blocksize=round(BLOCK_S * sample_rate_hz),
            device=number,
            channels=1,
            dtype="float32",
            callback=keep,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise AudioError(
            f"the microphone cannot be opened ({error})",
            remedy="Name another with --device; `python -m sounddevice` lists them",
        ) from error
    with stream:
        yield _blocks(queue)


def _blocks(queue: "SimpleQueue[Samples]") -> Iterator[Samples]:
    while True:
        blocks = [queue.get()]
        while not queue.empty():
            blocks.append(queue.get())
        yield np.concatenate(blocks)
