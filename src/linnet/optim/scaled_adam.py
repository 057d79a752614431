"""The ScaledAdam optimizer: updates in proportion to the size of each tensor, and a learned size."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import ParamsT

from linnet.optim.ranges import check_ranges
from linnet.optim.stepping import SteppingOptimizer

SIZE_LR_FACTOR = 0.1  # learning rate of sizes and of tensors with one value, relative to all others
SIZE_PERIOD = 4  # steps between two changes of a size
MIN_RMS, MAX_RMS, MAX_SCALAR = 1e-5, 3.0, 10.0
MAX_SIZE_STEP = 0.1
NORM_PERIOD = 100  # steps between two estimates of how large gradients are
EARLY_ESTIMATES = (10, 20, 40)  # and the steps before the first of them; clipped at twice the threshold
BIAS_CORRECTED_BELOW = 0.99

State = dict[str, Any]


class ScaledAdam(SteppingOptimizer):
    """Adam for tensors of any size (https://arxiv.org/abs/2310.11230, §3.5 and appendix A.1).

    A tensor p with gradient g moves by −lr · max(rms(p), 10⁻⁵) · g/(√v + eps), v being Adam's second moment,
    so that lr means a relative change. Every fourth step its size is learned as well: p is stretched by what
    Adam makes of the last four ⟨p, g⟩, at a tenth of the rate and by at most 10 %. Both go through one
    momentum, β₁. Tensors of one value have no size: they get Adam at a tenth of the rate, and stay in
    [−10, 10].

    Gradients are clipped together, by the norm of all g · rms(p): to `clipping_scale` times the median of
    that norm over the last 100 steps (estimated anew every 100 steps, at first at steps 10, 20 and 40 with
    twice the threshold). A step whose norm is no number leaves only momentum.

    Tensors of one shape are updated as one, as in icefall: many small tensors cost little more than one.

    Args:
        params: the tensors to train, or groups of them; all live on one device.
        lr: learning rate.
        betas: (β₁, β₂), each in [0, 1).
        eps: keeps the division finite.
        clipping_scale: as above; 0 clips nothing.

    Raises:
        ConfigError: when a value is outside its range.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 0.045,
        betas: tuple[float, float] = (0.9, 0.98),
        *,
        eps: float = 1e-8,
        clipping_scale: float = 2.0,
    ) -> None:
        check_ranges("ScaledAdam", betas, lr=lr, eps=eps, clipping_scale=clipping_scale)
        super().__init__(
            params, {"lr": lr, "betas": betas, "eps": eps, "clipping_scale": clipping_scale, "step": 0}
        )

    def update(self) -> None:
        """Move the tensors of one shape at once, all gradients clipped alike."""
        batches = [_Batch(self, group, alike) for group in self.param_groups for alike in _by_shape(group)]
        first = self.param_groups[0]
        factor = self._clipping_factor(first, batches) if batches else 1.0
        for batch in batches:
            batch.update(factor)
        for group in self.param_groups:
            group["step"] += 1

    def _clipping_factor(self, group: dict[str, Any], batches: Sequence["_Batch"]) -> float:
        """Give the factor on all gradients, at most 1, and take note of their norm."""
        step: int = group["step"]
        if not group["clipping_scale"] or step == 0:
            return 1.0
        norm = torch.stack([batch.squared_norm() for batch in batches]).sum().sqrt().cpu()
        norms: Tensor = group.setdefault("norms", torch.zeros(NORM_PERIOD))
        norms[step % NORM_PERIOD] = norm
        if step % NORM_PERIOD == 0 or step in EARLY_ESTIMATES:
            recent = norms if step % NORM_PERIOD == 0 else norms[1 : step + 1]
            median = float(recent.sort().values[len(recent) // 4 * 2])
            group["threshold"] = median * group["clipping_scale"] * (2.0 if step in EARLY_ESTIMATES else 1.0)
        if not torch.isfinite(norm):
            return 0.0
        threshold: float = group.get("threshold", float("inf"))
        return min(1.0, threshold / (float(norm) + 1e-20))


def _by_shape(group: dict[str, Any]) -> list[list[Tensor]]:
    """Sort the tensors of a group by shape and type."""
    alike: dict[tuple[torch.dtype, torch.Size], list[Tensor]] = {}
    for weight in group["params"]:
        if weight.requires_grad:
            alike.setdefault((weight.dtype, weight.shape), []).append(weight)
    return list(alike.values())


class _Batch:
    """Tensors of one shape for one step, stacked; the first of them keeps the state of all."""

    def __init__(self, optimizer: ScaledAdam, group: dict[str, Any], weights: list[Tensor]) -> None:
        self.group, self.weights = group, weights
        self.stacked = torch.stack(weights)
        self.gradient = torch.stack(
            [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        )
        self.dims = tuple(range(1, self.stacked.dim()))
        self.is_scalar = self.stacked[0].numel() == 1
        self.state: State = optimizer.state[weights[0]]
        if not self.state or self.state["moved"].shape != self.stacked.shape:
            self.state.clear()
            self.state.update(self._fresh_state())

    def squared_norm(self) -> Tensor:
        """Σ (g · rms(p))²; of single values, whose steps do not grow with them, Σ (0.1 · g)²."""
        scale = SIZE_LR_FACTOR if self.is_scalar else self.state["rms"]
        return (self.gradient * scale).square().sum()

    def update(self, factor: float) -> None:
        """Move the tensors once, with gradients that are multiplied by `factor`."""
        if factor == 0.0:
            self.gradient.zero_()  # what is no number would stay none
        elif factor != 1.0:
            self.gradient.mul_(factor)
        self.state["step"] += 1
        self.state["moved"].mul_(self.group["betas"][0])
        if self.is_scalar:
            self._move_scalars()
        else:
            self._resize()
            self._move()
        torch._foreach_copy_(self.weights, self.stacked.unbind())

    def _fresh_state(self) -> State:
        state: State = {
            "step": 0,
            "moved": torch.zeros_like(self.stacked),  # the momentum
            "second_moment": torch.zeros_like(self.stacked),
        }
        if not self.is_scalar:
            rms = self._rms()
            state |= {
                "rms": rms,
                "size_gradients": rms.new_zeros(SIZE_PERIOD, *rms.shape),
                "size_second_moment": torch.zeros_like(rms),
            }
        return state

    def _rms(self) -> Tensor:
        return self.stacked.square().mean(self.dims, keepdim=True).sqrt()

    def _resize(self) -> None:
        """Take note of ⟨p, g⟩, and every fourth step stretch or shrink the tensors by it."""
        step: int = self.state["step"]
        gradients, rms, moment = (
            self.state[name] for name in ("size_gradients", "rms", "size_second_moment")
        )
        gradients[(step - 1) % SIZE_PERIOD] = (self.stacked * self.gradient).sum(self.dims, keepdim=True)
        if step % SIZE_PERIOD:
            return
        rms.copy_(self._rms())
        beta1, beta2 = self.group["betas"]
        beta2 **= SIZE_PERIOD
        moment.mul_(beta2).add_(gradients.square().mean(0), alpha=1.0 - beta2)
        correction = (1.0 - beta2 ** (step // SIZE_PERIOD)) ** 0.5
        stretch = gradients.sum(0) * (-self.group["lr"] * SIZE_LR_FACTOR * correction)
        stretch = (stretch / (moment.sqrt() + self.group["eps"])).masked_fill(rms < MIN_RMS, 0.0)
        stretch = torch.minimum(stretch.clamp(-MAX_SIZE_STEP, MAX_SIZE_STEP), (MAX_RMS - rms) / rms)
        self.state["moved"].add_(self.stacked * stretch, alpha=1.0 - beta1)

    def _move(self) -> None:
        beta1, beta2 = self.group["betas"]
        moment: Tensor = self.state["second_moment"]
        moment.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1.0 - beta2)
        correction = 1.0 - beta2 ** self.state["step"]
        if correction < BIAS_CORRECTED_BELOW:
            moment = moment / correction
        rate = self.state["rms"].clamp(min=MIN_RMS) * (-self.group["lr"] * (1.0 - beta1))
        self.state["moved"].add_(self.gradient / moment.sqrt().add_(self.group["eps"]) * rate)
        self.stacked.add_(self.state["moved"])

    def _move_scalars(self) -> None:
        beta1, beta2 = self.group["betas"]
        moment: Tensor = self.state["second_moment"]
        moment.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1.0 - beta2)
        root = (moment / (1.0 - beta2 ** self.state["step"])).sqrt()
        rate = -self.group["lr"] * SIZE_LR_FACTOR * (1.0 - beta1)
        self.state["moved"].add_(self.gradient / (root + self.group["eps"]), alpha=rate)
        self.stacked.clamp_(-MAX_SCALAR, MAX_SCALAR).add_(self.state["moved"])
