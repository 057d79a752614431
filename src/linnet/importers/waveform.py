"""The front end of an imported model that reads samples."""

import math

from pydantic import ValidationError

from linnet.core.config_error import config_error
from linnet.core.errors import CheckpointError
from linnet.features.config import FrontendConfig


def waveform_frontend(rate_hz: int, window_samples: int, *, normalized: bool, where: str) -> FrontendConfig:
    """Give samples as they are, or normalized over a recording; shorter ones than a window have no frames.

    Raises:
        CheckpointError: when linnet does not take such a rate or window.
    """
    window_ms = 1000 * window_samples / max(rate_hz, 1)
    if int(rate_hz * window_ms / 1000) < window_samples:
        window_ms = math.nextafter(window_ms, math.inf)
    values = {
        "kind": "waveform",
        "sample_rate_hz": rate_hz,
        "window_ms": window_ms,
        "normalize": "per_feature" if normalized else "none",
    }
    try:
        return FrontendConfig.model_validate(values)
    except ValidationError as error:
        raise CheckpointError(config_error(error, FrontendConfig, where).what, where=where) from None
