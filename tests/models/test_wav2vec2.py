"""wav2vec 2.0: sizes of the papers, padding without effect, masks in training, refused values."""

from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from linnet.models.ctc import CtcModel, ModelConfig
from linnet.models.layers.spans import SpanMaskConfig, span_mask
from linnet.models.wav2vec2 import Wav2Vec2Config, Wav2Vec2Encoder, wav2vec2

PIECES = [chr(0x4E00 + index) for index in range(30)]  # with the space and the blank 32 outputs
SIZE: dict[str, Any] = {
    "convolutions": [[6, 10, 5], [5, 3, 2], [4, 2, 2]],
    "num_layers": 2,
    "width": 8,
    "num_heads": 2,
    "hidden": 12,
    "position_kernel": 4,
    "position_groups": 2,
    **dict.fromkeys(("dropout", "attention_dropout", "input_dropout", "layer_dropout"), 0.0),
}
BIASED = {"bias_buckets": 8, "bias_distance": 6}
NORMED = {"conv_norm": "layer", "conv_bias": True, "pre_norm": True, "position_kernel": 5}
LENGTHS = (400, 301, 90, 30, 29, 1)


def build(**values: Any) -> Wav2Vec2Encoder:
    """No norm or bias has a value that an error could hide behind."""
    torch.manual_seed(0)
    encoder = Wav2Vec2Config.model_validate(SIZE | values).build(1)
    for parameter in encoder.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, 1.0, 0.5)
    return encoder.eval()


def batch(*lengths: int) -> tuple[Tensor, Tensor]:
    samples = torch.randn(len(lengths), 1, max(lengths), generator=torch.Generator().manual_seed(1))
    for row, length in zip(samples, lengths, strict=True):
        row[:, length:] = 99.0
    return samples, torch.tensor(lengths)


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("base", 94_396_320),
        ("large", 315_471_520),
    ],
)
def test_parameter_counts(variant: str, parameters: int) -> None:
    values = {
        "name": "counted",
        "frontend": {"kind": "waveform"},
        "encoder": {"wav2vec2": variant},
        "tokenizer": {"kind": "char", "pieces": PIECES},
    }
    with torch.device("meta"):  # shapes without memory
        model = CtcModel(ModelConfig.model_validate(values))
    assert model.num_parameters() == parameters
    assert model.frame_shift_s == pytest.approx(0.02)


def test_a_frame_hears_25_ms_every_20_ms() -> None:
    config = wav2vec2("base")
    assert (config.window_samples, config.subsampling) == (400, 320)


@torch.inference_mode()
@pytest.mark.parametrize("values", [{}, NORMED, BIASED], ids=["base", "large", "wavlm"])
def test_padding_company_and_form_change_nothing(values: dict[str, Any]) -> None:
    encoder, (samples, lengths) = build(**values), batch(*LENGTHS)
    together, num_frames = encoder(samples, lengths)
    tall, _ = encoder(samples.unsqueeze(2), lengths)
    assert num_frames.tolist() == [19, 14, 4, 1, 0, 0]
    for row, length, one, other, frames in zip(samples, lengths, together, tall, num_frames, strict=True):
        if frames:
            alone, alone_frames = encoder(row[None, :, :length], length[None])
            assert [alone.shape[2]] == alone_frames.tolist() == [frames]
            for encoded in (one, other.squeeze(1)):
                torch.testing.assert_close(encoded[:, :frames], alone[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("values", [{}, NORMED, BIASED], ids=["base", "large", "wavlm"])
def test_training_reaches_every_parameter(values: dict[str, Any]) -> None:
    encoder = build(**values, time_mask={"share": 0.5, "length": 2, "min_spans": 1}).train()
    encoded, _ = encoder(*batch(400, 301))
    encoded.pow(3).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any() or name.endswith("key.bias"), name  # softmax does not see that bias


def test_masks_are_of_training_alone() -> None:
    masked = build(
        time_mask={"share": 0.5, "length": 3, "min_spans": 1}, channel_mask={"share": 0.5, "length": 2}
    )
    plain, material = build(), batch(400, 90)
    assert torch.equal(masked(*material)[0], plain(*material)[0])
    assert not torch.equal(masked.train()(*material)[0], plain.train()(*material)[0])


def test_masked_frames_carry_one_vector_and_masked_channels_nothing() -> None:
    encoder = build(channel_mask={"share": 0.5, "length": 2})
    times = torch.tensor([[True, False, False]])
    x = encoder.masked(torch.ones(1, 3, 8), times)[0]
    channels = (x[1] == 0).nonzero().flatten().tolist()
    assert torch.equal(x[2], x[1])
    assert channels
    kept = [channel for channel in range(8) if channel not in channels]
    assert torch.equal(x[0, kept], encoder.mask_vector[kept])
    assert not x[0, channels].any()


def test_layers_are_left_out_in_training_alone() -> None:
    encoder, material = build(layer_dropout=0.99), batch(400)
    whole = encoder(*material)[0]
    bare = build(num_layers=1)
    assert not torch.equal(whole, bare(*material)[0])
    calls: list[int] = []
    for layer in encoder.layers:
        layer.register_forward_hook(lambda *_: calls.append(1))
    torch.manual_seed(0)
    encoder.train()(*material)
    assert not calls


def test_half_of_the_frames_are_masked_by_spans_that_may_overlap() -> None:
    torch.manual_seed(0)
    mask = span_mask(torch.full((60,), 1000), 1000, SpanMaskConfig(share=0.65, length=10))
    assert float(mask.float().mean()) == pytest.approx(0.49, abs=0.01)  # §4.2 of the paper
    starts = mask[:, 1:] & ~mask[:, :-1]
    assert starts.sum(1).float().mean() < 65


def test_a_mask_keeps_within_its_utterance_and_leaves_half_of_a_short_one() -> None:
    torch.manual_seed(0)
    lengths = torch.tensor([40, 12, 2, 1, 0])
    for _ in range(20):
        mask = span_mask(lengths, 40, SpanMaskConfig(share=0.1, length=10, min_spans=1))
        assert not (mask & (torch.arange(40) >= lengths[:, None])).any()
        assert mask.sum(1)[1:].tolist() == [6, 1, 0, 0]
        assert mask.sum(1)[0] == 10


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_heads": 3}, "width must be a multiple of num_heads, not 8"),
        ({"position_groups": 3}, "width must be a multiple of position_groups, not 8"),
        ({"bias_buckets": 8, "bias_distance": 2}, "bias_distance must be more than bias_buckets / 4, not 2"),
        ({"convolutions": [[4, 0, 5]]}, "channels, taps and a step of 1 or more"),
        ({"convolutions": [[4, 10, 40]] * 2}, "multiply to 1600, more than 1024"),
    ],
)
def test_values_that_do_not_go_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Wav2Vec2Config.model_validate(SIZE | values)


@pytest.mark.parametrize(
    ("frontend", "encoder", "message"),
    [
        ({}, {"wav2vec2": "tiny"}, "of kind wav2vec2 cannot read a front end of kind logmel"),
        (
            {"kind": "waveform"},
            {"quartznet": "5x1"},
            "of kind jasper cannot read a front end of kind waveform",
        ),
        ({"kind": "waveform", "window_ms": 20}, {"wav2vec2": "tiny"}, "needs 400 for its first frame"),
    ],
)
def test_front_end_and_encoder_must_fit(frontend: Any, encoder: Any, message: str) -> None:
    values = {"name": "x", "frontend": frontend, "encoder": encoder, "tokenizer": {"kind": "char"}}
    with pytest.raises(ValidationError, match=message):
        ModelConfig.model_validate(values)


def test_an_unknown_variant_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="huge"):
        wav2vec2("huge")
