"""The critic's loss and its gradient in closed form, for ReLU networks.

Eq 16 needs the gradient of a gradient. A ReLU network is piecewise linear, so both can be written out as
matrix products: one pass forward, one back for the input gradients, one forward again for their derivative.
It gives the numbers of automatic differentiation (a test holds it to them) at a fraction of the operations;
five of the eight updates of a training step are this one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SMALLEST_NORM = 1e-30
"""Keeps 0 / 0 from a sample on which the critic is flat; its share of the gradient is then zero."""


def _where_open(values: Tensor, activations: Tensor) -> Tensor:
    """Strike out the values of closed units: ``values * (activations > 0)`` in one operation."""
    return torch.ops.aten.threshold_backward(values, activations, 0.0)  # type: ignore[no-any-return]


def _forward(inputs: Tensor, weights: list[Tensor], biases: list[Tensor]) -> tuple[list[Tensor], Tensor]:
    """Return the input of every layer, and the scores (seed, rows, 1)."""
    layers = [inputs]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        layers.append(torch.baddbmm(bias, layers[-1], weight).relu_())
    return layers, torch.baddbmm(biases[-1], layers[-1], weights[-1])


def _backward(row_weights: Tensor, layers: list[Tensor], weights: list[Tensor]) -> list[Tensor]:
    """Derivative of each row's weighted score by the output of every hidden layer, before its ReLU."""
    deltas = [_where_open(row_weights * weights[-1].transpose(1, 2), layers[-1])]
    for weight, layer in zip(reversed(weights[1:-1]), reversed(layers[1:-1]), strict=True):
        deltas.append(_where_open(torch.bmm(deltas[-1], weight.transpose(1, 2)), layer))
    return deltas[::-1]


def _carry_forward_(carried: Tensor, layers: list[Tensor], weights: list[Tensor], between: slice) -> None:
    """Put the penalty's derivative, carried forward through the open units, on the rows between, in place.

    Parameters
    ----------
    carried : Tensor
        Derivative of the weighted penalty by the input gradient, (seed, batch, m).
    layers : list of Tensor
        Input of every layer, (seed, 3 batch, width); overwritten on the rows ``between``.
    """
    for layer, following, weight in zip(layers, layers[1:], weights, strict=False):
        layer[:, between] = carried
        carried = _where_open(torch.bmm(carried, weight), following[:, between])
    layers[-1][:, between] = carried


class CriticLoss(torch.autograd.Function):
    """Eq 16 of a ReLU critic, differentiable by its parameters."""

    @staticmethod
    def forward(
        ctx: Any, encoded: Tensor, prior: Tensor, mix: Tensor, penalty_weight: float, *parameters: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return loss, Wasserstein estimate and gradient penalty, each (seed,); keep the loss's gradient.

        Rows are the encoded codes, the prior codes and the points between them, ``batch`` each. The chain
        back from the scores is linear, so weighting the rows by 1/B, -1/B and 1 makes one chain serve the
        scores' gradient by the parameters and the penalty's input gradient.
        """
        weights, biases = list(parameters[0::2]), list(parameters[1::2])
        batch = encoded.shape[1]
        inputs = torch.cat((encoded, prior, torch.lerp(prior, encoded, mix)), dim=1)  # (seed, 3 batch, m)
        layers, scores = _forward(inputs, weights, biases)
        share = scores.new_full((batch, 1), 1.0 / batch)
        row_weights = torch.cat((share, -share, torch.ones_like(share)))  # (3 batch, 1)
        deltas = _backward(row_weights, layers, weights)
        between = slice(2 * batch, None)
        gradient = torch.bmm(
            deltas[0][:, between], weights[0].transpose(1, 2)
        )  # of C by z_i, (seed, batch, m)
        norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
        excess = norm - 1.0
        carried = gradient * (excess / norm.clamp_min(SMALLEST_NORM)).mul_(2.0 * penalty_weight / batch)
        _carry_forward_(carried, layers, weights[:-1], between)
        by_weights = [torch.bmm(x.transpose(1, 2), d) for x, d in zip(layers, deltas, strict=False)]
        by_weights.append(layers[-1].transpose(1, 2) @ row_weights)
        by_biases = [delta[:, : 2 * batch].sum(dim=1, keepdim=True) for delta in deltas]
        by_biases.append(torch.zeros_like(biases[-1]))
        ctx.save_for_backward(*(g for pair in zip(by_weights, by_biases, strict=True) for g in pair))
        wasserstein = scores[:, batch : 2 * batch].mean(dim=(1, 2)) - scores[:, :batch].mean(dim=(1, 2))
        penalty = excess.square().mean(dim=(1, 2))
        ctx.mark_non_differentiable(wasserstein, penalty)
        return penalty_weight * penalty - wasserstein, wasserstein, penalty

    @staticmethod
    def backward(ctx: Any, loss_weight: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Hand out the gradient; seeds may be weighted, and no gradient goes to the codes."""
        weight = loss_weight.view(-1, 1, 1)
        return (None, None, None, None, *(gradient * weight for gradient in ctx.saved_tensors))
