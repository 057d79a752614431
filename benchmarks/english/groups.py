"""Groups of speakers: by what the manifest says of them, and by how high they speak."""

from collections.abc import Mapping, Sequence

import numpy as np

from linnet.core.arrays import Samples
from linnet.manifest.utterance import Utterance

FIELDS = ("age", "gender", "accent")  # of a manifest, where it has them
FRAME_SAMPLES, HOP_SAMPLES = 1024, 512
LOWEST_HZ, HIGHEST_HZ, RATE_HZ = 70, 450, 16_000
# Men speak around 120 Hz, women around 210, children under ten around 265 (Titze, "Principles of voice
# production", 1994).
PITCHES = ((165.0, "low voice"), (235.0, "middle voice"), (np.inf, "high voice"))


def groups_of(utterance: Utterance, pitches_hz: Mapping[str, float]) -> list[str]:
    """Name the groups that the speaker of an utterance belongs to."""
    found = [f"{field} {utterance.extra[field]}" for field in FIELDS if field in utterance.extra]
    pitch_hz = pitches_hz.get(utterance.speaker, np.nan)
    found += [name for limit_hz, name in PITCHES if pitch_hz < limit_hz][:1]
    return found


def speaker_pitches(utterances: Sequence[Utterance], waveforms: Sequence[Samples]) -> dict[str, float]:
    """Estimate the pitch of each speaker in Hz: the median of their utterances'."""
    by_speaker: dict[str, list[float]] = {}
    for utterance, samples in zip(utterances, waveforms, strict=True):
        by_speaker.setdefault(utterance.speaker, []).append(pitch(samples))
    return {speaker: float(np.nanmedian([*found, np.nan])) for speaker, found in by_speaker.items()}


def pitch(samples: Samples) -> float:
    """Estimate the pitch of an utterance (N,) in Hz, by autocorrelation of its loudest frames."""
    if len(samples) < FRAME_SAMPLES:
        return float("nan")
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::HOP_SAMPLES]
    loud = frames[np.argsort((frames**2).sum(axis=1))[-max(1, len(frames) // 3) :]] * np.hanning(
        FRAME_SAMPLES
    )
    spectrum = np.abs(np.fft.rfft(loud, 2 * FRAME_SAMPLES)) ** 2
    correlation = np.fft.irfft(spectrum)[:, :FRAME_SAMPLES]
    window = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(FRAME_SAMPLES), 2 * FRAME_SAMPLES)) ** 2)[
        :FRAME_SAMPLES
    ]
    shortest, longest = RATE_HZ // HIGHEST_HZ, RATE_HZ // LOWEST_HZ
    # Divided by the window's own, as Boersma (1993) does: longer periods are at no disadvantage then.
    likeness = (correlation / correlation[:, :1] / (window / window[0]))[:, shortest:longest]
    best = likeness.argmax(axis=1)
    voiced = likeness.max(axis=1) > 0.5
    return float(np.median(RATE_HZ / (best[voiced] + shortest))) if voiced.any() else float("nan")
