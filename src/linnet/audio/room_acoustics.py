"""What an impulse response tells about its room: reverberation time and direct-to-reverberant ratio."""

import numpy as np

from linnet.core.arrays import Samples

DIRECT_BEFORE_S, DIRECT_AFTER_S = 0.001, 0.0025  # what counts as direct, around the highest peak


def reverberation_time_s(
    response: Samples, sample_rate_hz: int, *, from_db: float = -5.0, to_db: float = -25.0
) -> float | None:
    """Return the time in which the sound falls by 60 dB, extrapolated from a part of its decay.

    The decay is Schroeder's backward integral (https://doi.org/10.1121/1.1909343); a line is fitted to it
    from 5 to 25 dB below its start, the T20 of ISO 3382-1.

    Args:
        response: (N,) impulse response.
        sample_rate_hz: its rate.
        from_db: where the line starts, relative to the whole energy.
        to_db: where it ends.

    Returns:
        Seconds; None where the response falls at once, or does not fall that far before its end.
    """
    energy = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    if energy.size == 0 or energy[0] <= 0.0:
        return None
    level_db = 10.0 * np.log10(np.maximum(energy / energy[0], 1e-30))
    start, end = (int(np.argmax(level_db < limit_db)) for limit_db in (from_db, to_db))
    if not start or end - start < 2:
        return None
    slope, _ = np.polyfit(np.arange(start, end) / sample_rate_hz, level_db[start:end], 1)
    return float(-60.0 / slope)


def direct_to_reverberant_db(response: Samples, sample_rate_hz: int) -> float:
    """Return the energy from 1 ms before to 2.5 ms after the highest peak over that of all that follows.

    Infinite where nothing follows; NaN where the response is silent.
    """
    energy = response.astype(np.float64) ** 2
    peak = int(energy.argmax())
    start = max(peak - round(DIRECT_BEFORE_S * sample_rate_hz), 0)
    end = peak + round(DIRECT_AFTER_S * sample_rate_hz)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(10.0 * np.log10(energy[start:end].sum() / energy[end:].sum()))
