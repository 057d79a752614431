"""The NovoGrad optimizer: one second moment per tensor instead of one per weight."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from linnet.optim.ranges import check_ranges
from linnet.optim.stepping import SteppingOptimizer


class NovoGrad(SteppingOptimizer):
    """Stochastic gradient descent with layer-wise normalized gradients (https://arxiv.org/abs/1905.11286).

    For each tensor w with gradient g (algorithm 1 of the paper, in the form that NeMo trains with):

        v = ‖g‖²                            at the first gradient that is not zero
        v = β₂·v + (1 − β₂)·‖g‖²            after it
        m = β₁·m + a·(g / (√v + eps) + d·w)  a = 1 − β₁ with grad_averaging, else 1; d is the weight decay
        w = w − lr·m

    The weight decay goes through the momentum, but is not divided by √v.

    Args:
        params: the tensors to train, or groups of them; the tensors of a group live on one device.
        lr: learning rate.
        betas: (β₁, β₂), each in [0, 1).
        eps: keeps the division finite.
        weight_decay: d above.
        grad_averaging: scale new terms of the momentum by 1 − β₁, so that m is a mean and not a sum.
        amsgrad: divide by the largest v so far.

    Raises:
        ConfigError: when a value is outside its range.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float,
        betas: tuple[float, float],
        *,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        grad_averaging: bool = False,
        amsgrad: bool = False,
    ) -> None:
        check_ranges("NovoGrad", betas, lr=lr, eps=eps, weight_decay=weight_decay)
        options = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, options | {"grad_averaging": grad_averaging, "amsgrad": amsgrad})

    def update(self) -> None:
        """Move each group by algorithm 1."""
        for group in self.param_groups:
            trained = [weight for weight in group["params"] if weight.grad is not None]
            if trained:
                self._step_group(group, trained)

    def _step_group(self, group: dict[str, Any], weights: list[Tensor]) -> None:
        beta1, _ = group["betas"]
        momenta = [self._state_of(weight)["momentum"] for weight in weights]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        new_share = 1.0 - beta1 if group["grad_averaging"] else 1.0
        # One call for all tensors each: a hundred small ones would spend their time in Python otherwise.
        scales = list((new_share / self._gradient_norms(group, weights, gradients)).unbind())
        torch._foreach_mul_(momenta, beta1)
        torch._foreach_addcmul_(momenta, gradients, scales)
        if group["weight_decay"]:
            torch._foreach_add_(momenta, weights, alpha=group["weight_decay"] * new_share)
        torch._foreach_add_(weights, momenta, alpha=-group["lr"])

    def _gradient_norms(
        self, group: dict[str, Any], weights: list[Tensor], gradients: list[Tensor]
    ) -> Tensor:
        """Update the second moments; return √v + eps of each tensor, as one vector."""
        _, beta2 = group["betas"]
        states = [self._state_of(weight) for weight in weights]
        stored = [state["second_moment"] for state in states]
        squares = torch.stack(torch._foreach_norm(gradients)).float().square()
        before = torch.stack(stored)
        after = torch.where(before == 0.0, squares, beta2 * before + (1.0 - beta2) * squares)
        torch._foreach_copy_(stored, after.unbind())
        if group["amsgrad"]:
            largest = [state["largest_second_moment"] for state in states]
            torch._foreach_maximum_(largest, stored)
            after = torch.stack(largest)
        eps: float = group["eps"]
        return after.sqrt() + eps

    def _state_of(self, weight: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
            for name in ("second_moment", "largest_second_moment"):
                state[name] = torch.zeros((), dtype=torch.float32, device=weight.device)
        return state
