"""Models that transformers saved, against what transformers computes with them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from linnet.core.arrays import Samples
from linnet.export.options import ExportOptions
from linnet.export.run import export_model
from linnet.importers.transformers import import_transformers
from linnet.models.ctc import CtcModel
from linnet.runtime.recognizer import Recognizer

transformers = pytest.importorskip("transformers", reason="transformers is the oracle and no dependency")

TOLERANCE = 1e-4
LENGTHS = (8000, 5003, 400)
SMALL = {
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 3,
    "vocab_size": 8,
    "pad_token_id": 2,
    "mask_time_prob": 0.05,
}
NORMED = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "base": ("Wav2Vec2", {}),
    "large": ("Wav2Vec2", NORMED | {"num_conv_pos_embeddings": 5}),
    "group norm, pre-norm": ("Wav2Vec2", {"do_stable_layer_norm": True}),
    "hubert base": ("Hubert", {}),
    "hubert large": ("Hubert", NORMED),
    "wavlm base": ("WavLM", {"num_buckets": 16, "max_bucket_distance": 12}),
    "wavlm large": ("WavLM", NORMED | {"num_buckets": 12, "max_bucket_distance": 20}),
}
VOCABULARY = {"|": 1, "a": 0, "<pad>": 2, "b": 3, "c": 4, "d": 5, "e": 6, "<unk>": 7}
ORDER = [1, 0, 3, 4, 5, 6, 7, 2]


def random_samples(lengths: tuple[int, ...]) -> list[Samples]:
    rng = np.random.default_rng(3)
    return [(rng.standard_normal(length) * 0.1 + 0.02).astype(np.float32) for length in lengths]


def theirs(oracle: Any, samples: Samples, order: list[int]) -> torch.Tensor:
    """What transformers gives of one recording: log-probabilities (S, V) in the order of linnet."""
    normed = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    with torch.inference_mode():
        scores = oracle(torch.from_numpy(normed)[None]).logits[0]
    return scores.log_softmax(-1)[:, order]


def ours(model: CtcModel, recordings: list[Samples]) -> Iterator[torch.Tensor]:
    """What linnet gives of recordings in one padded batch."""
    lengths = torch.tensor([len(each) for each in recordings])
    padded = torch.zeros(len(recordings), int(lengths.max()))
    for row, each in zip(padded, recordings, strict=True):
        row[: len(each)] = torch.from_numpy(each)
    with torch.inference_mode():
        log_probs, valid = model(*model.frontend(padded, lengths))
    return (row[:length] for row, length in zip(log_probs, valid, strict=True))


@pytest.fixture(scope="module", params=MODELS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, CtcModel]:
    """A random model of transformers in evaluation mode, and how linnet reads it."""
    family, changes = MODELS[request.param]
    torch.manual_seed(5)
    config = getattr(transformers, f"{family}Config")(**(SMALL | changes))
    oracle = getattr(transformers, f"{family}ForCTC")(config).eval()
    for parameter in oracle.parameters():
        if parameter.dim() == 1:  # no norm or bias that an error could hide behind
            torch.nn.init.normal_(parameter, 0.5, 0.3)
    folder = tmp_path_factory.mktemp("model")
    oracle.save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps(VOCABULARY))
    (folder / "preprocessor_config.json").write_text("{}")
    return oracle, import_transformers(folder).model


def test_each_recording_in_a_batch_gives_what_it_gives_alone_there(pair: tuple[Any, CtcModel]) -> None:
    oracle, model = pair
    recordings = random_samples(LENGTHS)
    for samples, found in zip(recordings, ours(model, recordings), strict=True):
        torch.testing.assert_close(found, theirs(oracle, samples, ORDER), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("pair", ["large", "hubert large", "wavlm large"], indirect=True)
def test_a_padded_batch_with_its_mask(pair: tuple[Any, CtcModel]) -> None:
    """Those with layer norm are trained with masks; transformers pads after normalizing."""
    oracle, model = pair
    recordings = random_samples(LENGTHS[:2])
    padded, mask = torch.zeros(2, LENGTHS[0]), torch.zeros(2, LENGTHS[0], dtype=torch.long)
    for index, each in enumerate(recordings):
        normed = (each - each.mean()) / np.sqrt(each.var() + 1e-7)
        padded[index, : len(each)], mask[index, : len(each)] = torch.from_numpy(normed), 1
    with torch.inference_mode():
        scores = oracle(padded, attention_mask=mask).logits.log_softmax(-1)[..., ORDER]
    for row, found in zip(scores, ours(model, recordings), strict=True):
        torch.testing.assert_close(found, row[: len(found)], atol=TOLERANCE, rtol=0)


@pytest.mark.every_export
def test_the_bundle_of_a_saved_model(shared_fixtures: Path, tmp_path: Path) -> None:
    folder = shared_fixtures / "hf" / "wav2vec2_ctc"
    oracle = transformers.Wav2Vec2ForCTC.from_pretrained(folder).eval()
    model = import_transformers(folder).model
    recordings = random_samples((16000, 9001, 400, 399))
    proof = export_model(model, tmp_path / "bundle", recordings, ExportOptions(language="und"))
    assert max(proof.alone, proof.batched) <= TOLERANCE
    recognizer = Recognizer.load(tmp_path / "bundle")
    together = recognizer.log_probs([recognizer.features(each) for each in recordings])
    order = [4, 1, 2, 3, *range(5, 32), 0]
    for samples, found in zip(recordings[:3], together, strict=False):
        torch.testing.assert_close(
            torch.from_numpy(found), theirs(oracle, samples, order), atol=TOLERANCE, rtol=0
        )
    assert len(together[3]) == 0
    assert recognizer.transcribe_samples([recordings[3]])[0].text == ""
