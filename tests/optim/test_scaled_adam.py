"""ScaledAdam against values of icefall's class, its clipping, and its behavior as a torch optimizer."""

import io

import pytest
import torch
from torch import Tensor, nn

from linnet.core.errors import ConfigError
from linnet.optim.scaled_adam import MAX_RMS, MAX_SCALAR, ScaledAdam

MATRIX = ((1.0, -2.0, 0.5), (0.1, 0.2, -0.3))


def weights() -> tuple[nn.Parameter, nn.Parameter]:
    return nn.Parameter(torch.tensor(MATRIX)), nn.Parameter(torch.tensor([0.5]))


def train(optimizer: ScaledAdam, matrix: Tensor, bias: Tensor, steps: range) -> None:
    for step in steps:
        matrix.grad = torch.tensor([[0.1 * step, -0.2, 0.3 / step], [0.05, -0.01 * step, 0.02]])
        bias.grad = torch.tensor([0.3 - 0.05 * step])
        optimizer.step()


def train_alone(weight: Tensor, gradients: list[Tensor], clipping_scale: float = 2.0) -> ScaledAdam:
    optimizer = ScaledAdam([weight], lr=0.01, clipping_scale=clipping_scale)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
    return optimizer


def test_weights_follow_the_reference() -> None:
    matrix, bias = weights()
    optimizer = ScaledAdam([matrix, bias])
    train(optimizer, matrix, bias, range(1, 2))
    assert matrix[0, 0].item() == pytest.approx(0.995735, abs=1e-6)
    assert bias.item() == pytest.approx(0.49955, abs=1e-6)
    train(optimizer, matrix, bias, range(2, 9))
    expected = torch.tensor([[0.828735, -1.860015, 0.426908], [-0.022196, 0.36003, -0.418452]])
    torch.testing.assert_close(matrix.detach(), expected, atol=1e-6, rtol=0.0)
    assert bias.item() == pytest.approx(0.492969, abs=1e-6)


def test_tensors_of_one_shape_do_not_see_each_other() -> None:
    """Both in one stack, with gradients far apart, move as each does alone."""
    gradients = [torch.randn(3, 4, generator=torch.Generator().manual_seed(seed)) for seed in range(6)]
    alone = [nn.Parameter(torch.full((3, 4), size)) for size in (0.1, 2.0)]
    for weight, scale in zip(alone, (1.0, 100.0), strict=True):
        train_alone(weight, [scale * gradient for gradient in gradients])
    together = [nn.Parameter(torch.full((3, 4), size)) for size in (0.1, 2.0)]
    optimizer = ScaledAdam(together, lr=0.01)
    for gradient in gradients:
        for weight, scale in zip(together, (1.0, 100.0), strict=True):
            weight.grad = scale * gradient
        optimizer.step()
    torch.testing.assert_close(together, alone)


def test_a_step_is_relative_to_the_size_of_the_tensor() -> None:
    small, large = (nn.Parameter(torch.tensor([[0.01, -0.02]]) * scale) for scale in (1.0, 100.0))
    for weight in (small, large):
        train_alone(weight, [torch.tensor([[0.3, 0.1]])] * 3)
    torch.testing.assert_close(small * 100, large)


def test_clipping_holds_back_an_outlier_from_the_tenth_step_on() -> None:
    usual, outlier = torch.tensor([[0.1, -0.1]]), torch.tensor([[50.0, 50.0]])
    moved: dict[float, float] = {}
    for clipping_scale in (0.0, 2.0):
        weight = nn.Parameter(torch.tensor([[1.0, 1.0]]))
        optimizer = train_alone(weight, [usual] * 12, clipping_scale)
        before = weight.detach().clone()
        weight.grad = outlier
        optimizer.step()
        moved[clipping_scale] = optimizer.state[weight]["second_moment"].max().item()
        assert not torch.equal(before, weight)
    # Norms were near 0.141 and the threshold is twice twice their median: 0.566 instead of 70.7.
    assert moved[2.0] < moved[0.0] / 1000


def test_the_threshold_is_a_multiple_of_the_median_norm() -> None:
    weight = nn.Parameter(torch.tensor([[1.0, 1.0]]))
    gradients = [torch.full((1, 2), 0.1 * (step % 5 + 1)) for step in range(11)]
    weight.grad = None
    optimizer = train_alone(weight, gradients)
    group = optimizer.param_groups[0]
    median = group["norms"][1:11].sort().values[4].item()
    assert group["threshold"] == pytest.approx(2.0 * 2.0 * median)


def test_a_gradient_that_is_no_number_moves_nothing_but_momentum() -> None:
    weight = nn.Parameter(torch.tensor([[1.0, 1.0]]))
    optimizer = train_alone(weight, [torch.tensor([[0.1, 0.2]])] * 3)
    weight.grad = torch.tensor([[float("nan"), 1.0]])
    optimizer.step()
    assert torch.isfinite(weight).all()


def test_sizes_stay_within_their_bounds() -> None:
    weight, scalar = nn.Parameter(torch.full((2, 2), 2.9)), nn.Parameter(torch.tensor(9.9))
    optimizer = ScaledAdam([weight, scalar], lr=0.02, clipping_scale=0.0)
    for _ in range(200):
        weight.grad, scalar.grad = -weight.detach().clone(), torch.tensor(-1.0)
        optimizer.step()
    assert weight.square().mean().sqrt() < 1.5 * MAX_RMS  # each step still moves it a little
    assert scalar.item() < MAX_SCALAR + 1.0


def test_a_tensor_without_gradient_rests() -> None:
    trained, resting = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = ScaledAdam([trained, resting])
    for _ in range(5):
        trained.grad = torch.ones(2, 2)
        optimizer.step()
    assert resting.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert (trained < 1.0).all()


def test_a_tensor_unfrozen_later_starts_with_a_state_of_its_own() -> None:
    trained, frozen = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    frozen.requires_grad = False
    optimizer = ScaledAdam([frozen, trained])
    for step in range(6):
        frozen.requires_grad = step >= 3
        trained.grad = torch.full((2, 2), 0.5)
        frozen.grad = torch.full((2, 2), 0.5) if step >= 3 else None
        optimizer.step()
    assert 0.9 < frozen[0, 0].item() < 1.0


def test_a_saved_state_goes_on_where_it_stopped() -> None:
    straight = weights()
    train(ScaledAdam(straight), *straight, range(1, 25))
    first = weights()
    stopped = ScaledAdam(first)
    train(stopped, *first, range(1, 14))
    file = io.BytesIO()
    torch.save(stopped.state_dict(), file)
    file.seek(0)
    second = nn.Parameter(first[0].detach().clone()), nn.Parameter(first[1].detach().clone())
    resumed = ScaledAdam(second)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    train(resumed, *second, range(14, 25))
    for ours, expected in zip(second, straight, strict=True):
        assert torch.equal(ours, expected)


def test_a_closure_gives_its_loss() -> None:
    weight = nn.Parameter(torch.tensor(MATRIX))
    optimizer = ScaledAdam([weight])

    def closure() -> float:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == pytest.approx(5.39)
    assert weight.square().sum().item() < 5.39


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"lr": -1.0}, "lr=-1.0"),
        ({"betas": (0.8, 1.0)}, r"betas=\(0.8, 1.0\)"),
        ({"clipping_scale": float("nan")}, "clipping_scale=nan"),
    ],
)
def test_a_value_out_of_range_is_named(options: dict[str, float], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        ScaledAdam([nn.Parameter(torch.zeros(1))], **options)  # type: ignore[arg-type]
