"""What reading asks of a decoder, and the decoder of libsndfile: WAV, FLAC, OGG, Opus, MP3 and kin."""

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

_SALVAGE_FRAMES = 256
_UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's count for a FLAC that was written to a pipe

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of a recording says.

    Attributes:
        duration_s: length in seconds; a damaged recording may hold less.
        sample_rate_hz: samples of one channel in a second.
        channels: number of channels.
    """

    duration_s: float
    sample_rate_hz: int
    channels: int


class Decoder(Protocol):
    """A recording that is open and not yet decoded."""

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
        yield _SoundFileDecoder(opened, where)


class _ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile has no types
    """A file that soundfile takes for a stream: else it seeks after each read, which fails at some ends."""

    def seekable(self) -> bool:
        return False


class _SoundFileDecoder:
    def __init__(self, file: soundfile.SoundFile, where: str) -> None:
        self._file, self._where = file, where
        self.info = AudioInfo(self._num_frames() / file.samplerate, file.samplerate, file.channels)

    def blocks(self, start_frame: int) -> Iterator[Block]:
        position, reason = start_frame, ""
        # libsndfile gives nothing of a block in which it meets damage: go back for its sound part in steps.
        for num_frames in (max(1, BLOCK_VALUES // self._file.channels), _SALVAGE_FRAMES):
            try:
                for block in self._read(position, num_frames):
                    position += len(block)
                    yield block
                return
            except soundfile.LibsndfileError as error:
                reason = error.error_string
        _log.warning("%s: damaged after %.2f s: %s", self._where, position / self._file.samplerate, reason)

    def _read(self, start_frame: int, num_frames: int) -> Iterator[Block]:
        self._file.seek(min(start_frame, self._file.frames))
        while len(block := self._file.read(num_frames, dtype="float32", always_2d=True)):
            yield block

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
