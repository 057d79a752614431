"""Reading any recording as 16 kHz mono float32: files, URLs, bytes, file objects and arrays."""

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import numpy as np
from numpy.typing import NDArray

from linnet.audio.archive import as_member
from linnet.audio.decoder import BLOCK_VALUES, MAX_DURATION_S, AudioInfo, Block, Decoder, open_soundfile
from linnet.audio.media import media_format, open_media
from linnet.audio.resample import resample_blocks
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError
from linnet.core.remote import BLOCK_BYTES, as_url, open_url

AudioSource = str | os.PathLike[str] | bytes | BinaryIO | NDArray[Any]

# Names under which recordings are looked for in a folder; reading goes by the content, whatever the name.
AUDIO_SUFFIXES = frozenset(
    {
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf"),
        *(".m4a", ".mp4", ".webm", ".mkv", ".mka", ".mov", ".wma", ".aac", ".amr", ".3gp", ".flv", ".avi"),
    }
)

MAX_CHANNELS = 64
HEADER_BLOCK_BYTES = 1 << 16  # of a remote recording whose header alone is wanted
MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000

_SCALED_TYPES = ("int8", "uint8", "int16", "int32")


def read_audio(
    source: AudioSource,
    *,
    sample_rate_hz: int = 16_000,
    source_rate_hz: int | None = None,
    offset_s: float = 0.0,
    duration_s: float | None = None,
) -> Samples:
    """Read a recording, mix its channels to their mean and resample it (soxr, HQ).

    Silence is sound: it gives zeros. A recording that was cut short gives the part that can be decoded, with
    a logged warning where the decoder saw the cut. Floats outside [-1, 1] are kept. Little more memory is
    used than the result takes.

    Args:
        source: a path; a URL (s3://, gs://, http://, https://); the bytes of a file; a binary file object,
            read from its start; or an array (N,) or (N, C) of floats, or of int8, uint8, int16 or int32,
            which are scaled by their full scale.
        sample_rate_hz: the rate wanted.
        source_rate_hz: the rate of an array (default: `sample_rate_hz`); files know their own.
        offset_s: where to start, in seconds.
        duration_s: how much to read at most, in seconds (default: all).

    Returns:
        (N,) mono float32. Empty only for an array without samples (after `offset_s`).

    Raises:
        AudioError: when the source is no recording, holds no samples (after `offset_s`), a NaN or an
            infinity, or lasts longer than MAX_DURATION_S.
        MissingDependencyError: when the format needs the extra `media`, or a URL the extra `remote`, and
            that is not installed.
    """
    with stream_audio(
        source,
        sample_rate_hz=sample_rate_hz,
        source_rate_hz=source_rate_hz,
        offset_s=offset_s,
        duration_s=duration_s,
    ) as stream:
        if stream.duration_s > MAX_DURATION_S:
            raise _too_long(source_name(source))
        samples = _gathered(stream.blocks, round(MAX_DURATION_S * sample_rate_hz), source_name(source))
    if not len(samples) and not isinstance(source, np.ndarray):
        raise no_samples(source_name(source), offset_s)
    return samples


@dataclass(frozen=True, slots=True)
class AudioStream:
    """A recording that is read block by block.

    Attributes:
        blocks: (n,) mono float32 each, to be taken once.
        duration_s: seconds that are to come, as the header has it; NaN where it does not tell.
    """

    blocks: Iterator[Samples]
    duration_s: float
    _decoder: Decoder | None = None

    @property
    def damage(self) -> str:
        """Why the blocks, once they are all taken, ended before the end of the recording; otherwise ""."""
        return self._decoder.damage if self._decoder else ""


@contextmanager
def stream_audio(
    source: AudioSource,
    *,
    sample_rate_hz: int = 16_000,
    source_rate_hz: int | None = None,
    offset_s: float = 0.0,
    duration_s: float | None = None,
) -> Iterator[AudioStream]:
    """Read a recording of any length as `read_audio` does, holding one block of it at a time.

    WAV that comes through a pipe is read as it comes. Other formats need to seek, and are first copied from
    the pipe to a temporary file.

    Raises:
        AudioError: when the source is no recording; from the blocks, when it holds a NaN or an infinity.
        MissingDependencyError: when the format needs the extra `media`, or a URL the extra `remote`, and
            that is not installed.
    """
    _check_span(offset_s, duration_s)
    if isinstance(source, np.ndarray):
        rate_hz = sample_rate_hz if source_rate_hz is None else source_rate_hz
        start = round(offset_s * rate_hz)
        mono = _mono(_array_blocks(source, start), rate_hz, start, duration_s, "array")
        total_s = len(source) / max(rate_hz, 1)
        yield AudioStream(
            _resampled(mono, rate_hz, sample_rate_hz, "array"), _stretch_s(total_s, offset_s, duration_s)
        )
        return
    if source_rate_hz is not None:
        raise AudioError("source_rate_hz is for arrays", remedy="Leave it out: a file knows its own rate")
    where = source_name(source)
    with _opened(source, where) as decoder:
        rate_hz = decoder.info.sample_rate_hz
        start = round(offset_s * rate_hz)
        mono = _mono(decoder.blocks(start), rate_hz, start, duration_s, where)
        expected_s = _stretch_s(decoder.info.duration_s, offset_s, duration_s)
        yield AudioStream(_resampled(mono, rate_hz, sample_rate_hz, where), expected_s, decoder)


def decoded_samples(decoder: Decoder, sample_rate_hz: int, where: str) -> Iterator[Samples]:
    """Give all that a decoder has, as `read_audio` does: mono float32 at the rate wanted, values checked."""
    rate_hz = decoder.info.sample_rate_hz
    return _resampled(_mono(decoder.blocks(0), rate_hz, 0, None, where), rate_hz, sample_rate_hz, where)


def audio_info(source: str | os.PathLike[str] | bytes) -> AudioInfo:
    """Read the header of a recording.

    From an object store (s3, gs) only the blocks are fetched in which the decoder looks for it: for most
    formats the first and the last. From a web server, which need not serve parts, the whole file comes.

    Args:
        source: a path, a URL, or the bytes of a file.

    Raises:
        AudioError: when the file is no recording.
        MissingDependencyError: when the format needs the extra `media`, or a URL the extra `remote`, and
            that is not installed.
    """
    with _opened(source, source_name(source), HEADER_BLOCK_BYTES) as decoder:
        return decoder.info


@contextmanager
def open_audio(path: str | os.PathLike[str]) -> Iterator[Decoder]:
    """Open a recording to decode it as it is: its own rate and channels, its values not checked.

    Raises:
        AudioError: when the file is no recording.
        MissingDependencyError: when the format needs the extra `media` and that is not installed.
    """
    with _opened(path, source_name(path)) as decoder:
        yield decoder


def source_name(source: object) -> str:
    """Name a source for messages."""
    if isinstance(source, bytes):
        return f"{len(source)} bytes"
    if isinstance(source, str | os.PathLike):
        return as_url(source) or os.fspath(source)
    return str(getattr(source, "name", type(source).__name__))


@contextmanager
def _opened(
    source: str | os.PathLike[str] | bytes | BinaryIO, where: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Decoder]:
    """Open a recording with the decoder that its first bytes ask for."""
    with _local_or_remote(source, block_bytes) as found:
        if not _is_pipe(found):
            with _binary_file(found, where) as file, _decoder(file, where) as decoder:
                yield decoder
            return
        from linnet.audio.pipe import PcmPipe, open_pipe  # only here: most recordings are files

        with open_pipe(found, where) as piped:
            if isinstance(piped, PcmPipe):
                yield piped
            else:
                with _decoder(piped, where) as decoder:
                    yield decoder


def _decoder(file: BinaryIO, where: str) -> AbstractContextManager[Decoder]:
    """Open a file, which can seek and stands at its start."""
    head = file.read(16)
    if not head:
        raise AudioError("the file is empty", where=where, remedy="Copy or record it again")
    file.seek(0)
    container = media_format(head)
    return open_media(file, container, where) if container else open_soundfile(file, where)


@contextmanager
def _local_or_remote(
    source: str | os.PathLike[str] | bytes | BinaryIO, block_bytes: int
) -> Iterator[str | os.PathLike[str] | bytes | BinaryIO]:
    """Give the open file for a URL, and any other source as it is."""
    if not isinstance(source, str | os.PathLike):
        yield source
        return
    if as_member(source):
        raise AudioError(
            "the recording lies in a tar archive, which is read by training with data.cache alone",
            where=os.fspath(source),
            remedy="Unpack the data set: linnet prepare nemo FOLDER --output NEW",
        )
    url = as_url(source)
    if url is None:
        yield source
    else:
        with open_url(url, AudioError, block_bytes=block_bytes) as file:
            yield file


@contextmanager
def _binary_file(source: str | os.PathLike[str] | bytes | BinaryIO, where: str) -> Iterator[BinaryIO]:
    """Give any source but an array as a binary file that can seek, at its start."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        with _file(Path(source), where) as file:
            yield file
    elif not hasattr(source, "read") or isinstance(source, io.TextIOBase):
        raise AudioError(
            f"cannot read audio from a {type(source).__name__}",
            remedy="Give a path, bytes, a file opened in binary mode, or a numpy array",
        )
    else:
        source.seek(0)
        yield source


def _is_pipe(source: str | os.PathLike[str] | bytes | BinaryIO) -> TypeGuard[BinaryIO]:
    """Tell whether a source is a binary file that cannot seek."""
    return isinstance(source, io.IOBase) and not isinstance(source, io.TextIOBase) and not source.seekable()


def _file(path: Path, where: str) -> BinaryIO:
    try:
        if path.is_file() or not path.exists():
            return path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise AudioError(
            f"the file cannot be opened ({reason})",
            where=where,
            remedy="Check the path, and whether you may read it",
        ) from error
    # A pipe or a device could block, or never end.
    raise AudioError("not a regular file", where=where, remedy="Give the recording itself")


def _array_blocks(array: NDArray[Any], start_frame: int) -> Iterator[Block]:
    """Yield the samples of an array (N,) or (N, C) as floats, integers scaled by their full scale."""
    if array.ndim not in (1, 2):
        raise AudioError(f"the array has the shape {array.shape}", remedy="Give (N,) or (N, channels)")
    if array.dtype.kind != "f" and array.dtype.name not in _SCALED_TYPES:
        raise AudioError(
            f"the array is of type {array.dtype}, which has no agreed full scale",
            remedy=f"Convert it to float32 in [-1, 1] or to one of {', '.join(_SCALED_TYPES)}",
        )
    channels = array.reshape(len(array), -1) if array.size else array.reshape(0, 1)
    num_frames = max(1, BLOCK_VALUES // channels.shape[1])
    for start in range(start_frame, len(channels), num_frames):
        block = channels[start : start + num_frames].astype(np.float32)
        if array.dtype.kind == "u":
            block -= 128
        yield block if array.dtype.kind == "f" else block / 2 ** (8 * array.itemsize - 1)


def _mono(
    blocks: Iterable[Block], rate_hz: int, start_frame: int, duration_s: float | None, where: str
) -> Iterator[Samples]:
    """Mix the channels of blocks, check their values and end after `duration_s`."""
    position = start_frame
    end = None if duration_s is None else start_frame + round(duration_s * rate_hz)
    for block in blocks:
        if block.shape[1] > MAX_CHANNELS:
            raise AudioError(
                f"{block.shape[1]} channels, more than {MAX_CHANNELS}",
                where=where,
                remedy="An array is (samples, channels): transpose it if it is (channels, samples)",
            )
        wanted = block if end is None else block[: end - position]
        with np.errstate(over="ignore", invalid="ignore"):  # said better by the check
            mono = wanted[:, 0] if block.shape[1] == 1 else wanted.mean(axis=1)
            _check_finite(mono, position, rate_hz, where)
        position += len(mono)
        yield mono
        if position == end:
            return


def _resampled(blocks: Iterator[Samples], from_hz: int, to_hz: int, where: str) -> Iterator[Samples]:
    for rate_hz in (from_hz, to_hz):
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise AudioError(
                f"a sample rate of {rate_hz} Hz",
                where=where,
                remedy=f"Rates are {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz",
            )
    return resample_blocks(blocks, from_hz, to_hz)


def _gathered(blocks: Iterable[Samples], max_samples: int, where: str) -> Samples:
    """Join blocks in one array that grows in place, so that no second copy of a long recording exists."""
    samples, count = np.empty(0, np.float32), 0
    for block in blocks:
        needed = count + len(block)
        if needed > max_samples:
            raise _too_long(where)
        if needed > len(samples):
            samples.resize(max(needed, count + count // 8), refcheck=False)
        samples[count:needed] = block
        count = needed
    samples.resize(count, refcheck=False)
    return samples


def no_samples(where: str, offset_s: float = 0.0) -> AudioError:
    """Say that a recording is empty."""
    return AudioError("there are no samples" + (f" after {offset_s} s" if offset_s else ""), where=where)


def _check_span(offset_s: float, duration_s: float | None) -> None:
    if not 0 <= offset_s < float("inf"):
        raise AudioError(f"the offset is {offset_s} s", remedy="Give 0 or more seconds")
    if duration_s is not None and not 0 < duration_s <= MAX_DURATION_S:
        raise AudioError(
            f"the duration is {duration_s} s", remedy=f"Give more than 0 and at most {MAX_DURATION_S:.0f} s"
        )


def _stretch_s(total_s: float, offset_s: float, duration_s: float | None) -> float:
    """Say how long the stretch of a recording is that was asked for."""
    left_s = total_s - offset_s
    return left_s if duration_s is None else min(left_s, duration_s)


def _check_finite(samples: Samples, position: int, rate_hz: int, where: str) -> None:
    if np.isfinite(samples.sum()):  # one pass without a temporary; a sum can also overflow, so look closer
        return
    bad = np.flatnonzero(~np.isfinite(samples))
    if len(bad):
        sample = position + int(bad[0])
        raise AudioError(
            f"sample {sample} (at {sample / rate_hz:.3f} s) is {samples[bad[0]]}",
            where=where,
            remedy="Write the recording again without NaN and infinity",
        )


def _too_long(where: str) -> AudioError:
    return AudioError(
        f"the recording is longer than {MAX_DURATION_S / 3600:g} hours",
        where=where,
        remedy="Read it in parts with offset_s and duration_s",
    )
