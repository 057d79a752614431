"""Every frame has its instant, whatever the front end, and segments share one clock."""

import numpy as np
import pytest

from linnet.features.clock import FrameClock, Timeline
from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features


@pytest.mark.parametrize(
    "values",
    [
        {"normalize": "none"},
        {"normalize": "none", "pad_mode": "reflect", "window_ms": 25.0},
        {"kind": "kaldi_fbank", "snip_edges": True},
        {"kind": "kaldi_fbank", "snip_edges": False},
    ],
)
def test_a_click_is_loudest_in_the_frame_of_its_time(values: dict[str, object]) -> None:
    config = FrontendConfig.model_validate(values)
    clock = FrameClock.of(config, 1)
    for click_s in (0.2, 0.3037):
        samples = np.zeros(16000, np.float32)
        samples[round(click_s * 16000)] = 0.5
        features, num_frames = compute_features(samples, config)
        loudest = int(features[:, :num_frames].mean(axis=0).argmax())
        assert clock.timeline(num_frames, 1.0).centers_s[loudest] == pytest.approx(click_s, abs=0.0051)


def test_frames_touch_and_stay_inside() -> None:
    timeline = FrameClock(0.04).timeline(3, 0.1, 5.0)
    assert timeline.centers_s.tolist() == pytest.approx([5.0, 5.04, 5.08])
    assert timeline.starts_s.tolist() == pytest.approx([5.0, 5.02, 5.06])
    assert timeline.ends_s.tolist() == pytest.approx([5.02, 5.06, 5.1])


def test_segments_do_not_drift() -> None:
    # 0.105 s give five frames of 20 ms: by counting frames alone, a hundred of them would lose half a second.
    clock = FrameClock(0.02)
    joined = Timeline.joined([clock.timeline(5, 0.105, 0.105 * index) for index in range(100)])
    assert joined.centers_s[5 * 99] == pytest.approx(0.105 * 99)
    assert (joined.start_s, joined.end_s) == (0.0, pytest.approx(10.5))
