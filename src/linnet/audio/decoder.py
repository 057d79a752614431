"""What reading asks of a decoder, and the decoder of libsndfile: WAV, FLAC, OGG, Opus, MP3 and kin."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from linnet.core.errors import AudioError

BLOCK_VALUES = 1 << 17  # samples of all channels decoded at a time: 0.5 MB, zeroed anew by each read
MAX_DURATION_S = 12 * 3600.0  # 2.8 GB of samples at 16 kHz: a small file must not unpack to any size

Block = NDArray[np.float32]  # (n, C): n samples of C channels at the recording's own rate

UNKNOWN_BYTES = 0x7FFF_0000  # sizes from here on stand for "unknown" in WAV written to a pipe

_RIFF_SLACK_BYTES = 64  # writers disagree by a few bytes on what the size counts
_PAGE = b"OggS"
_PAGE_HEADER_BYTES, _MAX_PAGE_BYTES = 27, 27 + 255 + 255 * 255
_FIRST_FRAME_BYTES = 256  # of an MP3 file: enough for the mark of Xing's header
_MP3_SLACK_S = 0.2  # encoders pad, and decoders differ in whether they give it
_SALVAGE_FRAMES = 256
_UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's count for a FLAC that was written to a pipe

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of a recording says.

    Attributes:
        duration_s: length in seconds; a damaged recording may hold less. NaN where a pipe does not tell.
        sample_rate_hz: samples of one channel in a second.
        channels: number of channels.
    """

    duration_s: float
    sample_rate_hz: int
    channels: int


class Decoder(Protocol):
    """A recording that is open and not yet decoded.

    Attributes:
        damage: why decoding ended before the end, once it has; otherwise "".
    """

    damage: str

    @property
    def info(self) -> AudioInfo:
        """What the header says."""
        ...

    def blocks(self, start_frame: int) -> Iterator[Block]:
        """Decode from a frame on to the end, or to the first damage, which is logged as a warning."""
        ...


@contextmanager
def open_soundfile(file: BinaryIO, where: str) -> Iterator[Decoder]:
    """Open a recording that libsndfile can decode.

    Raises:
        AudioError: when it is none, naming the formats that can be read.
    """
    missing, tells_length = missing_bytes(file), _tells_length(file)
    try:
        opened = _ForwardSoundFile(file)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a name in .raw, thus no header
        reason = getattr(error, "error_string", "no header").rstrip(".")
        raise AudioError(
            f"not a recording that can be read ({reason})",
            where=where,
            remedy="Give a whole WAV, FLAC, OGG, Opus or MP3 file, or m4a, webm or mp4",
        ) from error
    with opened:
        yield _SoundFileDecoder(opened, where, missing, tells_length=tells_length)


def missing_bytes(file: BinaryIO) -> int:
    """Count the bytes that a WAV file, or the last page of an OGG file, promises and lacks.

    Args:
        file: seekable, at its start, where it is left.

    Returns:
        The number; 0 for other formats.
    """
    head = file.read(12)
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _MAX_PAGE_BYTES) if head[:4] == _PAGE else size)
    end = file.read()
    file.seek(0)
    if end:
        return _missing_of_page(end[max(0, end.rfind(_PAGE)) :])
    promised = 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE" or promised >= UNKNOWN_BYTES:
        return 0
    return promised - size if promised - size > _RIFF_SLACK_BYTES else 0


def _missing_of_page(page: bytes) -> int:
    """Count the bytes that the last page of an OGG file lacks: RFC 3533, section 6."""
    header = _PAGE_HEADER_BYTES + (page[_PAGE_HEADER_BYTES - 1] if len(page) >= _PAGE_HEADER_BYTES else 0)
    return max(0, header + sum(page[_PAGE_HEADER_BYTES:header]) - len(page))


def _tells_length(file: BinaryIO) -> bool:
    """Tell whether an MP3 file, open at its start, where it is left, says how many frames it has.

    Without a header of Xing's in its first frame its length is estimated from its size.
    """
    head = file.read(10)
    tag = 0
    if head[:3] == b"ID3":  # seven bits of each byte
        tag = 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
    file.seek(tag)
    first = file.read(_FIRST_FRAME_BYTES)
    file.seek(0)
    return b"Xing" in first or b"Info" in first


class _ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that soundfile takes for a stream: else it seeks after each read, which fails at some ends."""

    def seekable(self) -> bool:
        return False


class _SoundFileDecoder:
    def __init__(self, file: soundfile.SoundFile, where: str, missing: int, *, tells_length: bool) -> None:
        self._file, self._where, self._missing = file, where, missing
        self._tells_length = tells_length and file.format in ("MP3", "MPEG")
        self.damage = ""
        self.info = AudioInfo(self._num_frames() / file.samplerate, file.samplerate, file.channels)

    def blocks(self, start_frame: int) -> Iterator[Block]:
        position, reason = start_frame, ""
        # libsndfile gives nothing of a block in which it meets damage: go back for its sound part in steps.
        for num_frames in (max(1, BLOCK_VALUES // self._file.channels), _SALVAGE_FRAMES):
            try:
                for block in self._read(position, num_frames):
                    position += len(block)
                    yield block
                # Neither is logged: libsndfile reads what is there as if it were all.
                if self._missing:
                    self.damage = f"{self._missing} bytes are missing at the end"
                elif (missing_s := self._missing_s(position)) > _MP3_SLACK_S:
                    self.damage = f"{missing_s:.2f} s are missing at the end"
                return
            except soundfile.LibsndfileError as error:
                reason = error.error_string.rstrip(".")
        self.damage = f"damaged after {position / self._file.samplerate:.2f} s: {reason}"
        _log.warning("%s: %s", self._where, self.damage)

    def _read(self, start_frame: int, num_frames: int) -> Iterator[Block]:
        self._file.seek(min(start_frame, self._file.frames))
        while len(block := self._file.read(num_frames, dtype="float32", always_2d=True)):
            yield block

    def _missing_s(self, position: int) -> float:
        """Say how much sooner an MP3 file ended than its first frame says."""
        return (self._file.frames - position) / self._file.samplerate if self._tells_length else 0.0

    def _num_frames(self) -> int:
        """Take the header's count, or decode and count (to the limit of reading) where it gives none."""
        if self._file.frames < _UNKNOWN_FRAMES:
            return int(self._file.frames)
        count = 0
        for block in self.blocks(0):
            count += len(block)
            if count > MAX_DURATION_S * self._file.samplerate:
                break
        return count
