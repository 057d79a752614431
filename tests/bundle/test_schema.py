"""The description of a bundle refuses what the runtime could not honor."""

import pytest
from pydantic import ValidationError

from linnet.bundle.schema import BundleSpec


def test_the_frame_shift_counts_subsampling(spec: BundleSpec) -> None:
    assert spec.frame_shift_s == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"sample_rate_hz": 8000}, "sample_rate_hz=8000 differs from frontend.sample_rate_hz=16000"),
        ({"name": "../escape"}, "name"),
        ({"language": "English"}, "language"),
        ({"subsampling": 0}, "subsampling"),
        ({"files": {"model.onnx": "abc"}}, "files"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_value_is_refused(spec: BundleSpec, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        BundleSpec.model_validate(spec.model_dump() | changes)
