"""The same numbers as `models.maae` gives, faster: MaskAAE's and WAE's step with its gradients written out.

The definitions are `method.losses.autoencoder_loss` (eq 14), `generator_loss` (eq 15) and `critic_loss`
(eq 16), asked for in the order of `MaskedAdversarialAutoEncoder.updates_with`; tests hold this form to them,
up to rounding. Automatic differentiation sees no MLP in these three; where encoder and decoder are
convolutional, it sees all but the critic. The mask's own update (eq 17) stays with the model: it is a small
part of a step, and experiments change it.

Automatic differentiation takes new memory at every step, records a graph and adds gradients up; written out,
a pass is two matrix products and two cheap operations a layer. That makes training fast on a CPU, where the
products are small, and it gives a CUDA graph the fixed addresses that it needs. An H200 replays a step of
MaskAAE with 2 x 64 units and 5 seeds in 0.87 ms, and in 1.58 ms with automatic gradients; launched one by one
they take 10.6 and 23.4 ms. For 3 x 128 units these are 1.24, 2.26, 13.4 and 27.1 ms
(docs/results/performance/gpu_forms.csv).

Eq 16 needs the gradient of a gradient. A ReLU network is piecewise linear, so both can be written out as
matrix products: one pass forward, one back for the input gradients, one forward again for their derivative.
With the preset `paper` five of the eight updates of a training step are this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, cast

import torch
from torch import Tensor

from maskaae.models.base import Draw, LatentModel, Update
from maskaae.models.maae import LEARNS_MASK, MaskedAdversarialAutoEncoder, StepConstants
from maskaae.networks.mlp import Mlp, MlpCritic, SeedLinear
from maskaae.training.optimisers import fused_on

SMALLEST_NORM = 1e-30
"""Keeps 0 / 0 from a sample on which the critic is flat; its share of the gradient is then zero."""


def where_open_(values: Tensor, activations: Tensor) -> Tensor:
    """Strike out the values of closed units in place: ``values * (activations > 0)`` in one operation."""
    return torch.ops.aten.threshold_backward(  # type: ignore[no-any-return]
        values, activations, 0.0, grad_input=values
    )


def memory(like: Tensor, *shape: int) -> Tensor:
    """Uninitialised memory of a shape, of the type and on the device of another tensor."""
    return torch.empty(shape, dtype=like.dtype, device=like.device)


def hidden_layer(x: Tensor, kernel: Tensor, bias: Tensor, out: Tensor) -> Tensor:
    """ReLU of an affine map (seed, row, inputs) to (seed, row, width), written to ``out``."""
    return torch.baddbmm(bias, x, kernel, out=out).relu_()


class ReluPass:
    """One pass of a batch through the MLPs of all seeds, and back for some of its rows.

    The parameters are laid out as they will stay, and have ``.grad``, where their gradients are written. They
    may change between two passes, in place. ``back`` are the rows that :meth:`back_from` differentiates.
    """

    def __init__(self, network: Mlp, rows: int, back: slice = slice(None)) -> None:
        layers = [cast(SeedLinear, layer) for layer in network.layers]
        self._layers = layers
        self.is_fused = fused_on(layers[0].weight.device)
        if self.is_fused:
            from maskaae.training.fast import fused

            self._hidden_layer = fused.hidden_layer
        else:
            self._hidden_layer = hidden_layer
        self.weights = [layer.weight.detach() for layer in layers]  # each (seed, inputs, outputs)
        self._biases = [layer.bias.detach() for layer in layers]  # each (seed, 1, outputs)
        seeds, like = len(self.weights[0]), self.weights[0]
        widths = [weight.shape[2] for weight in self.weights]
        self.back = back
        # What enters every layer; the first is whatever batch `forward` is given, and takes no memory here.
        self.inputs = [memory(like, seeds, rows, width) for width in (0, *widths[:-1])]
        self.output = memory(like, seeds, rows, widths[-1])
        kept = len(range(rows)[back])
        self.deltas = [memory(like, seeds, kept, width) for width in widths]

    def forward(self, x: Tensor) -> Tensor:
        """Output (seed, rows, outputs) of a batch (seed, rows, inputs); valid until the next pass."""
        self.inputs[0] = x
        for i, (weight, bias) in enumerate(zip(self.weights[:-1], self._biases[:-1], strict=True)):
            self._hidden_layer(self.inputs[i], weight, bias, self.inputs[i + 1])
        return torch.baddbmm(self._biases[-1], self.inputs[-1], self.weights[-1], out=self.output)

    def back_from(self, delta: Tensor) -> None:
        """Take the loss's derivative by the output (seed, back, outputs) to every layer, before its ReLU."""
        self.deltas[-1] = delta
        for i in range(len(self.weights) - 1, 0, -1):
            torch.bmm(self.deltas[i], self.weights[i].transpose(1, 2), out=self.deltas[i - 1])
            where_open_(self.deltas[i - 1], self.inputs[i][:, self.back])

    def parameter_gradients(self) -> None:
        """Write the gradient of every parameter, after :meth:`back_from`."""
        for layer, inputs, delta in zip(self._layers, self.inputs, self.deltas, strict=True):
            torch.bmm(inputs[:, self.back].transpose(1, 2), delta, out=layer.weight.grad)
            torch.sum(delta, dim=1, keepdim=True, out=layer.bias.grad)

    def input_gradient(self) -> Tensor:
        """Gradient of the loss by the rows ``back`` of the input, after :meth:`back_from`."""
        return torch.bmm(self.deltas[0], self.weights[0].transpose(1, 2))


class CriticPass(ReluPass):
    """Eq 16 on a batch: its value, and its gradient by the critic's parameters.

    Rows are the encoded codes, the prior codes and the points between them, ``batch`` each.
    """

    def __init__(self, critic: MlpCritic, batch: int, penalty_weight: float) -> None:
        super().__init__(critic, 3 * batch)
        self._batch, self._penalty_weight = batch, penalty_weight
        share = self.output.new_full((batch, 1), 1.0 / batch)
        self._row_weights = torch.cat((share, -share, torch.ones_like(share)))  # (3 batch, 1)
        self.deltas[-1] = self._row_weights.expand(len(self.output), -1, -1)
        cast(Tensor, self._layers[-1].bias.grad).zero_()
        hidden = [weight.shape[2] for weight in self.weights[:-1]]
        self._carried = [memory(self.output, len(self.output), batch, width) for width in hidden]

    def rows(self, encoded: Tensor, prior: Tensor, mix: Tensor) -> Tensor:
        """Codes of all three kinds behind one another, (..., 3 batch, m), from (..., batch, m)."""
        return torch.cat((encoded, prior, torch.lerp(prior, encoded, mix)), dim=-2)

    def loss(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return loss, Wasserstein estimate and gradient penalty, each (seed,); write the loss's gradient.

        The chain back from the scores is linear, so weighting the rows by 1/B, -1/B and 1 makes one chain
        serve the scores' gradient by the parameters and the penalty's input gradient.

        Parameters
        ----------
        rows : Tensor
            What :meth:`rows` returns, (seed, 3 batch, m); its last third is overwritten.
        """
        batch, between = self._batch, slice(2 * self._batch, None)
        scores = self.forward(rows)
        self._weighted_back()
        gradient = torch.bmm(self.deltas[0][:, between], self.weights[0].transpose(1, 2))  # (seed, batch, m)
        square = self._penalise_(gradient)  # (seed, batch, 1)
        self._write_gradients(gradient, between)
        score = scores.view(len(scores), 3, batch).mean(dim=2)  # (seed, kind)
        wasserstein, penalty = score[:, 1] - score[:, 0], square.mean(dim=(1, 2))
        return self._penalty_weight * penalty - wasserstein, wasserstein, penalty

    def _penalise_(self, gradient: Tensor) -> Tensor:
        """Turn input gradients into the weighted penalty's derivative by them; ``(|g| - 1)^2``."""
        factor = 2.0 * self._penalty_weight / self._batch
        square = gradient.new_empty(*gradient.shape[:2], 1)
        if self.is_fused:
            from maskaae.training.fast.fused import penalty_

            penalty_(gradient, square, factor, SMALLEST_NORM)
            return square
        norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
        excess = norm - 1.0
        gradient.mul_((excess / norm.clamp_min(SMALLEST_NORM)).mul_(factor))
        return torch.square(excess, out=square)

    def _weighted_back(self) -> None:
        """Take the weighted scores back to every hidden layer, before its ReLU."""
        for i in range(len(self.weights) - 1, 0, -1):
            if i == len(self.weights) - 1:  # one column: cheaper than a matrix product
                torch.mul(self._row_weights, self.weights[i].transpose(1, 2), out=self.deltas[i - 1])
            else:
                torch.bmm(self.deltas[i], self.weights[i].transpose(1, 2), out=self.deltas[i - 1])
            where_open_(self.deltas[i - 1], self.inputs[i])

    def _write_gradients(self, carried: Tensor, between: slice) -> None:
        """Write the gradient of every parameter.

        The gradient of a kernel is a product of what enters the layer and what comes back to its output. Of
        the rows between, the penalty's derivative by the input gradient takes the place of what enters.

        Parameters
        ----------
        carried : Tensor
            Derivative of the weighted penalty by the input gradient, (seed, batch, m); it is carried forward
            through the open units.
        between : slice
            Rows of the points between; the layers' inputs there are overwritten.
        """
        for i, layer in enumerate(self._layers):
            entering, delta = self.inputs[i], self.deltas[i]
            entering[:, between] = carried
            torch.bmm(entering.transpose(1, 2), delta, out=layer.weight.grad)
            if layer is self._layers[-1]:
                return  # a constant shift of all scores changes nothing: the bias's gradient stays zero
            torch.sum(delta[:, : 2 * self._batch], dim=1, keepdim=True, out=layer.bias.grad)
            carried = torch.bmm(carried, self.weights[i], out=self._carried[i])
            where_open_(carried, self.inputs[i + 1][:, between])


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
    """Encoder and decoder of any kind, differentiated automatically."""

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
    """Encoder and decoder that are MLPs, differentiated by hand."""

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
    """Updates of one training step after another, with their gradients written out, for batches of one size.

    The model's parameters are laid out as they will stay, and have ``.grad``.
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
        mask_learns = phase == LEARNS_MASK
        steps = self._model.spec.hyperparameters.critic_steps
        gates = self._model.gates(draw, constants, mask_learns)
        yield self._networks.autoencoder(draw.batches[0], gates[0], constants)
        encoded = self._networks.encode(draw.batches[1 : 2 + steps], gates[1:])
        for rows in self._critic.rows(encoded, draw.prior[:steps] * gates[1 : 1 + steps], draw.mix):
            loss, wasserstein, penalty = self._critic.loss(rows)
            self._model.terms |= {"wasserstein": wasserstein, "penalty": penalty}
            yield Update("critic", loss, differentiated=True)
        yield self._networks.generator(gates[-1])
        if mask_learns:
            yield from self._model.mask_updates(draw.batches[2 + steps], draw.prior[steps], constants)


def explicit_updates(model: LatentModel, batch: int) -> ExplicitUpdates | None:
    """Return the written-out form of a model's training step, or None for a model that has none."""
    return ExplicitUpdates(model, batch) if isinstance(model, MaskedAdversarialAutoEncoder) else None
