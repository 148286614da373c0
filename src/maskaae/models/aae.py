"""Adversarial auto-encoder, and the losses of a discriminator between codes and prior."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from maskaae.method.spec import ModelSpec
from maskaae.models.base import Draw, DrawSizes, LatentModel, Update
from maskaae.models.maae import reconstruction_loss
from maskaae.networks.mlp import MlpCritic


def discriminator_loss(prior_logits: Tensor, encoded_logits: Tensor) -> Tensor:
    """Cross-entropy of telling prior (1) from codes (0): ``- mean log D(z') - mean log(1 - D(z))``.

    Its optimum is the Jensen-Shannon divergence, up to constants (Goodfellow et al., 2014, eq 1; ascended in
    algorithm 1 of Tolstikhin et al., 2018). Logits are log odds of the prior, each (seed, batch); the loss is
    (seed,).
    """
    return functional.softplus(-prior_logits).mean(dim=1) + functional.softplus(encoded_logits).mean(dim=1)


def non_saturating_loss(encoded_logits: Tensor) -> Tensor:
    """Encoder's side: ``- mean log D(z)`` (Goodfellow et al., section 3; Tolstikhin et al., algorithm 1)."""
    return functional.softplus(-encoded_logits).mean(dim=1)


class AdversarialAutoEncoder(LatentModel):
    """AAE (Makhzani et al., 2016, section 2): a reconstruction phase, then a regularisation phase, each step.

    Encoder and decoder minimise the reconstruction loss; then the discriminator learns to tell the prior
    from codes, and the encoder alone to confuse it. The encoder is the paper's deterministic one. There is no
    weight between the phases: their learning rates are it. The paper trains with stochastic gradient descent
    at rates found for its own nets (appendix A); here Adam takes the rates of the experiment, those of WAE's
    and MaskAAE's encoder, decoder and critic [our choice].
    """

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.discriminator = MlpCritic((spec.m, *spec.critic_hidden, 1), self.generators)
        self._reconstruction_loss = reconstruction_loss(spec)

    @property
    def draw_sizes(self) -> DrawSizes:
        """One batch for each phase, and draws from the prior for the discriminator."""
        return DrawSizes(batches=2, prior=1)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the parameters of the three updates; the encoder belongs to two."""
        return {
            **super().parameter_groups(),
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.encoder.parameters()),
        }

    def optimiser(self, group: str) -> str:
        """Adam with the first moment that adversarial training has."""
        return "adam_wae"

    def learning_rates(self, step: int) -> dict[str, float]:
        """Rates of the experiment."""
        h = self.spec.hyperparameters
        return {
            "autoencoder": h.autoencoder_rate,
            "discriminator": h.critic_rate,
            "generator": h.generator_rate,
        }

    def updates_with(self, draw: Draw, constants: tuple[()], phase: int) -> Iterator[Update]:
        """Yield the reconstruction phase and the two updates of the regularisation phase."""
        first, second = draw.batches
        reconstruction = self._reconstruction_loss(first, self.decoder(self.encode(first)))
        yield Update("autoencoder", reconstruction)
        codes = self.encode(second)
        logits = self.discriminator(draw.prior[0]), self.discriminator(codes.detach())
        yield Update("discriminator", discriminator_loss(*logits))
        yield Update("generator", non_saturating_loss(self.discriminator(codes)))
