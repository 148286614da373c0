"""What every latent-variable model of the pipeline offers to training and to evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from maskaae.method.schedules import annealing_factor
from maskaae.method.spec import ModelSpec


class Draw(NamedTuple):
    """Random numbers of one training step; each tensor starts with the seed axis.

    Attributes
    ----------
    batches : Tensor
        Fresh batches, (update, seed, batch, D).
    prior : Tensor
        Standard normal codes, (noise, seed, batch, m).
    mix : Tensor
        Uniform numbers for the gradient penalty, (critic step, seed, batch, 1).
    cuts : Tensor
        Uniform numbers that say after how many dimensions to cut codes off, (update, seed, batch, 1).
    """

    batches: Tensor
    prior: Tensor
    mix: Tensor
    cuts: Tensor = torch.empty(0)


class DrawSizes(NamedTuple):
    """How many batches, prior draws, mixing draws and cuts one training step of a model takes."""

    batches: int
    prior: int
    mix: int
    cuts: int = 0


class Update(NamedTuple):
    """One optimiser step that a model asks for.

    Attributes
    ----------
    name : str
        Parameter group to update; also the name of the loss in the history.
    loss : Tensor
        Shape (seed,).
    differentiated : bool
        Whether the gradient already stands in the parameters' ``.grad``.
    """

    name: str
    loss: Tensor
    differentiated: bool = False


class LatentModel(nn.Module, ABC):
    """A model with an encoder and a decoder, for all its seeds at once.

    A subclass gives its networks, its parameter groups and, in :meth:`updates`, its training step; loop,
    optimisers, checkpoints, evaluation and figures are shared.
    """

    encoder: nn.Module
    decoder: nn.Module
    lost: dict[int, str]
    """Seeds whose training diverged, each with what was not finite and when; their weights are void."""

    can_be_captured: ClassVar[bool] = True
    """Whether a GPU may replay training steps from a graph: nothing in them waits for the device."""

    fitted_examples: int = 0
    """Training examples whose codes :meth:`fit_codes` is given before a checkpoint; 0: it is not called."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.lost = {}

    @classmethod
    def training_spec(cls, spec: ModelSpec) -> ModelSpec:
        """Specification of the form that is trained: the same, as a rule."""
        return spec

    def stored_form(self) -> LatentModel:
        """The model as it is evaluated and stored: itself, as a rule."""
        return self

    @property
    def m(self) -> int:
        """Capacity: the assumed latent dimension; with the room beyond it, of a form that only trains."""
        return self.spec.m

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds, in the order of the seed axis."""
        return self.spec.seeds

    @property
    def mu(self) -> Tensor:
        """Mask values, (seed, m); one everywhere for a model without a mask."""
        return torch.ones(len(self.seeds), self.m, device=next(self.parameters()).device)

    @property
    def active(self) -> Tensor:
        """Which dimensions the model uses, booleans (seed, m), by its own notion: all, unless it says so."""
        return torch.ones(len(self.seeds), self.m, dtype=torch.bool, device=self.mu.device)

    @property
    def stored_active(self) -> Tensor:
        """The same of the dimensions of the stored form, (seed, capacity)."""
        return self.active[:, : self.spec.capacity]

    @property
    def noise_size(self) -> int:
        """Standard normal numbers that :meth:`generate` makes one example of."""
        return self.m

    def encode(self, x: Tensor) -> Tensor:
        """Unmasked codes (seed, batch, m) of data (seed, batch, D)."""
        codes: Tensor = self.encoder(x)
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """Data (seed, batch, D) of masked codes (seed, batch, m); images in [0, 1]."""
        output: Tensor = self.decoder(codes)
        return torch.sigmoid(output) if self.spec.kind == "images" else output

    def inference_mask(self, mask: str) -> Tensor:
        """Mask that codes pass on their way to the decoder, (seed, m): ``binary`` or ``soft``.

        A model without a mask whose ``active`` only counts dimensions gives ones for both.
        """
        masks = {"binary": lambda: self.active.to(self.mu.dtype), "soft": lambda: self.mu}
        if mask not in masks:
            raise ValueError(f"mask = {mask!r}: must be 'binary' or 'soft'")
        return masks[mask]()

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Decode standard normal noise (seed, batch, noise_size) through the mask."""
        return self.decode(noise * self.inference_mask(mask).unsqueeze(1))

    def reconstruct(self, x: Tensor, mask: str = "binary") -> Tensor:
        """Encode and decode data (seed, batch, D) through the mask."""
        return self.decode(self.encode(x) * self.inference_mask(mask).unsqueeze(1))

    @property
    @abstractmethod
    def draw_sizes(self) -> DrawSizes:
        """How many random draws one training step takes."""

    @abstractmethod
    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters that each named update changes."""

    @abstractmethod
    def learning_rates(self, step: int) -> dict[str, float]:
        """Learning rate of each named update at a step."""

    def rate_share(self, group: str, step: int, steps: int) -> float:
        """Share of its learning rate that a parameter group has at a step of a run."""
        return annealing_factor(step, steps, self.spec.hyperparameters.annealing)

    def prepare(self, step: int) -> None:
        """Do what is due between two training steps, before the one that is named; nothing, as a rule."""

    def optimiser(self, group: str) -> str:
        """Kind of optimiser of a parameter group, one of ``maskaae.training.optimisers.OPTIMISERS``."""
        return self.spec.hyperparameters.fidelity.optimiser

    def updates(self, draw: Draw, step: int) -> Iterator[Update]:
        """Yield the losses of a training step in order; each is stepped before the next is asked for."""
        return self.updates_with(draw, self.constants(step), self.phase(step))

    @abstractmethod
    def updates_with(self, draw: Draw, constants: Any, phase: int) -> Iterator[Update]:
        """Yield them for a step that is given by its constants and its phase instead of its number.

        On a GPU a step is captured once for each phase and replayed, so what changes from step to step must
        come from ``draw`` and ``constants``, and nothing may be read back from the device.
        """

    def constants(self, step: int) -> tuple[float | Tensor, ...]:
        """Numbers in the losses that change over a run, at a step; none, as a rule."""
        return ()

    def phase(self, step: int) -> int:
        """Which of a model's kinds of steps a step is: kinds ask for different updates; one, as a rule."""
        return 0

    def fit_codes(self, codes: Tensor) -> None:
        """Fit what the model wants to know of its codes: a sampler of latent space, the dimensions in use.

        The training loop calls it just before each checkpoint. Only buffers may change, so that what was
        fitted is in the checkpoint and in the resume state; random numbers come from the model's seeds.

        Parameters
        ----------
        codes : Tensor
            What :meth:`encode` makes, in evaluation mode, of ``fitted_examples`` training examples spread
            evenly over the training split (of all, if they are fewer), (seed, example, m).
        """

    def monitors(self) -> dict[str, Tensor]:
        """Return quantities of the last training step worth keeping beside the losses, each (seed,)."""
        return {}
