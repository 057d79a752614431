"""Sound that comes through a pipe: WAV and raw samples as they come, other formats by way of a file."""

import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from linnet.audio.decoder import UNKNOWN_BYTES, AudioInfo, Block
from linnet.core.errors import AudioError

MAX_COPIED_BYTES = 2 << 30  # of a stream that must be copied to a file before it can be decoded
MAX_CHUNK_BYTES = 1 << 20  # of what may stand before the samples: longer is no header
MAX_CHUNKS = 64
READ_BYTES = 1 << 16

_INTEGERS, _FLOATS, _EXTENSIBLE = 1, 3, 0xFFFE  # format tags of WAV
_TYPES = {
    (_INTEGERS, 8): "u1",
    (_INTEGERS, 16): "<i2",
    (_INTEGERS, 24): "u1",
    (_INTEGERS, 32): "<i4",
    (_FLOATS, 32): "<f4",
    (_FLOATS, 64): "<f8",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PcmFormat:
    """How samples are written.

    Attributes:
        tag: integers or floats, as WAV numbers them.
        bits: of one value.
        channels: values of one instant.
        sample_rate_hz: instants in a second.
        num_bytes: how many bytes are to come; None where it is not told.
    """

    tag: int = _INTEGERS
    bits: int = 16
    channels: int = 1
    sample_rate_hz: int
    num_bytes: int | None = None

    @property
    def frame_bytes(self) -> int:
        """Bytes of one instant."""
        return self.bits // 8 * self.channels

    def decode(self, data: bytes) -> Block:
        """Give whole frames as (n, C) float32, integers scaled by their full scale."""
        values = np.frombuffer(data, _TYPES[self.tag, self.bits])
        if self.bits == 24:
            triples = np.zeros((len(values) // 3, 4), np.uint8)
            triples[:, 1:] = values.reshape(-1, 3)
            values = triples.view("<i4")[:, 0]
        samples = values.astype(np.float32).reshape(-1, self.channels)
        if self.tag == _FLOATS:
            return samples
        if self.bits == 8:
            samples -= 128
        return samples / np.float32(2.0 ** (values.dtype.itemsize * 8 - 1))


class PcmPipe:
    """A decoder of samples that come through a pipe; they can be taken once.

    Args:
        file: at its first sample.
        form: how the samples are written.
        where: the name of the pipe, for messages.
        head: bytes of the first samples that were read already.
    """

    def __init__(self, file: BinaryIO, form: PcmFormat, where: str, head: bytes = b"") -> None:
        self._file, self._form, self._where, self._rest = file, form, where, head
        self.damage = ""
        num_bytes = form.num_bytes
        duration_s = float("nan") if num_bytes is None else num_bytes / form.frame_bytes / form.sample_rate_hz
        self.info = AudioInfo(duration_s, form.sample_rate_hz, form.channels)

    def blocks(self, start_frame: int) -> Iterator[Block]:
        """Decode as much as there is at a time, from a frame on."""
        skip, size = start_frame, self._form.frame_bytes
        for data in self._data():
            data = self._rest + data
            whole = len(data) - len(data) % size
            self._rest = data[whole:]
            block = self._form.decode(data[:whole])
            yield block[skip:]
            skip = max(0, skip - len(block))

    def _data(self) -> Iterator[bytes]:
        read: Callable[[int], bytes] = getattr(self._file, "read1", self._file.read)
        left = UNKNOWN_BYTES << 32 if self._form.num_bytes is None else self._form.num_bytes
        left -= len(self._rest)
        yield b""  # for what was read already
        while left > 0 and (data := read(min(left, READ_BYTES))):
            left -= len(data)
            yield data
        if left > 0 and self._form.num_bytes is not None:
            self.damage = f"{left} bytes are missing at the end"


@contextmanager
def open_pipe(file: BinaryIO, where: str) -> Iterator[PcmPipe | BinaryIO]:
    """Give a decoder of the WAV that comes through a pipe, or a temporary file with whatever else comes.

    Raises:
        AudioError: when that is more than MAX_COPIED_BYTES.
    """
    head = bytearray()
    form = _read_header(file, head)
    if form:
        yield PcmPipe(file, form, where)
        return
    with tempfile.TemporaryFile() as copy:
        copy.write(head)
        while data := file.read(READ_BYTES):
            if copy.tell() + len(data) > MAX_COPIED_BYTES:
                raise AudioError(
                    f"the stream holds more than {MAX_COPIED_BYTES} bytes",
                    where=where,
                    remedy="Save it as a file and give its name",
                )
            copy.write(data)
        copy.seek(0)
        yield copy


def open_live(file: BinaryIO, raw: PcmFormat, where: str) -> PcmPipe:
    """Open a pipe of WAV, or of samples without a header.

    Raises:
        AudioError: when it begins like WAV and is none that can be read as it comes.
    """
    head = bytearray()
    form = _read_header(file, head)
    if form:
        return PcmPipe(file, form, where)
    if head.startswith(b"RIFF"):
        raise AudioError(
            "WAV of this coding cannot be read as it comes", where=where, remedy="Send 16-bit PCM"
        )
    return PcmPipe(file, raw, where, bytes(head))


def _read_header(file: BinaryIO, head: bytearray) -> PcmFormat | None:
    """Read to the first sample of a WAV stream; None where it is none whose samples can be taken as they are.

    Args:
        file: at its start.
        head: to be filled with all that was read.
    """

    def take(count: int) -> bytes:
        data = file.read(count)
        head.extend(data)
        return data

    start = take(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        return None
    form = b""
    for _ in range(MAX_CHUNKS):
        name, size = struct.unpack("<4sI", take(8).ljust(8, b"\0"))
        if name == b"data":
            return _parse_format(form, size)
        if not name.strip(b"\0") or size > MAX_CHUNK_BYTES:
            return None
        body = take(size + size % 2)
        form = body if name == b"fmt " else form
    return None


def _parse_format(form: bytes, size: int) -> PcmFormat | None:
    if len(form) < 16:
        return None
    tag, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if tag == _EXTENSIBLE:
        tag = int.from_bytes(form[24:26], "little")
    if (tag, bits) not in _TYPES or not channels or not rate_hz:
        return None
    known = 0 < size < UNKNOWN_BYTES
    return PcmFormat(
        tag=tag, bits=bits, channels=channels, sample_rate_hz=rate_hz, num_bytes=size if known else None
    )
