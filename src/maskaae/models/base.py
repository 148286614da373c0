"""What every latent-variable model offers to training and to evaluation.

To write a model, derive `LatentModel`, give `updates_with` and `learning_rates`, and override what differs
from the defaults; docs/extending.md does it in one page. A training step goes as follows::

    model.prepare(step)                                   # host work between steps; nothing, as a rule
    constants, phase = model.constants(step), model.phase(step)
    for name, loss, _ in model.updates_with(draw, constants, phase):
        # differentiate loss by model.parameter_groups()[name], step that group's optimiser, ask for the next

On a GPU the loop is captured once for each phase, as a graph, and replayed. Therefore

- all that changes from step to step comes from ``draw`` (random numbers of the sizes `draw_sizes`) and from
  ``constants`` (factors on losses; tensors on the device when captured, floats otherwise);
- which updates there are, and everything else that Python decides, depends on ``phase`` alone;
- nothing in ``updates_with`` reads a number back from the device: no ``.item()``, no index of booleans, no
  tensor made of the host's numbers. A model that cannot do without sets ``can_be_captured = False``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from maskaae.method.schedules import annealing_factor
from maskaae.method.spec import ModelSpec
from maskaae.networks.mlp import Mlp
from maskaae.randomness import torch_generator

NO_CUTS = torch.empty(0)


class Draw(NamedTuple):
    """Random numbers of one training step; a model says in `DrawSizes` how many of each it takes."""

    batches: Tensor  # fresh training batches, (update, seed, batch, D)
    prior: Tensor  # standard normal codes, (noise, seed, batch, m)
    mix: Tensor  # uniform, for the gradient penalty, (critic step, seed, batch, 1)
    # Uniform, after how many dimensions to cut codes off, (update, seed, batch, 1); most models cut none.
    cuts: Tensor = NO_CUTS


class DrawSizes(NamedTuple):
    """Length of the first axis of each tensor of a `Draw`."""

    batches: int
    prior: int = 0
    mix: int = 0
    cuts: int = 0
    unseen: int = 0  # of the batches, the last ones: rows that no other batch holds (the validation part)


class Update(NamedTuple):
    """One optimiser step that a model asks for."""

    name: str  # of the parameter group, and of the loss in the history
    loss: Tensor  # (seed,)
    differentiated: bool = False  # whether the gradient already stands in the parameters' .grad


def build_networks(
    spec: ModelSpec, generators: list[torch.Generator], heads: int = 1
) -> tuple[nn.Module, nn.Module]:
    """Build encoder and decoder of the kind that a specification names, ``mlp`` or ``convolutional``.

    Parameters
    ----------
    spec : ModelSpec
        Kind and sizes.
    generators : list of torch.Generator
        One a seed, for the weights.
    heads : int
        Values that the encoder's last layer gives a dimension: 1, a code; 2, mean and log-variance.

    Returns
    -------
    tuple of Module
        Encoder, (seed, batch, D) to (seed, batch, heads * m); decoder, (seed, batch, m) to (seed, batch, D).
    """
    if spec.network == "convolutional":
        from maskaae.networks.convolutional import convolutional_networks  # most models do without

        return convolutional_networks(spec, generators, heads)
    if spec.network != "mlp":
        raise ValueError(f"network: kind: {spec.network!r} is unknown; give 'mlp' or 'convolutional'")
    size = spec.data_dimension  # images are taken as vectors
    encoder = Mlp((size, *spec.hidden, heads * spec.m), generators)
    decoder = Mlp((spec.m, *reversed(spec.hidden), size), generators)
    return encoder, decoder


class LatentModel(nn.Module, ABC):
    """A model with an encoder and a decoder, for all its seeds at once."""

    heads: ClassVar[int] = 1
    """Values that the encoder's last layer gives for each dimension: a code, or mean and log-variance."""

    can_be_captured: ClassVar[bool] = True
    """Whether a GPU may replay training steps from a graph; see the module's text."""

    fitted_examples: int = 0
    """Training examples whose codes :meth:`fit_codes` is given before a checkpoint; 0: it is not called."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self.spec = spec
        self.generators = [torch_generator(seed, "weights") for seed in spec.seeds]
        """One a seed, for initial weights."""
        self.encoder, self.decoder = build_networks(spec, self.generators, self.heads)
        self.lost: dict[int, str] = {}
        """Seeds whose training diverged, each with what was not finite and when; their weights are void."""
        self.terms: dict[str, Tensor] = {}
        """Terms of the losses at the last training step, each (seed,), without gradient."""

    @classmethod
    def training_spec(cls, spec: ModelSpec) -> ModelSpec:
        """Specification of the form that is trained, by default the model itself."""
        return spec

    def stored_form(self) -> LatentModel:
        """The model as it is evaluated and stored, by default itself."""
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
        """Which dimensions the model uses, booleans (seed, m); all, unless the model counts them."""
        return torch.ones(len(self.seeds), self.m, dtype=torch.bool, device=self.mu.device)

    @property
    def stored_active(self) -> Tensor:
        """`active` of the dimensions of the stored form, (seed, capacity)."""
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

        Ones for both, where ``active`` only counts dimensions and masks nothing.
        """
        masks = {"binary": lambda: self.active.to(self.mu.dtype), "soft": lambda: self.mu}
        if mask not in masks:
            raise ValueError(f"mask = {mask!r}: must be 'binary' or 'soft'")
        return masks[mask]()

    def generate(self, noise: Tensor, mask: str = "binary") -> Tensor:
        """Decode standard normal noise (seed, batch, noise_size) through the mask."""
        return self.decode_through_mask(noise, mask)

    def reconstruct(self, x: Tensor, mask: str = "binary") -> Tensor:
        """Encode and decode data (seed, batch, D) through the mask."""
        return self.decode_through_mask(self.encode(x), mask)

    def decode_through_mask(self, codes: Tensor, mask: str = "binary") -> Tensor:
        """Data (seed, batch, D) of unmasked codes (seed, batch, m)."""
        return self.decode(codes * self.inference_mask(mask).unsqueeze(1))

    @property
    def draw_sizes(self) -> DrawSizes:
        """How many random draws one training step takes: one batch and no noise, by default."""
        return DrawSizes(batches=1)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Parameters that each named update changes: by default encoder and decoder together."""
        return {"autoencoder": [*self.encoder.parameters(), *self.decoder.parameters()]}

    @abstractmethod
    def learning_rates(self, step: int) -> dict[str, float]:
        """Learning rate of each named update at a step, before annealing."""

    def rate_share(self, group: str, step: int, steps: int) -> float:
        """Share of its learning rate that a parameter group has at a step of a run: annealing."""
        return annealing_factor(step, steps, self.spec.hyperparameters.annealing)

    def optimiser(self, group: str) -> str:
        """Kind of optimiser of a parameter group, one of ``maskaae.training.optimisers.OPTIMISERS``."""
        return self.spec.hyperparameters.fidelity.optimiser

    def prepare(self, step: int) -> bool:
        """Do what is due on the host before a training step, outside of any graph; nothing, by default.

        Returns
        -------
        bool
            Whether rates, constants and phases of this step and later ones are not what they were.
        """
        return False

    def run_length(self, longest: int) -> int:
        """Steps of a whole run, as far as is known by now, if it may take ``longest``."""
        return longest

    def schedule_state(self) -> dict[str, Any]:
        """What the training so far has decided on its own length: plain values, part of the resume state."""
        return {}

    def schedule_record(self) -> dict[str, Any]:
        """What the record of a finished run says of that; plain values."""
        return {}

    def restore_schedule(self, state: dict[str, Any]) -> None:
        """Go back to :meth:`schedule_state`."""

    def constants(self, step: int) -> tuple[float | Tensor, ...]:
        """Numbers in the losses that change over a run, at a step; none, by default.

        On a GPU they stand in a table on the device, and ``updates_with`` gets a row of it as a tuple of
        tensors, named if this one is.
        """
        return ()

    def phase(self, step: int) -> int:
        """Kind of a step: steps of one phase yield updates of the same names in the same order."""
        return 0

    @abstractmethod
    def updates_with(self, draw: Draw, constants: Any, phase: int) -> Iterator[Update]:
        """Yield the losses of a training step in order; each is stepped before the next is asked for.

        Parameters
        ----------
        draw : Draw
            Random numbers of the step.
        constants : tuple
            What :meth:`constants` gives for the step.
        phase : int
            What :meth:`phase` gives for the step.
        """

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

    def note(self, **terms: Tensor) -> None:
        """Keep terms of the losses, each (seed,), for the history."""
        self.terms |= {name: value.detach() for name, value in terms.items()}

    def monitors(self) -> dict[str, Tensor]:
        """What the history shows beside the losses, each (seed,): by default the terms of the last step."""
        return self.terms
