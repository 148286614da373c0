"""Wasserstein auto-encoder whose codes are held to the prior by a discriminator."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from maskaae.method.spec import ModelSpec
from maskaae.models.aae import discriminator_loss, non_saturating_loss
from maskaae.models.base import Draw, DrawSizes, LatentModel, Update
from maskaae.models.wae_mmd import squared_cost
from maskaae.networks.mlp import MlpCritic


class GanAutoEncoder(LatentModel):
    """WAE-GAN (Tolstikhin et al., 2018, algorithm 1): squared error plus ``- lambda mean log D(E(x))``.

    An adversarial auto-encoder with another schedule: encoder and decoder descend both terms in *one* update,
    so that ``lambda`` weighs them, where `maskaae.models.aae` takes a step on each in turn, whose learning
    rates weigh them. The cost is the squared error, not the data's own reconstruction loss. The released
    code's pre-training of the encoder on the prior's first two moments is left out.
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.discriminator = MlpCritic((spec.m, *spec.critic_hidden, 1), self.generators)

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch, used twice as in algorithm 1, and as many draws from the prior."""
        return DrawSizes(batches=1, prior=1)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of the two players."""
        return {
            "discriminator": list(self.discriminator.parameters()),
            **super().parameter_groups(),
        }

    def optimiser(self, group: str) -> str:
        """Adam with the released code's constants."""
        return "adam_wae"

    def learning_rates(self, step: int) -> dict[str, float]:
        """Published rates."""
        h = self.spec.hyperparameters.deterministic
        return {"discriminator": h.discriminator_rate, "autoencoder": h.wae_rate}

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the two updates of algorithm 1, the discriminator's first."""
        h = self.spec.hyperparameters.deterministic
        x, prior = draw.batches[0], draw.prior[0]
        codes = self.encode(x)
        logits = self.discriminator(prior), self.discriminator(codes.detach())
        yield Update("discriminator", h.penalty_weight * discriminator_loss(*logits))
        cost = h.cost_weight * squared_cost(x, self.decode(codes))
        penalty = non_saturating_loss(self.discriminator(codes))
        self.note(reconstruction=cost, generator=penalty)
        yield Update("autoencoder", cost + h.penalty_weight * penalty)
