"""The one convention of time: when each frame of log-probs is, for greedy, beam and alignment alike.

A feature frame is the instant that its analysis window is centered on (`framing.first_sample`): frame 0 lies
at 0 s where the ends are padded, half a window later in Kaldi's `snip_edges`. The encoders of linnet center
their kernels, so that frame u of the log-probs is centered on feature frame u · subsampling. It stands for
the time nearer to it than to its neighbors: half a shift to either side, cut at the ends of the recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from linnet.features.config import FrontendConfig
from linnet.features.framing import first_sample


@dataclass(frozen=True, slots=True)
class Timeline:
    """When the frames of one recording are, in seconds from its start.

    Attributes:
        centers_s: (S,) the instants the frames are centered on.
        starts_s: (S,) where each begins.
        ends_s: (S,) where each ends.
        start_s: where what was decoded begins: nothing is before.
        end_s: where it ends: nothing is after.
        word_start_shift_s: see `FrameClock`.
        word_end_shift_s: see `FrameClock`.
    """

    centers_s: NDArray[np.float64]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    start_s: float
    end_s: float
    word_start_shift_s: float = 0.0
    word_end_shift_s: float = 0.0

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put the timelines of consecutive segments behind each other; there is at least one."""
        return cls(
            np.concatenate([part.centers_s for part in parts]),
            np.concatenate([part.starts_s for part in parts]),
            np.concatenate([part.ends_s for part in parts]),
            parts[0].start_s,
            parts[-1].end_s,
            parts[0].word_start_shift_s,
            parts[0].word_end_shift_s,
        )


@dataclass(frozen=True, slots=True)
class FrameClock:
    """How a model counts time.

    Attributes:
        frame_shift_s: seconds from one frame of log-probs to the next.
        first_center_s: the instant frame 0 is centered on.
        word_start_shift_s: where words start, measured from the start of their first token's first frame:
            below 0 for a model that writes a token when it has heard enough of it. Measured, or 0.
        word_end_shift_s: where they end, measured from the end of their last token's last frame.
    """

    frame_shift_s: float
    first_center_s: float = 0.0
    word_start_shift_s: float = 0.0
    word_end_shift_s: float = 0.0

    @classmethod
    def of(cls, frontend: FrontendConfig, subsampling: int) -> Self:
        """Derive the clock of a model without measured shifts."""
        center = first_sample(frontend) + frontend.window_samples / 2
        return cls(frontend.frame_shift_s * subsampling, max(center, 0.0) / frontend.sample_rate_hz)

    def timeline(self, num_frames: int, duration_s: float, start_s: float = 0.0) -> Timeline:
        """Place the frames of `duration_s` of sound that begins at `start_s` of a recording."""
        centers_s = self.first_center_s + self.frame_shift_s * np.arange(num_frames)
        ends_s = centers_s + self.frame_shift_s / 2
        starts_s = ends_s - self.frame_shift_s
        return Timeline(
            centers_s=start_s + np.clip(centers_s, 0.0, duration_s),
            starts_s=start_s + np.clip(starts_s, 0.0, duration_s),
            ends_s=start_s + np.clip(ends_s, 0.0, duration_s),
            start_s=start_s,
            end_s=start_s + duration_s,
            word_start_shift_s=self.word_start_shift_s,
            word_end_shift_s=self.word_end_shift_s,
        )
