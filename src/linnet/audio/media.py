"""Containers that libsndfile does not know (m4a, mp4, webm, wma, …), read through PyAV: extra `media`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from linnet.audio.decoder import AudioInfo, Block, Decoder
from linnet.core.errors import AudioError
from linnet.core.optional import require

_log = logging.getLogger(__name__)

# (offset, magic bytes, FFmpeg's name of the container). Naming the container keeps FFmpeg from guessing:
# among its guesses are playlists, which would make it open other files and addresses.
_CONTAINERS = (
    (4, b"ftyp", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (8, b"AVI ", "avi"),
    (0, b"FLV\x01", "flv"),
    (0, b"#!AMR", "amr"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
)


def media_format(head: bytes) -> str | None:
    """Name the container that begins with `head` (12 bytes or more), None where it is none of these."""
    return next((name for at, magic, name in _CONTAINERS if head.startswith(magic, at)), None)


@contextmanager
def open_media(file: BinaryIO, container: str, where: str) -> Iterator[Decoder]:
    """Open a container for the decoding of its first audio stream.

    Args:
        file: seekable, at its start.
        container: the name that `media_format` gave.
        where: the name of the recording, for messages.

    Raises:
        AudioError: when it cannot be opened or holds no audio stream.
        MissingDependencyError: when PyAV is not installed.
    """
    av = require("av", extra="media", purpose=f"reading {where} (an {container} container)")
    try:
        with av.open(file, mode="r", format=container, metadata_errors="ignore") as opened:
            yield _MediaDecoder(av, opened, where)
    except av.FFmpegError as error:
        raise AudioError(
            f"the {container} container cannot be read ({error.strerror})",
            where=where,
            remedy="Convert it to WAV or FLAC",
        ) from error


class _MediaDecoder:
    def __init__(self, av: Any, container: Any, where: str) -> None:
        self._av, self._container, self._where = av, container, where
        self.damage = ""
        if not container.streams.audio or not container.streams.audio[0].rate:
            raise AudioError(
                f"the {container.format.name} container holds no sound",
                where=where,
                remedy="Give a file with a sound track",
            )
        self._stream = container.streams.audio[0]
        self.info = AudioInfo(self._duration_s(), self._stream.rate, self._stream.channels)

    def blocks(self, start_frame: int) -> Iterator[Block]:
        # Decoding all that comes before is slow and exact; containers seek to a packet, not to a sample.
        position, converter = 0, self._av.AudioResampler(format="flt", rate=self._stream.rate)
        try:
            for decoded in self._container.decode(self._stream):
                for frame in converter.resample(decoded):
                    block: Block = frame.to_ndarray().reshape(frame.samples, -1)  # (1, n * C) → (n, C)
                    skipped = min(max(start_frame - position, 0), len(block))
                    position += len(block)
                    yield block[skipped:]
        except self._av.FFmpegError as error:
            self.damage = f"damaged after {position / self._stream.rate:.2f} s: {error}"
            _log.warning("%s: %s", self._where, self.damage)

    def _duration_s(self) -> float:
        """Take the header's duration, or that of the packets where a live recorder wrote none."""
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration:
            return float(self._container.duration / self._av.time_base)
        packets = self._container.demux(self._stream)
        ends = [packet.pts + (packet.duration or 0) for packet in packets if packet.pts is not None]
        self._container.seek(0)
        return float(max(ends, default=0) * self._stream.time_base)
