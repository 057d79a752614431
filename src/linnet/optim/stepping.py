"""What a step of an optimizer of ours is: gradients, from a closure if one is given, then one update."""

from abc import abstractmethod
from collections.abc import Callable
from typing import overload

import torch
from torch.optim.optimizer import Optimizer


class SteppingOptimizer(Optimizer):
    """An optimizer that says in `update` how it moves the weights by their gradients."""

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move the weights once; `closure`, when given, computes the gradients and returns the loss."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self.update()
        return loss

    @abstractmethod
    def update(self) -> None:
        """Move the weights once by the gradients they have; called without autograd."""
