"""A run that starts from a file of NeMo: its encoder and front end come along, its letters by name."""

from pathlib import Path

import pytest
import torch

pytest.importorskip("lightning", reason="training needs the extra train")

from linnet.cli.imported import imported_source
from linnet.importers.nemo import import_nemo
from linnet.models.ctc import CtcModel
from linnet.training.source import load_run
from linnet.training.transfer import transfer_weights


def test_a_vocabulary_with_more_letters_keeps_those_of_nemo(repo_root: Path, tmp_path: Path) -> None:
    path = repo_root.parent / "shared" / "fixtures" / "nemo" / "quartznet.nemo"
    if not path.exists():
        pytest.skip("the reference files are not beside the repository (quartznet.nemo)")
    config = tmp_path / "tune.yaml"
    config.write_text(
        f"output_dir: out\ninit: {path}\ndata: {{train: [{{manifest: a}}], dev: [{{manifest: b}}]}}\n"
        "model: {name: new, tokenizer: {pieces: [é, a, b, z]}}\ntrainer: {max_steps: 1}\n"
    )
    run = load_run(config, read_foreign=imported_source)
    assert run.source is not None
    assert run.config.init is not None
    theirs = import_nemo(path).model
    assert run.config.model.encoder == theirs.config.encoder
    assert run.config.model.frontend == theirs.config.frontend
    model = CtcModel(run.config.model).eval()
    result = transfer_weights(model, run.source, run.config.init)
    assert result.new == {}
    assert "5 labels kept: ▁ a b z <blk>" in result.head
    features, lengths = torch.randn(2, theirs.config.frontend.num_features, 60), torch.tensor([60, 47])
    pieces = theirs.vocabulary.pieces
    rows = [pieces.index(piece) for piece in ("▁", "a", "b", "z")] + [theirs.vocabulary.blank_id]
    encoded, _ = model.encoder(features, lengths)
    torch.testing.assert_close(model.head(encoded)[:, [0, 2, 3, 4, 5]], theirs.head(encoded)[:, rows])
