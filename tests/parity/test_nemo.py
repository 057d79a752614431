"""Models that NeMo saved, against what NeMo computed with them: features, log-probabilities, ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from linnet.core.arrays import Samples
from linnet.export.options import ExportOptions
from linnet.export.run import export_model
from linnet.features.frontend import compute_features
from linnet.importers.nemo import import_nemo
from linnet.models.ctc import CtcModel
from linnet.runtime.recognizer import Recognizer

TOLERANCE = 1e-4
NAMES = [
    "quartznet",
    "citrinet",
    "conformer_bpe",
    "fastconformer_bpe",
    "fastconformer_longform",
    "squeezeformer",
]
EXPORTED = [
    name if name == "quartznet" else pytest.param(name, marks=pytest.mark.every_export) for name in NAMES
]


@dataclass(frozen=True, slots=True)
class Reference:
    """A model as linnet reads it, and what NeMo computed: feats (B, F, T), logp (B, S, V), greedy (B, S)."""

    model: CtcModel
    nemo: dict[str, Any]

    @property
    def recordings(self) -> list[Samples]:
        pairs = zip(self.nemo["audio"], self.nemo["audio_len"], strict=True)
        return [samples[:length] for samples, length in pairs]

    def check_features(self, features: Sequence[np.ndarray], lengths: Sequence[int]) -> None:
        assert list(lengths) == self.nemo["feats_len"].tolist()
        for ours, nemos, length in zip(features, self.nemo["feats"], lengths, strict=True):
            np.testing.assert_allclose(ours[:, :length], nemos[:, :length], atol=TOLERANCE, rtol=0)

    def check_log_probs(self, log_probs: Sequence[np.ndarray]) -> None:
        assert [len(each) for each in log_probs] == self.nemo["logp_len"].tolist()
        for ours, nemos, ids in zip(log_probs, self.nemo["logp"], self.nemo["greedy"], strict=True):
            np.testing.assert_allclose(ours, nemos[: len(ours)], atol=TOLERANCE, rtol=0)
            assert ours.argmax(-1).tolist() == ids[: len(ours)].tolist()


@pytest.fixture(scope="module", params=NAMES)
def reference(request: pytest.FixtureRequest, shared_fixtures: Path) -> Reference:
    folder = shared_fixtures / "nemo"
    with np.load(folder / f"{request.param}.npz", allow_pickle=False) as arrays:
        return Reference(import_nemo(folder / f"{request.param}.nemo").model, dict(arrays))


def test_features(reference: Reference) -> None:
    frontend = reference.model.config.frontend
    features, lengths = zip(*(compute_features(each, frontend) for each in reference.recordings), strict=True)
    reference.check_features(features, lengths)


def test_log_probs_in_torch(reference: Reference) -> None:
    audio, num_samples = (torch.from_numpy(reference.nemo[key]) for key in ("audio", "audio_len"))
    with torch.inference_mode():
        features, num_frames = reference.model.frontend(audio, num_samples)
        log_probs, lengths = reference.model(features, num_frames)
    reference.check_features(features.numpy(), num_frames.tolist())
    reference.check_log_probs([row[:length] for row, length in zip(log_probs.numpy(), lengths, strict=True)])


@pytest.mark.parametrize("reference", EXPORTED, indirect=True)
def test_log_probs_of_the_bundle(reference: Reference, tmp_path: Path) -> None:
    export_model(reference.model, tmp_path / "bundle", reference.recordings, ExportOptions(language="und"))
    recognizer = Recognizer.load(tmp_path / "bundle")
    features = [recognizer.features(samples) for samples in reference.recordings]
    reference.check_log_probs(recognizer.log_probs(features))
    reference.check_log_probs([recognizer.log_probs([each])[0] for each in features])
