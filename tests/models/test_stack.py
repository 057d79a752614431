"""One encoder above another: what goes in, what comes out, and which may stand where."""

import pytest
import torch
from pydantic import ValidationError

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.encoders import StackConfig

FIRST = {
    "kind": "wav2vec",
    "features": [{"filters": 5, "kernel": 4, "stride": 2}, {"filters": 6, "kernel": 3, "stride": 2}],
    "context_kernels": [2, 3],
}


def test_a_stack_reads_the_context_with_any_encoder() -> None:
    then = {"kind": "conformer", "num_layers": 1, "width": 8, "num_heads": 2, "subsampling_channels": 4}
    config = StackConfig.model_validate({"first": FIRST, "then": {**then, "kernel": 3}})
    assert (config.first.output_width, config.output_width, config.subsampling) == (6, 8, 16)
    assert StackConfig.model_validate(config.model_dump(mode="json")) == config
    encoder = config.build(1).eval()
    samples, lengths = torch.randn(2, 1, 100), torch.tensor([100, 60])
    encoded, num_frames = encoder(samples, lengths)
    assert encoded.shape == (2, 8, 6)
    assert num_frames.tolist() == [6, 4]
    alone, _ = encoder(samples[1:, None, :, :60], lengths[1:])  # in the form that is exported
    torch.testing.assert_close(encoded[1:, :, :4], alone.reshape(1, 8, -1), atol=1e-5, rtol=0)


def test_both_encoders_of_a_stack_may_be_named_sizes() -> None:
    config = StackConfig.model_validate({"first": {"quartznet": "5x1"}, "then": {"conformer": "s"}})
    assert (config.first.output_width, config.subsampling) == (768, 8)
    with pytest.raises(ValidationError, match="'tiny' is not one of"):
        StackConfig.model_validate({"first": {"quartznet": "tiny"}, "then": {"conformer": "s"}})


def test_samples_go_to_the_lowest_encoder_only() -> None:
    wave = {"name": "x", "tokenizer": {"kind": "char"}, "frontend": {"kind": "waveform", "window_ms": 30.0}}
    stack = {"kind": "stack", "first": {"wav2vec": "tiny"}, "then": {"conformer": "s"}}
    config = ModelConfig.model_validate(wave | {"encoder": stack})
    assert config.encoder.subsampling == 640
    with pytest.raises(ValidationError, match="cannot read a front end of kind logmel"):
        ModelConfig.model_validate(wave | {"encoder": stack, "frontend": {}})
    with pytest.raises(ValidationError, match="the second encoder of a stack cannot"):
        ModelConfig.model_validate(wave | {"encoder": stack | {"then": {"wav2vec": "tiny"}}})


def test_one_that_is_touched_by_padding_makes_the_stack_so() -> None:
    def model(conv_mask: bool) -> CtcModel:
        first = {"blocks": [{"filters": 4, "kernel": 3, "residual": False}], "conv_mask": conv_mask}
        stack = {"kind": "stack", "first": first, "then": {**first, "conv_mask": True}}
        values = {"name": "x", "tokenizer": {"kind": "char"}, "encoder": stack}
        return CtcModel(ModelConfig.model_validate(values))

    assert (model(True).one_at_a_time, model(False).one_at_a_time) == (False, True)
