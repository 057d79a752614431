"""Training data on an S3 server, read in the training process and in workers forked from it."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from torch.utils.data import DataLoader

from linnet.data.config import DataConfig
from linnet.data.dataset import Key, SpeechDataset
from linnet.data.examples import Example, TextEncoder, load_examples
from linnet.manifest.jsonl import read_manifest
from linnet.text.tokenizer import TokenizerConfig, build_tokenizer

RATE_HZ = 16_000


@pytest.fixture
def examples(s3_store: Any, make_example: Callable[..., Example]) -> list[Example]:
    """Four recordings in a bucket, found through a manifest there."""
    lines = []
    for number in range(4):
        file = io.BytesIO()
        soundfile.write(file, np.full(1600, 0.1 * (number + 1)), RATE_HZ, format="WAV", subtype="FLOAT")
        s3_store.put(f"train/{number}.wav", file.getvalue())
        lines.append(json.dumps({"audio_filepath": f"{number}.wav", "duration": 0.1, "text": ""}))
    manifest = s3_store.put("train/train.jsonl", "\n".join(lines).encode())
    return [make_example(each.audio, each.duration_s) for each in read_manifest(manifest)]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_batches_are_read_from_a_bucket(examples: list[Example], num_workers: int) -> None:
    dataset = SpeechDataset(examples, RATE_HZ)
    batches = [[Key(0, 0, 0), Key(0, 1, 0)], [Key(0, 2, 0), Key(0, 3, 0)]]
    loader = DataLoader(dataset, sampler=batches, batch_size=None, num_workers=num_workers)
    levels = [batch.samples.mean(dim=1).tolist() for batch in loader]
    assert np.allclose(levels, [[0.1, 0.2], [0.3, 0.4]])


def test_a_source_may_be_a_url(examples: list[Example], caplog: pytest.LogCaptureFixture) -> None:
    url = "s3://bucket/train/train.jsonl"
    data = DataConfig.model_validate({"train": [{"manifest": url}], "dev": [{"manifest": url}]})
    tokenizer = build_tokenizer(TokenizerConfig(kind="word", pieces=("one",)))
    encoder = TextEncoder(normalizer="basic", strict=tokenizer, skipping=tokenizer)
    with caplog.at_level(logging.INFO, logger="linnet"):
        loaded = load_examples(data.train, encoder, data)
    assert [each.utterance for each in loaded] == [each.utterance for each in examples]
    assert f"{url}: 4 utterances" in caplog.text
