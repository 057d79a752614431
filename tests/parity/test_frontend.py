"""Both front ends against features that the original code computed: NeMo and kaldi-native-fbank.

NeMo's FFT runs in float32, so its own features are off by up to 9e-5 (measured against float64). The Kaldi
front ends go through the roundings of kaldi-native-fbank.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from linnet.features.config import FrontendConfig
from linnet.features.frontend import compute_features
from linnet.models.frontend import TorchFrontend

Backend = Callable[[np.ndarray, FrontendConfig], tuple[np.ndarray, int]]
ICEFALL = FrontendConfig(kind="kaldi_fbank", sample_scale=1.0, snip_edges=False, high_hz=7600.0)
TOLERANCE = 1e-4


def compute_in_torch(samples: np.ndarray, config: FrontendConfig) -> tuple[np.ndarray, int]:
    features, lengths = TorchFrontend(config).eval()(
        torch.from_numpy(samples)[None], torch.tensor([len(samples)])
    )
    return features[0].numpy(), int(lengths)


@pytest.fixture(params=[compute_features, compute_in_torch], ids=["numpy", "torch"])
def backend(request: pytest.FixtureRequest) -> Backend:
    return request.param  # type: ignore[no-any-return]  # a fixture's parameter has no type


@pytest.fixture(scope="module")
def vectors(repo_root: Path) -> dict[str, np.ndarray]:
    path = repo_root.parent / "shared" / "fixtures" / "nemo_frontend_vectors.npz"
    if not path.exists():
        pytest.skip(f"the reference vectors are not beside the repository ({path.name})")
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("version", ["new", "old"])
@pytest.mark.parametrize("size", ["64mel20ms", "80mel25ms"])
@pytest.mark.parametrize("normalize", ["None", "per_feature", "all_features"])
def test_nemo(
    version: str, size: str, normalize: str, backend: Backend, vectors: dict[str, np.ndarray]
) -> None:
    config = FrontendConfig(
        num_mels=int(size[:2]),
        window_ms=float(size[5:7]),
        normalize="none" if normalize == "None" else normalize,
        pad_mode="zeros" if version == "new" else "reflect",
        pad_to=16 if size == "64mel20ms" else 0,
    )
    expected = vectors[f"{version}_{size}_{normalize}"]
    features, num_frames = backend(vectors["signal"], config)
    assert num_frames == (100 if version == "new" else 101)
    assert features.shape[1] == config.padded_frames(num_frames)
    np.testing.assert_allclose(features, expected[:, : features.shape[1]], atol=TOLERANCE, rtol=0)
    assert not expected[:, num_frames:].any()


@pytest.mark.parametrize(
    ("name", "config"), [("kaldi_wenet80", FrontendConfig(kind="kaldi_fbank")), ("kaldi_icefall80", ICEFALL)]
)
def test_kaldi(name: str, config: FrontendConfig, backend: Backend, vectors: dict[str, np.ndarray]) -> None:
    features, num_frames = backend(vectors["signal"], config)
    expected = vectors[name].T
    assert features.shape == expected.shape == (80, num_frames)
    np.testing.assert_allclose(features, expected, atol=TOLERANCE, rtol=0)
