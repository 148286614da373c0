"""Optimisers; the released script's, TensorFlow 1's RMSProp, differs from torch's in three places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Adam, Optimizer, RMSprop


class TF1RMSProp(Optimizer):
    """RMSProp as in TensorFlow 1 [code].

    ``s <- decay s + (1 - decay) g^2``, ``p <- p - rate g / sqrt(s + epsilon)``. Unlike torch's, epsilon
    stands inside the root, the accumulator starts at one, and decay is 0.9.

    Parameters
    ----------
    parameters : iterable of Parameter
        What to update.
    lr : float
        Learning rate.
    decay : float
        Decay of the mean square.
    epsilon : float
        Added to the mean square, inside the root.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], lr: float, decay: float = 0.9, epsilon: float = 1e-10
    ) -> None:
        super().__init__(parameters, {"lr": lr, "decay": decay, "epsilon": epsilon})
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["mean_square"] = torch.ones_like(parameter)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update every parameter from its ``.grad``."""
        for group in self.param_groups:
            parameters = group["params"]
            gradients = [parameter.grad for parameter in parameters]
            squares = [self.state[parameter]["mean_square"] for parameter in parameters]
            torch._foreach_mul_(squares, group["decay"])
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["decay"])
            roots = torch._foreach_add(squares, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(parameters, gradients, roots, -group["lr"])


def _torch_rmsprop(parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
    """Torch's RMSProp with the released decay: epsilon outside the root, accumulator from zero."""
    return RMSprop(parameters, lr=lr, alpha=0.9, eps=1e-10)


def _adam(parameters: Iterable[nn.Parameter], lr: float) -> Optimizer:
    """Adam with the first moment at 0.5, the usual choice for adversarial training [our choice]."""
    return Adam(parameters, lr=lr, betas=(0.5, 0.9))


OPTIMISERS: Mapping[str, Callable[[Iterable[nn.Parameter], float], Optimizer]] = {
    "tf1_rmsprop": TF1RMSProp,
    "torch_rmsprop": _torch_rmsprop,
    "adam": _adam,
}
