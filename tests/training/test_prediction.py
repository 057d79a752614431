"""wav2vec 1.0 is pre-trained on recordings without texts, and then stands below another encoder."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from linnet.core.errors import ConfigError
from linnet.models.checkpoint import read_checkpoint
from linnet.models.ctc import CtcModel
from linnet.training.config import TrainConfig
from linnet.training.run import train
from linnet.training.source import Run
from linnet.training.transfer import transfer_weights

WAVE = {
    "kind": "wav2vec",
    "features": [
        {"filters": 6, "kernel": 20, "stride": 20},
        {"filters": 6, "kernel": 4, "stride": 4},
        {"filters": 6, "kernel": 2, "stride": 2},
    ],
    "context_kernels": [2, 3],
}
THEN = {
    "kind": "conformer",
    "num_layers": 1,
    "width": 8,
    "num_heads": 2,
    "kernel": 3,
    "subsampling_channels": 2,
}
FRONTEND = "model.frontend={kind: waveform, window_ms: 30, normalize: none}"


@pytest.fixture
def pretrained(make_config: Callable[..., TrainConfig], tmp_path: Path) -> Path:
    """The final checkpoint of two steps without texts; the manifests have none."""
    sources = make_config().data
    for name, (source,) in (("train", sources.train), ("dev", sources.dev)):
        records = [json.loads(line) for line in source.manifest.read_text(encoding="utf-8").splitlines()]
        for record in records:
            del record["text"]
            record["audio_filepath"] = str(source.manifest.parent / record["audio_filepath"])
        lines = [json.dumps(record) for record in records]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = train(
        make_config(
            *(FRONTEND, f"model.encoder={json.dumps(WAVE)}", "objective={kind: wav2vec, num_steps: 3}"),
            *(f"data.{name}.0.manifest={tmp_path}/{name}.jsonl" for name in ("train", "dev")),
        ),
        lambda status: None,
    )
    assert 0.3 < result.final_score < 0.8  # a new network decides at random: ln 2
    return result.final


def test_a_pretrained_encoder_is_taken_below_another_one(
    pretrained: Path, make_run: Callable[..., Run]
) -> None:
    stack = {"kind": "stack", "first": WAVE, "then": THEN}
    run = make_run(FRONTEND, f"model.encoder={json.dumps(stack)}", f"init={{path: {pretrained}}}")
    assert run.source is not None
    model = CtcModel(run.config.model)
    result = transfer_weights(model, run.source, run.config.init)
    learned = {name for name in read_checkpoint(pretrained).weights if name.startswith("encoder.")}
    assert {name.replace("first.", "", 1) for name in result.taken if "first." in name} == learned
    assert all(name.startswith(("encoder.then.", "head.")) for name in result.new)
    kept = read_checkpoint(pretrained).weights["encoder.context.0.convolution.weight"]
    assert torch.equal(model.state_dict()["encoder.first.context.0.convolution.weight"], kept)


def test_another_lower_encoder_is_refused(pretrained: Path, make_run: Callable[..., Run]) -> None:
    stack = {"kind": "stack", "first": WAVE | {"context_kernels": [2, 4]}, "then": THEN}
    with pytest.raises(ConfigError, match="context_kernels"):
        make_run(FRONTEND, f"model.encoder={json.dumps(stack)}", f"init={{path: {pretrained}}}")


def test_the_objective_needs_its_encoder(make_config: Callable[..., TrainConfig]) -> None:
    with pytest.raises(ConfigError, match="needs an encoder of that kind, not of jasper"):
        make_config("objective={kind: wav2vec}")
