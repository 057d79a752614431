"""Noise cut into pieces and impulse responses of rooms checked: manifests of what speech is mixed with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnet.audio.read import AUDIO_SUFFIXES, audio_info, read_audio
from linnet.audio.room_acoustics import direct_to_reverberant_db, reverberation_time_s
from linnet.core.arrays import Samples
from linnet.core.errors import AudioError, ManifestError, MissingDependencyError
from linnet.corpora.report import check_free
from linnet.manifest.jsonl import write_manifest
from linnet.manifest.utterance import Utterance

SAMPLE_RATE_HZ = 16_000
PIECE_S = 10.0
MIN_PIECE_S = 1.0  # a shorter rest of a recording is left out
SILENCE_DB = -80.0  # below full scale; as noise, this would only be amplified
MAX_RESPONSE_S = 30.0  # longer than any room rings
MAX_DECAYS = 2.0  # reverberation time over duration; a decay cut off earlier than this still measures less

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class SoundReport:
    """A manifest that was written.

    Attributes:
        manifest: its path.
        sounds: its lines; those of impulse responses say `rt60_s`, `direct_db` and `channels` in `extra`.
        num_recordings: how many recordings they come from.
        skipped: what was left out and why, a line each.
    """

    manifest: Path
    sounds: tuple[Utterance, ...]
    num_recordings: int
    skipped: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """How long all lines last together."""
        return sum(sound.duration_s for sound in self.sounds)


def prepare_noise(
    source: Path, output: Path, *, piece_s: float = PIECE_S, force: bool = False, progress: Progress
) -> SoundReport:
    """Write `noise.jsonl`: every recording below a folder in pieces, by offset and duration.

    Nothing is copied. Silent pieces are left out, and so is a rest of less than a second.

    Args:
        source: a folder, searched with its subfolders.
        output: the directory for the manifest.
        piece_s: how long a piece is at most, from one second on.
        force: replace a manifest that exists.
        progress: called with the fraction done.

    Raises:
        ManifestError: when there is no such folder or nothing to use in it, or the manifest exists and
            `force` is not given.
    """
    assert piece_s >= MIN_PIECE_S
    return _prepare("noise", source, output, lambda path: _pieces(path, piece_s), force, progress)


def prepare_responses(source: Path, output: Path, *, force: bool = False, progress: Progress) -> SoundReport:
    """Write `rir.jsonl`: every impulse response below a folder, with what it tells about its room.

    Args:
        source: a folder, searched with its subfolders.
        output: the directory for the manifest.
        force: replace a manifest that exists.
        progress: called with the fraction done.

    Raises:
        ManifestError: when there is no such folder or no impulse response in it, or the manifest exists and
            `force` is not given.
    """
    return _prepare("rir", source, output, _response, force, progress)


def _prepare(
    part: str,
    source: Path,
    output: Path,
    check: Callable[[Path], Iterator[Utterance | str]],
    force: bool,
    progress: Progress,
) -> SoundReport:
    check_free(output, (part,), force=force)
    if not source.is_dir():
        raise ManifestError("there is no such folder", where=str(source), remedy="Check the path")
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    sounds: list[Utterance] = []
    skipped: list[str] = []
    for number, path in enumerate(paths, start=1):
        try:
            for item in check(path):
                if isinstance(item, str):
                    skipped.append(f"{path}: {item}")
                else:
                    sounds.append(item)
        except (AudioError, MissingDependencyError) as error:
            skipped.append(str(error) if str(path) in str(error) else f"{path}: {error}")
        progress(number / len(paths))
    if not sounds:
        found = f"{len(paths)} recordings, none of which can be used" if paths else "no recordings"
        first = f"The first: {skipped[0]}" if skipped else f"Looked for {', '.join(sorted(AUDIO_SUFFIXES))}"
        raise ManifestError(f"there are {found}", where=str(source), remedy=first)
    manifest = output / f"{part}.jsonl"
    write_manifest(manifest, sounds)
    return SoundReport(manifest, tuple(sounds), len({sound.audio for sound in sounds}), tuple(skipped))


def _pieces(path: Path, piece_s: float) -> Iterator[Utterance | str]:
    """Yield the pieces of a recording, and a reason for each that is left out."""
    duration_s = audio_info(path).duration_s
    for number in range(max(int(np.ceil(duration_s / piece_s)), 1)):
        offset_s = number * piece_s
        length_s = min(piece_s, duration_s - offset_s)
        if number and length_s < MIN_PIECE_S:
            return
        samples = read_audio(path, sample_rate_hz=SAMPLE_RATE_HZ, offset_s=offset_s, duration_s=length_s)
        if _level_db(samples) < SILENCE_DB:
            yield f"silent from {offset_s:g} s on for {length_s:g} s"
        else:
            heard_s = round(len(samples) / SAMPLE_RATE_HZ, 4)
            yield Utterance(str(path), heard_s, None, offset_s=offset_s)


def _response(path: Path) -> Iterator[Utterance | str]:
    """Yield an impulse response, or the reason why it is none."""
    info = audio_info(path)
    if info.duration_s > MAX_RESPONSE_S:
        yield f"lasts {info.duration_s:.1f} s, longer than a room rings"
        return
    samples = read_audio(path, sample_rate_hz=SAMPLE_RATE_HZ)
    from_peak = samples[np.abs(samples).argmax() :]
    rt60_s = reverberation_time_s(from_peak, SAMPLE_RATE_HZ)
    if rt60_s is None:
        yield "is silent, or does not fall by 25 dB after its peak: no impulse response of a room"
        return
    if rt60_s > MAX_DECAYS * info.duration_s or _ends_in_noise(from_peak):
        yield "ends in noise that does not fall: cut it where the decay meets the noise"
        return
    extra = {
        "rt60_s": round(rt60_s, 3),
        "direct_db": round(direct_to_reverberant_db(samples, SAMPLE_RATE_HZ), 1),
        "channels": info.channels,
    }
    yield Utterance(str(path), round(info.duration_s, 4), None, extra=extra)


def _ends_in_noise(response: Samples) -> bool:
    """Whether the later half holds a thousandth of the energy, and falls by less than 6 dB in itself."""
    *_, third, last = (float(np.sum(part.astype(np.float64) ** 2)) for part in np.array_split(response, 4))
    return third + last > 1e-3 * float(np.sum(response.astype(np.float64) ** 2)) and last > third / 4


def _level_db(samples: Samples) -> float:
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return float(10.0 * np.log10(max(mean_square, 1e-30)))
