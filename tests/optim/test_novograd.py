"""NovoGrad against values of NeMo's class, and its behavior as a torch optimizer."""

import io
from typing import Any

import pytest
import torch
from torch import Tensor

from linnet.core.errors import ConfigError
from linnet.optim.novograd import NovoGrad

START = (1.0, -2.0, 0.5)


def gradient_at(step: int) -> Tensor:
    return torch.tensor([0.1 * step, -0.2, 0.3 / step])


def train(num_steps: int, weight: Tensor, optimizer: NovoGrad, *, first_step: int = 1) -> None:
    for step in range(first_step, first_step + num_steps):
        weight.grad = gradient_at(step)
        optimizer.step()


@pytest.mark.parametrize(
    ("num_steps", "options", "expected"),
    [
        (1, {"betas": (0.95, 0.98)}, (0.9973274, -1.9946548, 0.4919822)),
        (3, {"betas": (0.95, 0.98)}, (0.9738862, -1.9689422, 0.4666111)),
        (3, {"betas": (0.8, 0.5), "weight_decay": 0.001}, (0.9747874, -1.9709808, 0.4698898)),
        (3, {"betas": (0.8, 0.25), "weight_decay": 0.001}, (0.9744364, -1.9706054, 0.4695959)),
        (
            3,
            {"betas": (0.95, 0.5), "weight_decay": 0.001, "grad_averaging": True},
            (0.9986409, -1.9983952, 0.4982966),
        ),
        (3, {"betas": (0.8, 0.5), "amsgrad": True}, (0.9758396, -1.9719911, 0.4705478)),
    ],
)
def test_weights_follow_the_reference(
    num_steps: int, options: dict[str, Any], expected: tuple[float, ...]
) -> None:
    weight = torch.nn.Parameter(torch.tensor(START))
    train(num_steps, weight, NovoGrad([weight], lr=0.01, **options))
    torch.testing.assert_close(weight.detach(), torch.tensor(expected), atol=2e-7, rtol=0.0)


def test_each_tensor_has_its_own_second_moment() -> None:
    alone = torch.nn.Parameter(torch.tensor(START))
    train(3, alone, NovoGrad([alone], lr=0.01, betas=(0.8, 0.5)))
    together, loud = torch.nn.Parameter(torch.tensor(START)), torch.nn.Parameter(torch.zeros(2, 2))
    optimizer = NovoGrad([together, loud], lr=0.01, betas=(0.8, 0.5))
    for step in range(1, 4):
        loud.grad = torch.full((2, 2), 1e4)
        train(1, together, optimizer, first_step=step)
    torch.testing.assert_close(together, alone)


def test_a_tensor_without_gradient_rests() -> None:
    trained, frozen = torch.nn.Parameter(torch.tensor(START)), torch.nn.Parameter(torch.ones(2))
    train(2, trained, NovoGrad([trained, frozen], lr=0.01, betas=(0.8, 0.5), weight_decay=0.1))
    assert frozen.tolist() == [1.0, 1.0]


def test_the_first_gradient_that_is_not_zero_sets_the_second_moment() -> None:
    weight = torch.nn.Parameter(torch.tensor(START))
    optimizer = NovoGrad([weight], lr=0.01, betas=(0.95, 0.98))
    weight.grad = torch.zeros(3)
    optimizer.step()
    train(1, weight, optimizer)
    expected = torch.tensor([0.9973274, -1.9946548, 0.4919822])
    torch.testing.assert_close(weight.detach(), expected, atol=2e-7, rtol=0.0)


def test_gradients_stay_as_they_were() -> None:
    weight = torch.nn.Parameter(torch.tensor(START))
    train(1, weight, NovoGrad([weight], lr=0.01, betas=(0.8, 0.5), weight_decay=0.1))
    torch.testing.assert_close(weight.grad, gradient_at(1))


def test_a_saved_state_goes_on_where_it_stopped() -> None:
    options: dict[str, Any] = {"lr": 0.01, "betas": (0.8, 0.5), "amsgrad": True}
    straight = torch.nn.Parameter(torch.tensor(START))
    train(6, straight, NovoGrad([straight], **options))
    first = torch.nn.Parameter(torch.tensor(START))
    stopped = NovoGrad([first], **options)
    train(3, first, stopped)
    file = io.BytesIO()
    torch.save(stopped.state_dict(), file)
    file.seek(0)
    second = torch.nn.Parameter(first.detach().clone())
    resumed = NovoGrad([second], **options)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    train(3, second, resumed, first_step=4)
    assert second.tolist() == straight.tolist()


def test_a_closure_gives_its_loss() -> None:
    weight = torch.nn.Parameter(torch.tensor(START))
    optimizer = NovoGrad([weight], lr=0.01, betas=(0.8, 0.5))

    def closure() -> float:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == pytest.approx(5.25)
    assert weight.square().sum().item() < 5.25


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"lr": -1.0, "betas": (0.8, 0.5)}, "lr=-1.0"),
        ({"lr": 0.1, "betas": (0.8, 1.0)}, r"betas=\(0.8, 1.0\)"),
        ({"lr": 0.1, "betas": (0.8, 0.5), "weight_decay": float("nan")}, "weight_decay=nan"),
    ],
)
def test_a_value_out_of_range_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        NovoGrad([torch.nn.Parameter(torch.zeros(1))], **options)
