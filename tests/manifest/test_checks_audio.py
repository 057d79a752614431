"""Lines against the headers of their recordings, at the edges of what is allowed."""

from collections.abc import Callable
from typing import Any

import pytest

from linnet.audio.decoder import AudioInfo
from linnet.manifest.checks_audio import Header, check_headers
from linnet.manifest.findings import Line

LineMaker = Callable[..., Line]


def codes(lines: list[Line], file_s: float = 10.0) -> list[tuple[int, str]]:
    headers = {line.utterance.audio: Header(AudioInfo(file_s, 16000, 1)) for line in lines}
    return [(finding.line, finding.code) for finding in check_headers(lines, headers)]


@pytest.mark.parametrize(
    ("duration_s", "wrong"), [(10.0, False), (9.81, False), (10.19, False), (9.7, True), (10.3, True)]
)
def test_a_duration_may_be_two_per_cent_off(make_line: LineMaker, duration_s: float, wrong: bool) -> None:
    found = codes([make_line("a", duration_s=duration_s)])
    assert found == ([(1, "wrong-duration")] if wrong else [])


def test_short_recordings_may_be_a_frame_off(make_line: LineMaker) -> None:
    assert codes([make_line("a", duration_s=0.3)], file_s=0.315) == []


def test_stretches_of_a_recording_need_not_fill_it(make_line: LineMaker) -> None:
    stretches = [
        make_line("a", 1, audio="a.wav", duration_s=4.0),
        make_line("b", 2, audio="a.wav", duration_s=4.0, offset_s=4.0),
        make_line("c", 3, audio="other.wav", duration_s=1.0),  # a stretch like the others
    ]
    assert codes(stretches) == []
    assert codes([make_line("a", 1, audio="a.wav"), make_line("b", 2, audio="a.wav")]) == []


def test_a_stretch_ends_before_its_recording(make_line: LineMaker) -> None:
    assert codes([make_line("a", duration_s=4.0, offset_s=7.0)]) == [(1, "beyond-end")]
    assert codes([make_line("a", duration_s=4.0, offset_s=6.05)]) == []


@pytest.mark.parametrize(
    ("value", "wrong"),
    [(16000, False), (16000.0, False), (15900, False), (8000, True), ("16k", True), (float("nan"), True)],
)
def test_a_rate_must_be_that_of_the_recording(make_line: LineMaker, value: Any, wrong: bool) -> None:
    line = make_line("a", duration_s=10.0, extra={"sample_rate": value})
    assert codes([line]) == ([(1, "wrong-rate")] if wrong else [])


def test_a_header_that_cannot_be_read_brings_its_own_remedy(make_line: LineMaker) -> None:
    line = make_line("a")
    (finding,) = check_headers([line], {"1.wav": Header(None, ("it is a list", "Convert it"))})
    assert (finding.code, finding.remedy) == ("unreadable-audio", "Convert it")
    assert finding.what == "1.wav: it is a list"


def test_missing_bytes_and_no_samples_are_told_apart(make_line: LineMaker) -> None:
    lines = [make_line("a", 1, duration_s=1.0), make_line("b", 2, duration_s=1.0)]
    headers = {
        "1.wav": Header(AudioInfo(1.0, 16000, 1), lacking_bytes=100),
        "2.wav": Header(AudioInfo(0.0, 16000, 1)),
    }
    found = [(finding.line, finding.code) for finding in check_headers(lines, headers)]
    assert found == [(1, "truncated-audio"), (2, "empty-audio")]
