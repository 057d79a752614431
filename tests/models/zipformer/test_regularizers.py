"""What bends gradients in training: in the right direction, seldom or often, and never the values."""

import pytest
import torch
from torch import Tensor, nn

from linnet.models.layers.schedule import Clock
from linnet.models.zipformer.regularizers import Balancer, Whiten, limited, penalized, with_scaled_gradient

END = Clock(float("inf"))


def gradient(module: nn.Module, x: Tensor) -> Tensor:
    """What reaches x of a gradient of ones."""
    x = x.clone().requires_grad_()
    out = module(x)
    assert torch.equal(out, x)
    out.sum().backward()
    assert x.grad is not None
    return x.grad


def test_a_balancer_pushes_values_that_are_too_often_negative_up() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 4) + torch.tensor([-3.0, 0.0, 0.0, 3.0])
    bent = gradient(Balancer(END, (0.3, 0.7), (0.0, 100.0), probability=1.0), x) - 1.0
    assert bent[:, 0].mean() < 0 < bent[:, 3].mean()  # a step goes against the gradient
    torch.testing.assert_close(bent[:, 1:3], torch.zeros(50, 2))
    rms = bent[:, [0, 3]].square().mean(0).sqrt()
    torch.testing.assert_close(rms, torch.full((2,), 0.04))


def test_a_balancer_keeps_magnitudes_within_bounds() -> None:
    torch.manual_seed(0)
    x = torch.randn(400, 3) * torch.tensor([0.01, 1.0, 50.0])
    bent = gradient(Balancer(END, (0.0, 1.0), (0.5, 5.0), probability=1.0), x) - 1.0
    assert (bent[:, 0] * x[:, 0]).sum() < 0 < (bent[:, 2] * x[:, 2]).sum()
    torch.testing.assert_close(bent[:, 1], torch.zeros(400))


def test_a_balancer_looks_along_its_channels() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 40) + torch.tensor([-3.0, 0.0, 0.0])[:, None]
    bent = gradient(Balancer(END, (0.3, 0.7), (0.0, 9.0), probability=1.0, channel_dim=1), x) - 1.0
    assert bent[:, 0].mean() < 0
    assert not bent[:, 1:].any()


def test_whitening_reduces_the_share_of_the_first_direction() -> None:
    torch.manual_seed(0)
    x = torch.randn(60, 1) @ torch.randn(1, 6) + 0.1 * torch.randn(60, 6)
    module = Whiten(END, 2.0)
    module.OFTEN = 1.0
    added = gradient(module, x) - 1.0
    assert added.norm().item() == pytest.approx(0.01 * 360**0.5, rel=1e-4)
    assert module.penalty(x - 20.0 * added)[0] < module.penalty(x)[0]
    values = x.clone().requires_grad_()
    centered = values - values.mean(0)
    eigenvalues = torch.linalg.eigvalsh(centered.T @ centered)
    metric = eigenvalues.square().mean() / eigenvalues.mean().square()
    assert module.penalty(x)[0] == pytest.approx(metric.item(), rel=1e-4)
    (expected,) = torch.autograd.grad(metric, values)
    torch.testing.assert_close(added / added.norm(), expected / expected.norm(), atol=1e-3, rtol=0)
    assert module.broke_limit


def test_whitening_leaves_white_values_alone_and_looks_seldom_then() -> None:
    torch.manual_seed(0)
    module = Whiten(END, 2.0, num_groups=2)
    module.OFTEN = 1.0
    torch.testing.assert_close(gradient(module, torch.randn(500, 6)), torch.ones(500, 6))
    assert not module.broke_limit
    loaded = Whiten(END, 2.0, num_groups=2)
    loaded.load_state_dict(module.state_dict())
    assert not loaded.broke_limit


@pytest.mark.parametrize("module", [Balancer(END, (0.9, 1.0), (5.0, 9.0), probability=1.0), Whiten(END, 1.0)])
def test_evaluation_leaves_gradients_alone(module: nn.Module) -> None:
    module.eval()
    torch.testing.assert_close(gradient(module, torch.randn(9, 6)), torch.ones(9, 6))


def test_a_parameter_out_of_bounds_is_only_led_back() -> None:
    parameter = nn.Parameter(torch.tensor([-2.0, 0.0, 2.0, -2.0, 2.0]))
    weights = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0])
    (limited(parameter, -1.0, 1.0, probability=1.0) * weights).sum().backward()
    assert parameter.grad is not None
    assert parameter.grad.tolist() == [-1.0, 1.0, 1.0, -1.0, 1.0]


def test_scores_beyond_the_limit_are_pulled_back_for_each_utterance() -> None:
    scores = torch.tensor([[26.0, 3.0], [-30.0, 25.0]], requires_grad=True)
    penalized(scores).sum().backward()
    assert scores.grad is not None
    torch.testing.assert_close(
        scores.grad - 1.0, torch.tensor([[5e-5, 0.0], [-5e-5, 0.0]]), atol=1e-7, rtol=0
    )


def test_a_gradient_is_scaled() -> None:
    x = torch.ones(3, requires_grad=True)
    with_scaled_gradient(x, 0.2).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full((3,), 0.2))
