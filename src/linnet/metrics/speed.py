"""How fast a recognizer is against the clock of its audio."""

import math


def inverse_real_time_factor(audio_s: float, wall_s: float) -> float:
    """Give RTFx: the seconds of audio that are done in one second of wall time (NaN when no time passed)."""
    return audio_s / wall_s if wall_s > 0 else math.nan
