"""wav2vec 1.0: sizes, what a frame sees, padding, and the loss against the equation written out."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.models.wav2vec import Wav2VecConfig, Wav2VecEncoder, Wav2VecPrediction, wav2vec

TINY: dict[str, Any] = {
    "features": [
        {"filters": 5, "kernel": 4, "stride": 2},
        {"filters": 6, "kernel": 3, "stride": 2},
        {"filters": 6, "kernel": 1},
    ],
    "context_kernels": [2, 3],
}


@pytest.fixture
def encoder() -> Wav2VecEncoder:
    """In evaluation mode; no norm or bias has a value that an error could hide behind."""
    torch.manual_seed(0)
    built = Wav2VecConfig.model_validate(TINY).build(1)
    for parameter in built.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, 0.7, 0.5)
    return built.eval()


@pytest.fixture
def waves() -> Callable[..., tuple[Tensor, Tensor]]:
    """`waves(30, 9)` → random samples (2, 1, 30) with garbage behind each length, and the lengths."""

    def make(*lengths: int) -> tuple[Tensor, Tensor]:
        samples = torch.randn(len(lengths), 1, max(lengths), generator=torch.Generator().manual_seed(1))
        for row, length in zip(samples, lengths, strict=True):
            row[:, length:] = 99.0
        return samples, torch.tensor(lengths)

    return make


@pytest.mark.parametrize(
    ("variant", "features", "with_prediction"),
    [("base", 5_253_120, 32_010_752), ("large", 5_779_456, 32_537_088)],
)
def test_parameter_counts(variant: str, features: int, with_prediction: int) -> None:
    """The larger is the 32.54 M of wav2vec in SUPERB (arXiv:2105.01051, table 1)."""
    config = wav2vec(variant)
    with torch.device("meta"):  # shapes without memory
        encoder, prediction = config.build(1), Wav2VecPrediction(config)
    count = {
        part: sum(parameter.numel() for parameter in module.parameters())
        for part, module in (("z", encoder.features), ("c", encoder.context), ("loss", prediction))
    }
    assert count == {"z": features, "c": 23_611_392, "loss": with_prediction - features - 23_611_392}
    assert (config.subsampling, config.window_samples, prediction.first_step) == (160, 465, 3)


@torch.inference_mode()
@pytest.mark.parametrize(("form", "padding"), [(3, "zero"), (4, "first")])
def test_padding_and_company_change_nothing(
    form: int, padding: str, encoder: Wav2VecEncoder, waves: Callable[..., tuple[Tensor, Tensor]]
) -> None:
    encoder = Wav2VecConfig.model_validate(TINY | {"context_padding": padding}).build(1).eval()
    samples, lengths = waves(61, 40, 12, 9, 8)
    given = functional.pad(samples, (0, 9), value=5.0)
    together, num_frames = encoder(given if form == 3 else given.unsqueeze(2), lengths)
    together = together.reshape(len(samples), 6, -1)
    assert num_frames.tolist() == [(length - 8) // 4 + 1 for length in lengths.tolist()]
    for row, length, encoded, frames in zip(samples, lengths, together, num_frames, strict=True):
        alone, count = encoder(row[None, :, :length], length[None])
        assert count == frames
        torch.testing.assert_close(encoded[:, :frames], alone[0, :, :frames], atol=1e-5, rtol=0)


@torch.inference_mode()
@pytest.mark.parametrize(("padding", "mode"), [("zero", "constant"), ("first", "replicate")])
def test_an_utterance_alone_goes_through_plain_layers(
    padding: str, mode: str, encoder: Wav2VecEncoder
) -> None:
    """The layers of fairseq written with torch's own: valid convolutions, one group, causal context."""
    weights = encoder.state_dict()
    encoder = Wav2VecConfig.model_validate(TINY | {"context_padding": padding}).build(1).eval()
    encoder.load_state_dict(weights)
    x = samples = torch.randn(1, 1, 80)
    for index, layer in enumerate(encoder.features):
        x = functional.conv1d(x, layer.convolution.weight, stride=TINY["features"][index].get("stride", 1))
        x = functional.group_norm(x, 1, layer.norm.weight, layer.norm.bias).relu()
    x = latents = torch.log(x.abs() + 1)
    for layer in encoder.context:
        kernel = layer.convolution.weight.shape[-1]
        y = functional.conv1d(
            functional.pad(x, (kernel - 1, 0), mode), layer.convolution.weight, layer.convolution.bias
        )
        x = (functional.group_norm(y, 1, layer.norm.weight, layer.norm.bias).relu() + x) * 0.5**0.5
    lengths = torch.tensor([80])
    z, num_frames = encoder.encode(samples, lengths)
    assert num_frames == latents.shape[-1] == 19
    torch.testing.assert_close(z[..., :19], latents)
    torch.testing.assert_close(encoder(samples, lengths)[0][..., :19], x)


def test_the_loss_is_that_of_equation_1(encoder: Wav2VecEncoder) -> None:
    torch.manual_seed(0)
    prediction = Wav2VecPrediction(encoder.config, num_steps=2, num_negatives=3)
    z, c, lengths = torch.randn(2, 6, 9), torch.randn(2, 6, 9), torch.tensor([9, 6])
    torch.manual_seed(1)
    loss, found = prediction(z, c, lengths)
    torch.manual_seed(1)
    distractors = prediction._distractors(z, lengths)
    terms, hits = [], []
    for row, length in enumerate(lengths.tolist()):
        for step in range(2):
            for frame in range(length - prediction.first_step - step):
                h = c[row, :, frame] @ prediction.project.weight[:, :, 0, step] + prediction.project.bias
                ahead = frame + prediction.first_step + step
                true, false = h @ z[row, :, ahead], distractors[:, row, :, ahead] @ h
                terms += [-functional.logsigmoid(true), *-functional.logsigmoid(-false)]
                hits.append(float((true > false).all()))
    torch.testing.assert_close(loss, torch.stack(terms).mean())
    assert found == pytest.approx(sum(hits) / len(hits))


def test_distractors_are_valid_frames_of_the_same_utterance(encoder: Wav2VecEncoder) -> None:
    z = torch.arange(12.0).view(2, 1, 6)
    drawn = Wav2VecPrediction(encoder.config, num_negatives=50)._distractors(z, torch.tensor([6, 2]))
    assert drawn.shape == (50, 2, 1, 6)
    assert drawn[:, 0].unique().tolist() == [0, 1, 2, 3, 4, 5]
    assert drawn[:, 1].unique().tolist() == [6, 7]


def test_the_loss_falls_below_that_of_guessing_and_reaches_every_parameter() -> None:
    """Bursts of noise: what lies ahead of a burst is sooner a burst than a distractor is."""
    torch.manual_seed(0)
    values = [layer | {"filters": 12} for layer in TINY["features"]]
    config = Wav2VecConfig.model_validate(TINY | {"features": values})
    encoder, prediction = config.build(1), Wav2VecPrediction(config, num_steps=2, num_negatives=4)
    parameters = [*encoder.parameters(), *prediction.parameters()]
    optimizer = torch.optim.Adam(parameters, 0.02)
    samples, lengths = torch.randn(2, 1, 600) * (torch.arange(600) // 75 % 2), torch.tensor([600, 400])
    for _ in range(45):
        latents, num_frames = encoder.encode(samples, lengths)
        loss, _ = prediction(latents, encoder.aggregate(latents, num_frames), num_frames)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in parameters)
    assert float(loss.detach()) < 0.45  # 0.5004 for always answering 1/5


def test_no_future_within_an_utterance_is_no_loss(encoder: Wav2VecEncoder) -> None:
    loss, found = Wav2VecPrediction(encoder.config)(
        torch.ones(1, 6, 2), torch.ones(1, 6, 2), torch.tensor([2])
    )
    assert (float(loss), float(found)) == (0.0, 0.0)
