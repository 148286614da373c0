"""One training step: each update that the model asks for, differentiated and stepped in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from maskaae.models.base import Draw, LatentModel, Update
from maskaae.training.fast.explicit import explicit_updates
from maskaae.training.optimisers import OPTIMISERS, Optimiser, TorchOptimiser


def flatten_parameters_(module: nn.Module) -> nn.Parameter:
    """Lay all parameters of a network into one vector, in place, and their gradients into its ``.grad``.

    The parameters become views: the optimiser then takes a handful of operations on one long vector, where
    it would take as many for each small tensor.
    """
    parameters = list(module.parameters())
    flat = nn.Parameter(torch.cat([parameter.detach().reshape(-1) for parameter in parameters]))
    flat.grad = torch.zeros_like(flat)
    offset = 0
    for parameter in parameters:
        stop = offset + parameter.numel()
        parameter.data = flat.data[offset:stop].view_as(parameter)
        parameter.grad = flat.grad[offset:stop].view_as(parameter)
        offset = stop
    return flat


class Stepper:
    """Takes training steps of a model with one optimiser for each of its parameter groups.

    Parameters
    ----------
    model : LatentModel
        Already on its device; its parameters are laid out anew.
    steps : int
        Length of the run, or the longest, which the annealing of learning rates depends on.
    batch : int or None
        Examples in a batch, for models that have a written-out form. None: every step is the
        model's automatic one, to which tests hold the written-out form.
    """

    def __init__(self, model: LatentModel, steps: int, batch: int | None = None) -> None:
        self.model, self._steps = model, steps
        self._flat = self._flatten_networks()
        self._parameters = model.parameter_groups()
        self._vectors = {name: self._vectors_of(name) for name in self._parameters}
        self._optimisers: dict[str, Optimiser] = {
            name: OPTIMISERS[model.optimiser(name)](vectors) for name, vectors in self._vectors.items()
        }
        explicit = None if batch is None else explicit_updates(model, batch)
        self._updates_with: Callable[[Draw, Any, int], Iterator[Update]] = (
            model.updates_with if explicit is None else explicit.updates_with
        )

    def _flatten_networks(self) -> dict[int, nn.Parameter]:
        """Vector that each parameter now lives in, by the parameter's id."""
        owner: dict[int, nn.Parameter] = {}
        for child in self.model.children():
            parameters = list(child.parameters())
            if parameters:
                flat = flatten_parameters_(child)
                owner |= {id(parameter): flat for parameter in parameters}
        return owner

    def _vectors_of(self, name: str) -> list[nn.Parameter]:
        """Vectors that the parameters of a group live in, each once."""
        return list({id(v): v for v in (self._flat.get(id(p), p) for p in self._parameters[name])}.values())

    @property
    def can_be_captured(self) -> bool:
        """Whether a GPU can replay the steps: torch's own optimisers want their rate from the host."""
        from_device = not any(
            isinstance(optimiser, TorchOptimiser) for optimiser in self._optimisers.values()
        )
        return self.model.can_be_captured and from_device

    def step(self, draw: Draw, step: int) -> dict[str, Tensor]:
        """Take one training step; losses of its updates by name, (times, seed): critics take several."""
        self.model.prepare(step)
        return self.take(draw, self.model.constants(step), self.model.phase(step), self.rates(step))

    def rates(self, step: int) -> dict[str, float]:
        """Learning rate of each update at a step."""
        rates, steps = self.model.learning_rates(step), self.model.run_length(self._steps)
        return {name: rate * self.model.rate_share(name, step, steps) for name, rate in rates.items()}

    def take(
        self,
        draw: Draw,
        constants: tuple[float | Tensor, ...],
        phase: int,
        rates: Mapping[str, float | Tensor],
    ) -> dict[str, Tensor]:
        """Take the updates of one step, each differentiated and stepped before the next is asked for."""
        losses: dict[str, list[Tensor]] = {}
        for name, loss, differentiated in self._updates_with(draw, constants, phase):
            if not differentiated:
                self._differentiate(name, loss)
            self._optimisers[name].step(rates[name])
            losses.setdefault(name, []).append(loss.detach())
        return {name: torch.stack(values) for name, values in losses.items()}

    def _differentiate(self, name: str, loss: Tensor) -> None:
        """Write the gradient of a loss by the parameters of its group."""
        for vector in self._vectors[name]:
            if vector.grad is not None:
                vector.grad.zero_()
        torch.autograd.backward(loss.sum(), inputs=self._parameters[name])

    @torch.no_grad()
    def gradient_norms(self) -> dict[str, Tensor]:
        """Norm of the last gradient of each network and of each parameter outside of them, each (seed,)."""
        owned = {name: list(child.parameters()) for name, child in self.model.named_children()}
        owned |= {
            name.removesuffix("_parameter"): [parameter]
            for name, parameter in self.model.named_parameters(recurse=False)
        }
        squares = {
            name: [p.grad.reshape(len(p), -1).square().sum(dim=1) for p in parameters if p.grad is not None]
            for name, parameters in owned.items()
        }  # every parameter leads with the seed axis
        return {name: torch.stack(parts).sum(dim=0).sqrt() for name, parts in squares.items() if parts}

    def state(self) -> dict[str, Any]:
        """Optimiser states by update name."""
        return {name: optimiser.state_dict() for name, optimiser in self._optimisers.items()}

    def restore(self, states: dict[str, Any]) -> None:
        """Go back to :meth:`state`."""
        for name, optimiser in self._optimisers.items():
            optimiser.load_state_dict(states[name])
