"""Imported models against the log-probabilities that NeMo computed, in both runtimes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from linnet.export.onnx import export_onnx
from linnet.importers.nemo import import_nemo
from linnet.runtime.session import CtcSession

TOLERANCE = 1e-4


NAMES = ["quartznet", "citrinet", "conformer_bpe", "fastconformer_bpe", "fastconformer_longform"]


@pytest.mark.parametrize("name", NAMES)
def test_log_probs_and_greedy_ids_are_nemos(name: str, repo_root: Path, tmp_path: Path) -> None:
    folder = repo_root.parent / "shared" / "fixtures" / "nemo"
    if not (folder / f"{name}.nemo").exists():
        pytest.skip(f"the reference files are not beside the repository ({name}.nemo)")
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        nemo: dict[str, Any] = dict(arrays)
    model = import_nemo(folder / f"{name}.nemo").model
    export_onnx(model, tmp_path / "model.onnx")
    with torch.inference_mode():
        in_torch = model(torch.from_numpy(nemo["feats"]), torch.from_numpy(nemo["feats_len"]))
    in_onnx = CtcSession(tmp_path / "model.onnx").log_probs(nemo["feats"], nemo["feats_len"])
    for log_probs, lengths in ([each.numpy() for each in in_torch], in_onnx):
        assert lengths.tolist() == nemo["logp_len"].tolist()
        for row, expected, ids, length in zip(
            log_probs, nemo["logp"], nemo["greedy"], lengths.tolist(), strict=True
        ):
            np.testing.assert_allclose(row[:length], expected[:length], atol=TOLERANCE, rtol=0)
            assert row[:length].argmax(-1).tolist() == ids[:length].tolist()
