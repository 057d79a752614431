"""Training audio decoded once, kept on disk as 16-bit samples, and mapped into the memory of every process.

A cache is a folder with two files for each manifest: NAME.pcm, the samples of its utterances one after the
other (16 bits, little-endian), and NAME.npy, where each begins and ends. The name holds a digest of what was
decoded, so a changed recording or manifest is decoded anew, and no file is ever changed.

Recordings in tar archives are read through the cache alone. Archives can only be read fast from front to
back, and batches want utterances of one length from anywhere. A buffer between the two would shuffle a little
only, and would have to be filled again to resume exactly. Here each archive is read once, in order, and what
follows is the same as for files: any order, exact resume. The price is the disk that the cache takes.
"""

import hashlib
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from linnet.audio.archive import Member, as_member, read_members, shared_name
from linnet.audio.read import read_audio
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError
from linnet.core.files import replacing
from linnet.data.config import SourceConfig
from linnet.data.examples import Example

logger = logging.getLogger(__name__)
FORMAT = 2
FULL_SCALE = 32768.0
REPORT_EVERY_S = 10.0
NAMED_PROBLEMS = 5

Pcm = NDArray[np.int16]


class Stretch(NamedTuple):
    """The part of a recording that an utterance is."""

    audio: str
    offset_s: float
    duration_s: float


def stretch_of(example: Example) -> Stretch:
    """Return where the sound of an example lies."""
    utterance = example.utterance
    return Stretch(utterance.audio, utterance.offset_s, utterance.duration_s)


def read_stretch(stretch: Stretch, sample_rate_hz: int, content: bytes | None = None) -> Samples:
    """Return (N,) samples at the rate asked for.

    Args:
        stretch: what to read.
        sample_rate_hz: of the samples.
        content: the bytes of the recording, for one that lies in an archive.

    Raises:
        AudioError: when the recording cannot be read, or has no samples there.
    """
    if content is None and as_member(stretch.audio):
        raise AudioError(
            "could not be read from its archive when the cache was filled",
            where=stretch.audio,
            remedy="The log of that run says why; leave it out of the manifest, or mend the archive",
        )
    samples = read_audio(
        stretch.audio if content is None else content,
        sample_rate_hz=sample_rate_hz,
        offset_s=stretch.offset_s,
        duration_s=stretch.duration_s,
    )
    if len(samples) == 0:
        raise AudioError("has no samples", where=stretch.audio, remedy="Leave it out of the manifest")
    return samples


class AudioCache:
    """The samples of every example, by its index. Processes that it is sent to map the files themselves.

    Args:
        paths: the .pcm files.
        places: (examples, 3): the number of the file, the first sample in it and the end.
    """

    def __init__(self, paths: Sequence[Path], places: NDArray[np.int64]) -> None:
        self.paths, self.places = paths, places
        self._files: dict[int, Pcm] = {}

    def __getitem__(self, index: int) -> Samples | None:
        """Return (N,) float32 that the caller may change; None for what could not be decoded."""
        file, start, end = self.places[index].tolist()
        if start == end:
            return None
        if file not in self._files:
            self._files[file] = np.memmap(self.paths[file], dtype="<i2", mode="r")
        return self._files[file][start:end].astype(np.float32) / np.float32(FULL_SCALE)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": {}}


def open_cache(
    examples: Sequence[Example],
    sources: Sequence[SourceConfig],
    directory: Path,
    sample_rate_hz: int,
    *,
    num_workers: int,
) -> AudioCache:
    """Open the cache in `directory`, decoding first what it lacks.

    Args:
        examples: what will be read.
        sources: what `Example.source` counts.
        directory: of the cache; made where it is missing.
        sample_rate_hz: of the samples.
        num_workers: processes that decode; 0 does it in this one.

    Raises:
        AudioError: when an archive cannot be opened, or its transfer broke off.
        OSError: when the cache cannot be written.
    """
    packs: dict[Path, dict[Stretch, int]] = {source.manifest: {} for source in sources}
    rows: list[tuple[Path, int]] = []
    for example in examples:
        manifest = sources[example.source].manifest
        rows.append((manifest, packs[manifest].setdefault(stretch_of(example), len(packs[manifest]))))
    paths, bounds = {}, {}
    for manifest, stretches in packs.items():
        paths[manifest] = directory / f"{manifest.stem}-{_digest(list(stretches), sample_rate_hz)}.pcm"
        found = _read_bounds(paths[manifest], len(stretches))
        if found is None:
            found = _decode_into(paths[manifest], list(stretches), sample_rate_hz, num_workers)
        bounds[manifest] = found
    numbers = {manifest: number for number, manifest in enumerate(packs)}
    places = [(numbers[manifest], *bounds[manifest][row]) for manifest, row in rows]
    return AudioCache(list(paths.values()), np.array(places, np.int64).reshape(-1, 3))


def _digest(stretches: Sequence[Stretch], sample_rate_hz: int) -> str:
    """Return 16 hexadecimal digits that change with the stretches and the files they lie in."""
    files = {stretch.audio: _age(stretch.audio) for stretch in stretches}
    content = [FORMAT, sample_rate_hz, [[*stretch, *files[stretch.audio]] for stretch in stretches]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _age(audio: str) -> tuple[int, int]:
    try:
        member = as_member(audio)
        status = Path(member.archive if member else audio).stat()
    except OSError:  # missing, which is named when it is read, or not on a disk
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _read_bounds(path: Path, count: int) -> NDArray[np.int64] | None:
    """Return (count, 2), first sample and end of each stretch, or None where they cannot be right."""
    try:
        with path.with_suffix(".npy").open("rb") as file:
            bounds: NDArray[np.int64] = np.lib.format.read_array(file, allow_pickle=False)
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError):
        bounds, size = np.zeros(0, np.int64), 0
    if bounds.dtype == np.int64 and bounds.shape == (count, 2):
        starts, ends = bounds.T
        if bool(((starts >= 0) & (starts <= ends)).all()) and size == 2 * ends.max(initial=0):
            return bounds
    logger.warning("%s: is damaged, and written anew", path)
    return None


def _decode_into(
    path: Path, stretches: Sequence[Stretch], sample_rate_hz: int, num_workers: int
) -> NDArray[np.int64]:
    logger.info("%s: decoding %d recordings, once", path, len(stretches))
    bounds, end = np.zeros((len(stretches), 2), np.int64), 0
    with replacing(path) as temporary, temporary.open("wb") as file:
        for row, samples in _decoded(stretches, sample_rate_hz, num_workers):
            file.write(samples.astype("<i2").tobytes())
            bounds[row] = end, end + samples.size
            end += samples.size
    with replacing(path.with_suffix(".npy")) as temporary:  # last: it says that the samples are whole
        np.save(temporary, bounds)
    return bounds


def _decoded(
    stretches: Sequence[Stretch], sample_rate_hz: int, num_workers: int
) -> Iterator[tuple[int, Pcm]]:
    """Decode each stretch to its row, in any order, and say every ten seconds how far that is."""
    loader = DataLoader(
        _Decoder(stretches, sample_rate_hz), batch_size=None, num_workers=num_workers, collate_fn=_as_it_is
    )
    reported_s = time.monotonic()
    for number, decoded in enumerate(loader, start=1):
        if isinstance(decoded, AudioError):
            raise decoded
        if time.monotonic() - reported_s > REPORT_EVERY_S:
            reported_s = time.monotonic()
            logger.info("decoded %d of %d recordings", number, len(stretches))
        yield decoded


class _Decoder(IterableDataset[tuple[int, Pcm] | AudioError]):
    """Decodes stretches to 16 bits, each archive in one process.

    What cannot be decoded has no samples or is not given, so that its batch names it. An archive that cannot
    be opened is given as an error, which passes between processes better than when it is raised.
    """

    def __init__(self, stretches: Sequence[Stretch], sample_rate_hz: int) -> None:
        self.stretches, self.sample_rate_hz = stretches, sample_rate_hz
        self.files: dict[str, list[int]] = {}
        for row, stretch in enumerate(stretches):
            member = as_member(stretch.audio)
            self.files.setdefault(member.archive if member else stretch.audio, []).append(row)

    def __iter__(self) -> Iterator[tuple[int, Pcm] | AudioError]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for file, rows in list(self.files.items())[first::step]:
            in_archive = as_member(self.stretches[rows[0]].audio)
            try:
                yield from self._from_archive(file, rows) if in_archive else map(self._from_file, rows)
            except AudioError as error:
                yield error

    def _from_file(self, row: int) -> tuple[int, Pcm]:
        try:
            return row, _as_pcm(read_stretch(self.stretches[row], self.sample_rate_hz))
        except AudioError:
            return row, np.zeros(0, np.int16)

    def _from_archive(self, archive: str, rows: Sequence[int]) -> Iterator[tuple[int, Pcm]]:
        """Decode the members that are wanted, in the order of the archive, and name those it has not."""
        exact, shared = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
        for row in rows:
            name = _member(self.stretches[row]).name
            exact[name].append(row)
            shared[shared_name(name)].append(row)
        problems = dict.fromkeys(rows, "the archive has no such file, or not all of it")
        read: set[int] = set()
        for name, content in read_members(archive, exact.keys() | shared.keys()):
            own = exact.pop(name, [])
            read.update(own)
            meant = [row for row in shared.pop(name, []) if row not in read]
            read.update(meant)
            for row in own + meant:
                try:
                    yield row, _as_pcm(read_stretch(self.stretches[row], self.sample_rate_hz, content))
                    problems.pop(row, None)
                except AudioError as error:
                    problems[row] = error.what
        for row, problem in list(problems.items())[:NAMED_PROBLEMS]:
            logger.warning("left out %s of %s: %s", _member(self.stretches[row]).name, archive, problem)
        if len(problems) > NAMED_PROBLEMS:
            logger.warning("left out %d more utterances of %s", len(problems) - NAMED_PROBLEMS, archive)


def _member(stretch: Stretch) -> Member:
    member = as_member(stretch.audio)
    assert member is not None, stretch
    return member


def _as_pcm(samples: Samples) -> Pcm:
    scaled: Samples = np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1)
    return scaled.astype(np.int16)


def _as_it_is(samples: Any) -> Any:
    """Keep torch from making a tensor of it."""
    return samples
