"""What reading asks of a decoder, and the decoder of libsndfile: WAV, FLAC, OGG, Opus, MP3 and kin."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from linnet.core.errors import AudioError

BLOCK_VALUES = 1 << 20  # samples of all channels decoded at a time: 4 MB

Block = NDArray[np.float32]  # (n, C): n samples of C channels at the recording's own rate

_SALVAGE_FRAMES = 256

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
        opened = soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a name in .raw, thus no header
        reason = getattr(error, "error_string", "no header").rstrip(".")
        raise AudioError(
            f"not a recording that can be read ({reason})",
            where=where,
            remedy="Give a whole WAV, FLAC, OGG, Opus or MP3 file, or m4a, webm or mp4",
        ) from error
    with opened:
        yield _SoundFileDecoder(opened, where)


class _SoundFileDecoder:
    def __init__(self, file: soundfile.SoundFile, where: str) -> None:
        self._file, self._where = file, where
        self.info = AudioInfo(file.frames / file.samplerate, file.samplerate, file.channels)

    def blocks(self, start_frame: int) -> Iterator[Block]:
        num_frames, position = max(1, BLOCK_VALUES // self.info.channels), start_frame
        try:
            for block in self._read(position, num_frames):
                position += len(block)
                yield block
        except soundfile.LibsndfileError as error:
            _log.warning(
                "%s: damaged, read to %.1f s (%s)", self._where, position / self.info.sample_rate_hz, error
            )
            # libsndfile gives nothing of the block in which it met the damage: go back for the sound part.
            with suppress(soundfile.LibsndfileError):
                yield from self._read(position, _SALVAGE_FRAMES)

    def _read(self, start_frame: int, num_frames: int) -> Iterator[Block]:
        self._file.seek(min(start_frame, self._file.frames))
        while len(block := self._file.read(num_frames, dtype="float32", always_2d=True)):
            yield block
