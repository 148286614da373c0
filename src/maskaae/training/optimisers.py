"""Optimisers; the released script's, TensorFlow 1's RMSProp, differs from torch's in three places.

Adam is written out too, instead of ``torch.optim.Adam(fused=True)``. Measured on one core with torch 2.15: a
step of 20,000 parameters takes 0.1 ms either way, one of 120,000 takes 0.23 ms here and 0.15 ms fused, one of
8 million 18 and 6.5 ms. But the first of torch's optimisers imports torch's compiler, 1.6 to 2.3 s of every
process that trains, its numbers differ in the last bit, and a captured step has to read the learning rate
from the device.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

import torch
from torch import Tensor

logger = logging.getLogger(__name__)


class Optimiser(Protocol):
    """What a training step asks of an optimiser; gradients are read from ``.grad``."""

    def step(self, rate: float | Tensor) -> None:
        """Update every parameter with a learning rate; captured steps give it as one number on the device."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that must be saved to go on later."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to :meth:`state_dict`."""


class TF1RMSProp:
    """RMSProp as in TensorFlow 1 [code].

    ``s <- decay s + (1 - decay) g^2``, ``p <- p - rate g / sqrt(s + epsilon)``. Unlike torch's, epsilon
    stands inside the root, the accumulator starts at one, and decay is 0.9.
    """

    def __init__(self, parameters: Sequence[Tensor], decay: float = 0.9, epsilon: float = 1e-10) -> None:
        self._parameters = list(parameters)
        self._decay, self._epsilon = decay, epsilon
        # Epsilon is kept in the accumulator, s + epsilon: that saves a pass over all parameters.
        self._squares = [torch.full_like(p, 1.0 + epsilon, requires_grad=False) for p in parameters]
        self._shares = [p.new_tensor((1.0 - decay) * epsilon, requires_grad=False) for p in parameters]

    @functools.cached_property
    def _roots(self) -> list[Tensor]:
        """Room for the roots, which a fused step does not need."""
        return [torch.empty_like(square) for square in self._squares]

    @torch.no_grad()
    def step(self, rate: float | Tensor) -> None:
        """Update every parameter from its ``.grad``."""
        for parameter, square, share, root in zip(
            self._parameters, self._squares, self._shares, self._roots, strict=True
        ):
            gradient = cast(Tensor, parameter.grad)
            torch.add(share, square, alpha=self._decay, out=square)
            square.addcmul_(gradient, gradient, value=1.0 - self._decay)
            torch.sqrt(square, out=root)
            if isinstance(rate, Tensor):
                parameter.sub_(torch.div(gradient, root, out=root).mul_(rate))
            else:
                parameter.addcdiv_(gradient, root, value=-rate)

    def state_dict(self) -> dict[str, Any]:
        """Mean squares, epsilon added."""
        return {"squares": self._squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to saved mean squares."""
        for square, saved in zip(self._squares, state["squares"], strict=True):
            square.copy_(saved)


class FusedTF1RMSProp(TF1RMSProp):
    """TensorFlow 1's RMSProp on a GPU, in one pass over the parameters."""

    @torch.no_grad()
    def step(self, rate: float | Tensor) -> None:
        """Update every parameter from its ``.grad``."""
        from maskaae.training.fast.fused import rmsprop_

        for parameter, square in zip(self._parameters, self._squares, strict=True):
            number = rate if isinstance(rate, Tensor) else square.new_full((1,), rate)
            gradient = cast(Tensor, parameter.grad)
            rmsprop_(parameter, gradient, square, number, decay=self._decay, epsilon=self._epsilon)


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1): ``betas`` are the decays of the first and the second moment."""

    def __init__(
        self, parameters: Sequence[Tensor], betas: tuple[float, float], epsilon: float = 1e-8
    ) -> None:
        self._parameters = list(parameters)
        self._betas, self._epsilon = betas, epsilon
        self._means = [torch.zeros_like(p, requires_grad=False) for p in parameters]
        self._squares = [torch.zeros_like(mean) for mean in self._means]
        # The betas to the power of the next step, on the device: a captured step moves them on itself.
        self._decays = torch.tensor(betas, dtype=torch.float64, device=parameters[0].device)
        self._powers = self._decays.clone()

    @functools.cached_property
    def _roots(self) -> list[Tensor]:
        """Room for the roots, which a fused step does not need."""
        return [torch.empty_like(mean) for mean in self._means]

    @torch.no_grad()
    def step(self, rate: float | Tensor) -> None:
        """Update every parameter from its ``.grad``."""
        scale, epsilon = self._next_factors(rate)
        first, second = self._betas
        for parameter, mean, square, root in zip(
            self._parameters, self._means, self._squares, self._roots, strict=True
        ):
            gradient = cast(Tensor, parameter.grad)
            mean.lerp_(gradient, 1.0 - first)
            square.mul_(second).addcmul_(gradient, gradient, value=1.0 - second)
            torch.sqrt(square, out=root).add_(epsilon)
            if isinstance(rate, Tensor):
                parameter.sub_(torch.div(mean, root, out=root).mul_(scale))
            else:
                parameter.addcdiv_(mean, root, value=-float(scale))

    def _next_factors(self, rate: float | Tensor) -> tuple[Tensor, Tensor]:
        """Learning rate and epsilon, both corrected for the moments' start at zero; the powers move on."""
        first, second = (1.0 - self._powers).unbind()
        self._powers.mul_(self._decays)
        root = second.sqrt()
        dtype = self._means[0].dtype
        return (rate * root / first).to(dtype), (self._epsilon * root).to(dtype)

    def state_dict(self) -> dict[str, Any]:
        """Both moments, and the powers that correct for their start."""
        return {"means": self._means, "squares": self._squares, "powers": self._powers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to saved moments."""
        for name in ("means", "squares"):
            for own, saved in zip(getattr(self, f"_{name}"), state[name], strict=True):
                own.copy_(saved)
        self._powers.copy_(state["powers"])


class FusedAdam(Adam):
    """Adam on a GPU, in one pass over the parameters."""

    @torch.no_grad()
    def step(self, rate: float | Tensor) -> None:
        """Update every parameter from its ``.grad``."""
        from maskaae.training.fast.fused import adam_

        factors = torch.stack([factor.reshape(()) for factor in self._next_factors(rate)])
        for parameter, mean, square in zip(self._parameters, self._means, self._squares, strict=True):
            adam_(parameter, cast(Tensor, parameter.grad), mean, square, factors, betas=self._betas)


@functools.cache
def fused_on(device: torch.device) -> bool:
    """Whether a device is a GPU that the fused kernels can be compiled for; says so once if they cannot."""
    if device.type != "cuda":
        return False
    try:
        from maskaae.training.fast.fused import check

        check(device)
    except Exception as error:  # missing Triton, C compiler or driver: each has its own kind
        logger.warning("fused kernels cannot be used (%s): training takes longer", error)
        return False
    return True


class TorchOptimiser:
    """One of torch's optimisers behind our interface."""

    def __init__(self, optimiser: torch.optim.Optimizer) -> None:
        self._optimiser = optimiser

    def step(self, rate: float | Tensor) -> None:
        """Update every parameter from its ``.grad``."""
        self._optimiser.param_groups[0]["lr"] = rate
        self._optimiser.step()

    def state_dict(self) -> dict[str, Any]:
        """Torch's own state."""
        return self._optimiser.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to torch's own state."""
        self._optimiser.load_state_dict(state)


def tf1_rmsprop(parameters: Sequence[Tensor]) -> Optimiser:
    """TensorFlow 1's RMSProp, fused on a GPU."""
    return (FusedTF1RMSProp if fused_on(parameters[0].device) else TF1RMSProp)(parameters)


def torch_rmsprop(parameters: Sequence[Tensor]) -> Optimiser:
    """Torch's RMSProp with the released decay: epsilon outside the root, accumulator from zero."""
    return TorchOptimiser(torch.optim.RMSprop(parameters, alpha=0.9, eps=1e-10))


def adam(parameters: Sequence[Tensor], betas: tuple[float, float]) -> Optimiser:
    """Adam, fused on a GPU."""
    return (FusedAdam if fused_on(parameters[0].device) else Adam)(parameters, betas)


OPTIMISERS: Mapping[str, Callable[[Sequence[Tensor]], Optimiser]] = {
    "tf1_rmsprop": tf1_rmsprop,
    "torch_rmsprop": torch_rmsprop,
    "adam": functools.partial(adam, betas=(0.5, 0.9)),  # usual for adversarial training [our choice]
    "adam_published": functools.partial(adam, betas=(0.9, 0.999)),  # Kingma and Ba, 2015, algorithm 1
    "adam_wae": functools.partial(adam, betas=(0.5, 0.999)),  # the released code of WAE
}
