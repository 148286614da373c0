"""The same numbers as `models.maae` gives, faster: MaskAAE's and WAE's step with its gradients written out.

It asks for the updates of the plain form, in its order, and gives its numbers up to rounding. MLPs are never
seen by automatic differentiation; with other encoders and decoders, the critic is not. The mask's own update
stays with the model: it is a small part of a step, and the one that experiments change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor

from maskaae.models.base import Draw, LatentModel, Update
from maskaae.models.maae import LEARNS_MASK, MaskedAdversarialAutoEncoder, StepConstants
from maskaae.networks.mlp import Mlp
from maskaae.training.fast.relu_pass import CriticPass, ReluPass

ReconstructionGradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def squared_error_gradient(x: Tensor, output: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error, (seed,), and its gradient by the decoder's output, (seed, batch, D)."""
    error = output - x
    return error.square().mean(dim=(1, 2)), error.mul_(2.0 / error[0].numel())


def cross_entropy_gradient(x: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel-mean cross-entropy, (seed,), and its gradient by the logits, (seed, batch, D)."""
    loss = torch.nn.functional.softplus(logits).addcmul_(logits, x, value=-1.0).mean(dim=(1, 2))
    return loss, logits.sigmoid().sub_(x).div_(x[0].numel())


def squared_error_of_images_gradient(x: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error of the logits' sigmoids, (seed,); its gradient by the logits, (seed, batch, D)."""
    pixels = logits.sigmoid()
    loss, gradient = squared_error_gradient(x, pixels)
    return loss, gradient.mul_(pixels).mul_(1.0 - pixels)


RECONSTRUCTION_GRADIENTS: Mapping[tuple[str, str], ReconstructionGradient] = {
    ("bce", "images"): cross_entropy_gradient,
    ("bce", "vectors"): cross_entropy_gradient,
    ("mse", "images"): squared_error_of_images_gradient,
    ("mse", "vectors"): squared_error_gradient,
}


class EncoderDecoderUpdates(Protocol):
    """Eq 14, the critic's codes and eq 15, for one kind of encoder and decoder."""

    def autoencoder(self, x: Tensor, gate: Tensor, constants: StepConstants) -> Update:
        """Eq 14 on a batch (seed, batch, D)."""

    def encode(self, batches: Tensor, gates: Tensor) -> Tensor:
        """Masked codes (critic step, seed, batch, m) of the critic's batches; the last is the generator's."""

    def generator(self, gate: Tensor) -> Update:
        """Eq 15 on the last of the batches that :meth:`encode` was given."""


class AutomaticUpdates:
    """Encoder and decoder of any kind, differentiated automatically.

    Parameters
    ----------
    model : MaskedAdversarialAutoEncoder
        The model.
    """

    def __init__(self, model: MaskedAdversarialAutoEncoder) -> None:
        self._model = model

    def autoencoder(self, x: Tensor, gate: Tensor, constants: StepConstants) -> Update:
        """Eq 14."""
        return self._model.autoencoder_update(x, gate, constants)

    def encode(self, batches: Tensor, gates: Tensor) -> Tensor:
        """Codes of the critic's batches; the generator's batch gets a pass of its own."""
        self._generator_batch = batches[-1]
        return self._model.encode_many(batches[:-1], gates[:-1])

    def generator(self, gate: Tensor) -> Update:
        """Eq 15."""
        return self._model.generator_update(self._generator_batch, gate)


class MlpUpdates:
    """Encoder and decoder that are MLPs, differentiated by hand.

    Parameters
    ----------
    model : MaskedAdversarialAutoEncoder
        Its parameters are laid out as they will stay, and have ``.grad``.
    encoder, decoder : Mlp
        The model's.
    batch : int
        Examples in a batch.
    """

    def __init__(self, model: MaskedAdversarialAutoEncoder, encoder: Mlp, decoder: Mlp, batch: int) -> None:
        count = model.spec.hyperparameters.critic_steps + 1
        self._model = model
        self._encoder, self._decoder = ReluPass(encoder, batch), ReluPass(decoder, batch)
        self._joint = ReluPass(encoder, count * batch, back=slice((count - 1) * batch, None))
        self._critic = ReluPass(model.critic, batch)
        self._reconstruction = RECONSTRUCTION_GRADIENTS[model.spec.reconstruction, model.spec.kind]
        self._higher_scores = torch.full_like(self._critic.output, -1.0 / batch)  # derivative of eq 15

    def autoencoder(self, x: Tensor, gate: Tensor, constants: StepConstants) -> Update:
        """Eq 14."""
        h = self._model.spec.hyperparameters
        codes = self._encoder.forward(x)
        reconstruction, delta = self._reconstruction(x, self._decoder.forward(codes * gate))
        self._decoder.back_from(delta.mul_(constants.loss_decay))
        self._decoder.parameter_gradients()
        centred = codes - codes.mean(dim=1, keepdim=True)  # (seed, batch, m)
        weights = torch.exp(-h.variance_sharpness * self._model.mu.detach().square())  # (seed, m)
        weighted = centred * weights.unsqueeze(1)
        variance = centred.mul_(weighted).mean(dim=(1, 2))
        pull = weighted.mul_(2.0 * h.variance_weight / codes[0].numel()).mul_(constants.loss_decay)
        self._encoder.back_from(pull.addcmul_(self._decoder.input_gradient(), gate))
        self._encoder.parameter_gradients()
        self._model.terms |= {"reconstruction": reconstruction, "variance": variance}
        loss = (reconstruction + h.variance_weight * variance) * constants.loss_decay
        return Update("autoencoder", loss, differentiated=True)

    def encode(self, batches: Tensor, gates: Tensor) -> Tensor:
        """Codes of all batches from one pass."""
        count, seeds, batch, size = batches.shape
        joined = batches.transpose(0, 1).reshape(seeds, count * batch, size)
        by_batch = self._joint.forward(joined).view(seeds, count, batch, -1).transpose(0, 1) * gates
        self._generator_codes = by_batch[-1]  # (seed, batch, m)
        return by_batch[:-1]

    def generator(self, gate: Tensor) -> Update:
        """Eq 15."""
        scores = self._critic.forward(self._generator_codes)
        self._critic.back_from(self._higher_scores)
        self._joint.back_from(self._critic.input_gradient().mul_(gate))
        self._joint.parameter_gradients()
        return Update("generator", -scores.mean(dim=(1, 2)), differentiated=True)


class ExplicitUpdates:
    """Updates of one training step after another, with their gradients written out.

    Parameters
    ----------
    model : MaskedAdversarialAutoEncoder
        Its parameters are laid out as they will stay, and have ``.grad``.
    batch : int
        Examples in a batch.
    """

    def __init__(self, model: MaskedAdversarialAutoEncoder, batch: int) -> None:
        self._model = model
        encoder, decoder = model.encoder, model.decoder
        self._networks: EncoderDecoderUpdates = AutomaticUpdates(model)
        if isinstance(encoder, Mlp) and isinstance(decoder, Mlp):
            self._networks = MlpUpdates(model, encoder, decoder, batch)
        self._critic = CriticPass(model.critic, batch, model.spec.hyperparameters.penalty_weight)

    def updates_with(self, draw: Draw, constants: StepConstants, phase: int) -> Iterator[Update]:
        """Yield the updates of a training step, as the model's own ``updates_with`` does."""
        masked = phase == LEARNS_MASK
        steps = self._model.spec.hyperparameters.critic_steps
        gates = self._model.gates(draw, constants, masked)
        yield self._networks.autoencoder(draw.batches[0], gates[0], constants)
        encoded = self._networks.encode(draw.batches[1 : 2 + steps], gates[1:])
        for rows in self._critic.rows(encoded, draw.prior[:steps] * gates[1 : 1 + steps], draw.mix):
            loss, wasserstein, penalty = self._critic.loss(rows)
            self._model.terms |= {"wasserstein": wasserstein, "penalty": penalty}
            yield Update("critic", loss, differentiated=True)
        yield self._networks.generator(gates[-1])
        if masked:
            yield from self._model.mask_updates(draw.batches[2 + steps], draw.prior[steps], constants)


def explicit_updates(model: LatentModel, batch: int) -> ExplicitUpdates | None:
    """Return the written-out form of a model's training step, or None for a model that has none."""
    return ExplicitUpdates(model, batch) if isinstance(model, MaskedAdversarialAutoEncoder) else None
