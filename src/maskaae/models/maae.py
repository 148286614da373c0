"""MaskAAE, and the Wasserstein auto-encoder: MaskAAE with the mask frozen at one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from maskaae.method import losses
from maskaae.method.mask import active_dimensions, mask_values, polarisation, project_, variance_weights
from maskaae.method.presets import REACH_FACTOR
from maskaae.method.schedules import RAMP_PERIODS, ramp
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, LatentModel, Update
from maskaae.networks.mlp import MlpCritic
from maskaae.networks.pairs import build_networks
from maskaae.randomness import stacked_uniform, torch_generator

LATE_DECAY = 0.2
"""Factor on two losses (or learning rates, see ``Fidelity.decay``) from step 5R on [code]."""

KEEPS_MASK, LEARNS_MASK = 0, 1
"""Phases of training steps: without and with the mask's own update."""

ReconstructionLoss = Callable[[Tensor, Tensor], Tensor]


class StepConstants(NamedTuple):
    """Factors on losses that change over a run; tensors where a captured step reads them from the device.

    Attributes
    ----------
    ramp : float or Tensor
        ``c(t)`` of eq 17.
    loss_decay : float or Tensor
        The script's factor on the losses of auto-encoder and mask [code]; RMSProp divides it out.
    shortest_cut, longest_cut : float or Tensor
        Times the open dimensions: no code is cut below the one, or (and two) beyond the other, where codes
        are cut.
    """

    ramp: float | Tensor
    loss_decay: float | Tensor
    shortest_cut: float | Tensor = 0.0
    longest_cut: float | Tensor = REACH_FACTOR


def reconstruction_loss(spec: ModelSpec) -> ReconstructionLoss:
    """Return the reconstruction term that the fidelity switch names, on the decoder's raw output."""
    if spec.reconstruction == "bce":
        return losses.binary_cross_entropy
    if spec.kind == "images":
        return lambda x, logits: losses.mean_squared_error(x, torch.sigmoid(logits))
    return losses.mean_squared_error


class MaskedAdversarialAutoEncoder(LatentModel):
    """MaskAAE: an adversarial auto-encoder whose mask over latent dimensions is learned (eq 14-17)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        generators = [torch_generator(seed, "weights") for seed in spec.seeds]
        self.encoder, self.decoder = build_networks(spec, generators)
        self.critic = MlpCritic((spec.m, *spec.critic_hidden, 1), generators)
        self.mask_parameter = nn.Parameter(self._initial_mask(generators))  # M, (seed, m)
        self._reconstruction_loss = reconstruction_loss(spec)
        self._wasserstein_term = losses.WASSERSTEIN_TERMS[spec.hyperparameters.fidelity.wasserstein_term]
        self.terms: dict[str, Tensor] = {}
        """Terms of the losses at the last training step, each (seed,)."""

    def _initial_mask(self, generators: list[torch.Generator]) -> Tensor:
        low, high = self.spec.hyperparameters.mask_start
        return low + (high - low) * stacked_uniform(generators, (self.m,))

    @property
    def mu(self) -> Tensor:
        """Mask values, (seed, m)."""
        return mask_values(self.mask_parameter)

    @property
    def active(self) -> Tensor:
        """Dimensions whose mask value reaches the threshold, (seed, m)."""
        return active_dimensions(self.mu, self.spec.hyperparameters.activity_threshold)

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch for each update; prior noise for critic and mask; one mix a critic step."""
        steps = self.spec.hyperparameters.critic_steps
        return DrawSizes(batches=steps + 3, prior=steps + 1, mix=steps)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of the four updates; the encoder belongs to two."""
        encoder, decoder = list(self.encoder.parameters()), list(self.decoder.parameters())
        return {
            "autoencoder": encoder + decoder,
            "critic": list(self.critic.parameters()),
            "generator": encoder,
            "mask": [self.mask_parameter],
        }

    def learning_rates(self, step: int) -> dict[str, float]:
        """Learning rates of the four updates at a step, after the true decay if that is switched on."""
        h = self.spec.hyperparameters
        late = self._late_factor(step) if h.fidelity.decay == "learning_rate" else 1.0
        return {
            "autoencoder": h.autoencoder_rate * late,
            "critic": h.critic_rate,
            "generator": h.generator_rate,
            "mask": h.mask_rate * late,
        }

    def updates_with(self, draw: Draw, constants: StepConstants, phase: int) -> Iterator[Update]:
        """Yield eq 14, 16 (``critic_steps`` times), 15 and, where the mask learns, 17 [order: code].

        This is the plain form, differentiated automatically; ``maskaae.training.fast.explicit`` gives the
        same numbers faster, and is held to it by tests.
        """
        steps = self.spec.hyperparameters.critic_steps
        masked = phase == LEARNS_MASK
        gates = self.gates(draw, constants, masked)
        yield self.autoencoder_update(draw.batches[0], gates[0], constants)
        critic_gates = gates[1 : 1 + steps]
        priors = draw.prior[:steps] * critic_gates
        yield from self._critic_updates(draw.batches[1 : 1 + steps], priors, draw.mix, critic_gates)
        yield self.generator_update(draw.batches[1 + steps], gates[1 + steps])
        if masked:
            yield from self.mask_updates(draw.batches[2 + steps], draw.prior[steps], constants)

    def gates(self, draw: Draw, constants: StepConstants, masked: bool) -> Tensor:
        """Return what codes are multiplied by in each update of a step: the mask, in all of them [code].

        Parameters
        ----------
        draw : Draw
            Random numbers of the step.
        constants : StepConstants
            Of the step.
        masked : bool
            Whether the step updates the mask.

        Returns
        -------
        Tensor
            Of auto-encoder, critic steps and generator, in this order, (update, seed, batch or 1, m).
        """
        updates = self.spec.hyperparameters.critic_steps + 2
        return self.mu.detach().unsqueeze(1).expand(updates, -1, -1, -1)

    def phase(self, step: int) -> int:
        """``LEARNS_MASK`` if a training step updates the mask: from ``mask_delay`` on."""
        return LEARNS_MASK if step >= self.spec.hyperparameters.mask_delay else KEEPS_MASK

    def constants(self, step: int) -> StepConstants:
        """Factors on losses at a training step."""
        since = max(0, step - self.spec.hyperparameters.mask_delay)
        return StepConstants(
            ramp(since, self.spec.capacity, self._ramp_doubling_steps), self._loss_decay(step)
        )

    def autoencoder_update(self, x: Tensor, gate: Tensor, constants: StepConstants) -> Update:
        """Eq 14; the penalty acts on unmasked codes [code]."""
        h = self.spec.hyperparameters
        codes = self.encode(x)
        reconstruction = self._reconstruction_loss(x, self.decoder(codes * gate))
        weights = variance_weights(self.mu.detach(), h.variance_sharpness)
        variance = losses.variance_penalty(codes, weights)
        self.terms |= {"reconstruction": reconstruction.detach(), "variance": variance.detach()}
        loss = (reconstruction + h.variance_weight * variance) * constants.loss_decay
        return Update("autoencoder", loss)

    def encode_many(self, batches: Tensor, gates: Tensor) -> Tensor:
        """Masked codes (batch of the step, seed, batch, m) of several batches at once, without gradient."""
        count, seeds, batch, size = batches.shape
        with torch.no_grad():
            joined = batches.transpose(0, 1).reshape(seeds, count * batch, size)
            return self.encode(joined).view(seeds, count, batch, self.m).transpose(0, 1) * gates

    def _critic_updates(
        self, batches: Tensor, priors: Tensor, mixes: Tensor, gates: Tensor
    ) -> Iterator[Update]:
        """Eq 16 on each batch; the encoder stands still meanwhile, so all batches are encoded at once."""
        for encoded, prior, mix in zip(self.encode_many(batches, gates), priors, mixes, strict=True):
            wasserstein = losses.wasserstein_estimate(self.critic(prior), self.critic(encoded))
            penalty = losses.gradient_penalty(self.critic, prior, encoded, mix)
            self.terms |= {"wasserstein": wasserstein.detach(), "penalty": penalty.detach()}
            yield Update("critic", self.spec.hyperparameters.penalty_weight * penalty - wasserstein)

    def generator_update(self, x: Tensor, gate: Tensor) -> Update:
        """Eq 15."""
        return Update("generator", losses.generator_loss(self.critic(self.encode(x) * gate)))

    def mask_updates(self, x: Tensor, prior: Tensor, constants: StepConstants) -> Iterator[Update]:
        """Eq 17, then the projection on M >= 0."""
        h = self.spec.hyperparameters
        with torch.no_grad():
            codes = self.encode(x)
        gate = self.mu.unsqueeze(1)  # (seed, 1, m), differentiable by M
        reconstruction = self._reconstruction_loss(x, self.decoder(codes * gate))
        wasserstein = losses.wasserstein_estimate(self.critic(prior * gate), self.critic(codes * gate))
        loss = losses.mask_loss(
            reconstruction,
            self._wasserstein_term(wasserstein) * h.wasserstein_weight,
            self._regulariser(constants),
            reconstruction_weight=h.reconstruction_weight / self.spec.reconstruction_unit,
            ramp=constants.ramp * h.regulariser_weight,
        )
        yield Update("mask", loss * constants.loss_decay)
        project_(self.mask_parameter)

    def _regulariser(self, constants: StepConstants) -> Tensor:
        """Last term of eq 17 without its weight, (seed,); term and weight are noted for the history."""
        regulariser = polarisation(self.mu)
        self.terms |= {
            "regulariser": regulariser.detach(),
            "ramp": torch.ones_like(regulariser).detach() * constants.ramp,
        }
        return regulariser

    @property
    def _ramp_period(self) -> int:
        return RAMP_PERIODS[self.spec.hyperparameters.fidelity.ramp](self.spec.capacity)

    @property
    def _ramp_doubling_steps(self) -> int:
        return self.spec.hyperparameters.ramp_doubling_steps or 4 * self._ramp_period

    def _late_factor(self, step: int) -> float:
        return LATE_DECAY if step >= 5 * self._ramp_period else 1.0

    def _loss_decay(self, step: int) -> float:
        """Return the script's factor on two losses [code]; RMSProp divides it out, so it changes nothing."""
        return self._late_factor(step) if self.spec.hyperparameters.fidelity.decay == "loss" else 1.0

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the losses at the last training step, the active count and the mask, each (seed,)."""
        mu = self.mu.detach()[:, : self.spec.capacity]
        mask = {f"mu_{j}": value for j, value in enumerate(mu.unbind(dim=1))}
        return {**self.terms, "active": self.stored_active.sum(dim=1), **mask}


class WassersteinAutoEncoder(MaskedAdversarialAutoEncoder):
    """The paper's WAE: the same networks, losses and loop, with every mask value frozen at one."""

    def _initial_mask(self, generators: list[torch.Generator]) -> Tensor:
        return torch.full((len(generators), self.m), torch.inf)  # mu = 1 - exp(-inf) = 1

    @property
    def draw_sizes(self) -> DrawSizes:
        """As MaskAAE's, without the mask's batch and noise."""
        masked = super().draw_sizes
        return masked._replace(batches=masked.batches - 1, prior=masked.prior - 1)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of the three updates that are left."""
        return {name: group for name, group in super().parameter_groups().items() if name != "mask"}

    def phase(self, step: int) -> int:
        """The mask is frozen."""
        return KEEPS_MASK
