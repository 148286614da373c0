"""MaskAAE, and the Wasserstein auto-encoder: MaskAAE with the mask frozen at one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from maskaae.method import losses
from maskaae.method.mask import active_dimensions, mask_values, project_
from maskaae.method.presets import REACH_FACTOR
from maskaae.method.schedules import RAMP_PERIODS, ramp
from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, LatentModel, Update
from maskaae.networks.mlp import MlpCritic
from maskaae.randomness import stacked_uniform

LATE_DECAY = 0.2
"""Factor on two losses (or learning rates, see ``Fidelity.decay``) from step 5R on [code]."""

KEEPS_MASK, LEARNS_MASK = 0, 1
"""Phases of training steps: without and with the mask's own update."""


class StepConstants(NamedTuple):
    """Numbers in the losses that change over a run; a captured step reads them as tensors from the device."""

    ramp: float | Tensor  # c(t) of eq 17
    loss_decay: float | Tensor  # the script's factor on two losses [code]; RMSProp divides it out
    # Nested training cuts codes off after more than shortest_cut * (open dimensions), and after at most
    # longest_cut * (open dimensions) + 2.
    shortest_cut: float | Tensor = 0.0
    longest_cut: float | Tensor = REACH_FACTOR


def reconstruction_loss(spec: ModelSpec) -> losses.ReconstructionLoss:
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
        self.critic = MlpCritic((spec.m, *spec.critic_hidden, 1), self.generators)
        self.mask_parameter = nn.Parameter(self._initial_mask())  # M, (seed, m)
        self._reconstruction_loss = reconstruction_loss(spec)

    def _initial_mask(self) -> Tensor:
        low, high = self.spec.hyperparameters.mask_start
        return low + (high - low) * stacked_uniform(self.generators, (self.m,))

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
        return {
            **super().parameter_groups(),
            "critic": list(self.critic.parameters()),
            "generator": list(self.encoder.parameters()),
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

    def phase(self, step: int) -> int:
        """``LEARNS_MASK`` if a training step updates the mask: from ``mask_delay`` on."""
        return LEARNS_MASK if step >= self.spec.hyperparameters.mask_delay else KEEPS_MASK

    def constants(self, step: int) -> StepConstants:
        """Factors on losses at a training step."""
        h = self.spec.hyperparameters
        since = max(0, step - h.mask_delay)
        c = ramp(since, self.spec.capacity, h.ramp_doubling_steps or 4 * self._ramp_period)
        return StepConstants(c, self._late_factor(step) if h.fidelity.decay == "loss" else 1.0)

    @property
    def _ramp_period(self) -> int:
        return RAMP_PERIODS[self.spec.hyperparameters.fidelity.ramp](self.spec.capacity)

    def _late_factor(self, step: int) -> float:
        return LATE_DECAY if step >= 5 * self._ramp_period else 1.0

    def updates_with(self, draw: Draw, constants: StepConstants, phase: int) -> Iterator[Update]:
        """Yield eq 14, 16 (``critic_steps`` times), 15 and, where the mask learns, 17 [order: code].

        This is the automatic form; ``maskaae.training.fast.explicit`` gives the
        same numbers faster, and is held to it by tests.
        """
        steps = self.spec.hyperparameters.critic_steps
        mask_learns = phase == LEARNS_MASK
        gates = self.gates(draw, constants, mask_learns)
        yield self.autoencoder_update(draw.batches[0], gates[0], constants)
        critic_gates = gates[1 : 1 + steps]
        # The encoder stands still while the critic learns, so all of its batches are encoded at once.
        encoded = self.encode_many(draw.batches[1 : 1 + steps], critic_gates)
        for z, prior, mix in zip(encoded, draw.prior[:steps] * critic_gates, draw.mix, strict=True):
            yield self.critic_update(z, prior, mix)
        yield self.generator_update(draw.batches[1 + steps], gates[1 + steps])
        if mask_learns:
            yield from self.mask_updates(draw.batches[2 + steps], draw.prior[steps], constants)

    def gates(self, draw: Draw, constants: StepConstants, mask_learns: bool) -> Tensor:
        """What codes are multiplied by in auto-encoder, critic and generator updates, in this order.

        Parameters
        ----------
        draw, constants
            Of the step.
        mask_learns : bool
            Whether the step updates the mask.

        Returns
        -------
        Tensor
            (update, seed, batch or 1, m); here the mask in every update [code].
        """
        updates = self.spec.hyperparameters.critic_steps + 2
        return self.mu.detach().unsqueeze(1).expand(updates, -1, -1, -1)

    def autoencoder_update(self, x: Tensor, gate: Tensor, constants: StepConstants) -> Update:
        """Eq 14 on a batch (seed, batch, D)."""
        h = self.spec.hyperparameters
        codes = self.encode(x)
        loss, terms = losses.autoencoder_loss(
            x,
            self.decoder(codes * gate),
            codes,
            self.mu.detach(),
            reconstruction_loss=self._reconstruction_loss,
            variance_weight=h.variance_weight,
            sharpness=h.variance_sharpness,
        )
        self.note(**terms)
        return Update("autoencoder", loss * constants.loss_decay)

    def encode_many(self, batches: Tensor, gates: Tensor) -> Tensor:
        """Masked codes (batch of the step, seed, batch, m) of several batches at once, without gradient."""
        count, seeds, batch, size = batches.shape
        with torch.no_grad():
            joined = batches.transpose(0, 1).reshape(seeds, count * batch, size)
            return self.encode(joined).view(seeds, count, batch, self.m).transpose(0, 1) * gates

    def critic_update(self, encoded: Tensor, prior: Tensor, mix: Tensor) -> Update:
        """Eq 16 on masked codes and masked noise, each (seed, batch, m)."""
        weight = self.spec.hyperparameters.penalty_weight
        loss, terms = losses.critic_loss(self.critic, encoded, prior, mix, penalty_weight=weight)
        self.note(**terms)
        return Update("critic", loss)

    def generator_update(self, x: Tensor, gate: Tensor) -> Update:
        """Eq 15 on a batch (seed, batch, D)."""
        return Update("generator", losses.generator_loss(self.critic, self.encode(x) * gate))

    def mask_updates(self, x: Tensor, prior: Tensor, constants: StepConstants) -> Iterator[Update]:
        """Eq 17 on a batch (seed, batch, D) and noise (seed, batch, m), then the projection on M >= 0."""
        with torch.no_grad():
            codes = self.encode(x)
        gate = self.mu.unsqueeze(1)  # (seed, 1, m), differentiable by M
        reconstruction = self._reconstruction_loss(x, self.decoder(codes * gate))
        wasserstein = losses.wasserstein_estimate(self.critic(prior * gate), self.critic(codes * gate))
        loss = self.mask_loss(reconstruction, wasserstein, self.polarisation(constants), constants.ramp)
        yield Update("mask", loss * constants.loss_decay)
        project_(self.mask_parameter)

    def mask_loss(
        self,
        reconstruction: Tensor,
        wasserstein: Tensor,
        polarisation: Tensor | float,
        ramp: float | Tensor,
        factor: float = 1.0,
    ) -> Tensor:
        """Eq 17 with the weights of the specification, ``l1`` times a factor."""
        h = self.spec.hyperparameters
        return losses.mask_loss(
            reconstruction,
            wasserstein,
            polarisation,
            wasserstein_term=h.fidelity.wasserstein_term,
            reconstruction_weight=factor * h.reconstruction_weight / self.spec.reconstruction_unit,
            wasserstein_weight=h.wasserstein_weight,
            ramp=ramp * h.regulariser_weight,
        )

    def polarisation(self, constants: StepConstants) -> Tensor:
        """Last term of eq 17 without its weight, (seed,); the history shows both."""
        regulariser = losses.polarisation(self.mu)
        self.note(regulariser=regulariser, ramp=torch.ones_like(regulariser) * constants.ramp)
        return regulariser

    def monitors(self) -> dict[str, Tensor]:
        """Terms of the losses at the last training step, the active count and the mask, each (seed,)."""
        mu = self.mu.detach()[:, : self.spec.capacity]
        mask = {f"mu_{j}": value for j, value in enumerate(mu.unbind(dim=1))}
        return {**self.terms, "active": self.stored_active.sum(dim=1), **mask}


class WassersteinAutoEncoder(MaskedAdversarialAutoEncoder):
    """The paper's WAE: the networks, losses and loop of MaskAAE, with every mask value frozen at one."""

    def _initial_mask(self) -> Tensor:
        return torch.full((len(self.seeds), self.m), torch.inf)  # mu = 1 - exp(-inf) = 1

    @property
    def draw_sizes(self) -> DrawSizes:
        """Those of MaskAAE without the mask's batch and noise."""
        masked = super().draw_sizes
        return masked._replace(batches=masked.batches - 1, prior=masked.prior - 1)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of the three updates that are left."""
        return {name: group for name, group in super().parameter_groups().items() if name != "mask"}

    def phase(self, step: int) -> int:
        """The mask is frozen."""
        return KEEPS_MASK
