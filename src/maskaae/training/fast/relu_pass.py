"""The same numbers as `networks.mlp` and `method.losses` give, faster: ReLU networks passed by hand.

Automatic differentiation takes new memory at every step, records a graph and adds gradients up; written out,
a pass is two matrix products and two cheap operations a layer, and nothing else. That is what makes training
fast on a CPU, where the products are small, and it is what a CUDA graph needs: fixed addresses.

Eq 16 needs the gradient of a gradient. A ReLU network is piecewise linear, so both can be written out as
matrix products: one pass forward, one back for the input gradients, one forward again for their derivative.
It gives the numbers of automatic differentiation (a test holds it to them) at a fraction of the operations;
five of the eight updates of a training step are this one.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

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

    The parameters may change between two passes, in place; gradients are written to their ``.grad``.

    Parameters
    ----------
    network : Mlp
        Its parameters are laid out as they will stay, and have ``.grad``.
    rows : int
        Examples in a batch.
    back : slice
        Rows that :meth:`back_from` differentiates; all, unless given.
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
        self.inputs = [memory(like, seeds, rows, width) for width in (0, *widths[:-1])]  # of every layer
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
        """Take the loss's derivative by the output back to every layer, before its ReLU.

        Parameters
        ----------
        delta : Tensor
            Derivative by the output of the rows ``back``, (seed, rows, outputs).
        """
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

    Parameters
    ----------
    critic : MlpCritic
        Its parameters are laid out as they will stay, and have ``.grad``.
    batch : int
        Codes of each kind.
    penalty_weight : float
        Weight of the gradient penalty.
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
            What :meth:`rows` returns, (seed, 3 batch, m).
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
