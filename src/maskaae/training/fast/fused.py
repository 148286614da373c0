"""The same numbers as `training.optimisers` and `fast.explicit` give, faster: fewer kernels.

A step of the large networks is bound by memory: RMSProp's four ordinary operations read and write every
parameter, gradient and mean square eleven times, the kernel five; so with Adam. A step of small networks is
bound by the number of kernels, some two microseconds each. Imported only where there is a GPU.
"""

from __future__ import annotations

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]
from torch import Tensor

BLOCK = 1024


@triton.jit  # type: ignore[untyped-decorator]
def _rmsprop(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    parameter, gradient, square, rate, decay, epsilon_share, size, block: tl.constexpr
):
    """Update one block; ``square`` is the mean square plus epsilon."""
    offsets = tl.program_id(0) * block + tl.arange(0, block)
    inside = offsets < size
    g = tl.load(gradient + offsets, mask=inside)
    s = tl.load(square + offsets, mask=inside, other=1.0) * decay + (1.0 - decay) * g * g + epsilon_share
    p = tl.load(parameter + offsets, mask=inside) - tl.load(rate) * g / tl.sqrt(s)
    tl.store(square + offsets, s, mask=inside)
    tl.store(parameter + offsets, p, mask=inside)


def rmsprop_(
    parameter: Tensor, gradient: Tensor, square: Tensor, rate: Tensor, *, decay: float, epsilon: float
) -> None:
    """Update a parameter vector and its mean squares, epsilon added, in place, as ``TF1RMSProp.step``.

    Contiguous vectors of one size in single precision; the learning rate is one number on the same device.
    """
    size = parameter.numel()
    grid = (triton.cdiv(size, BLOCK),)
    _rmsprop[grid](parameter, gradient, square, rate, decay, (1.0 - decay) * epsilon, size, block=BLOCK)


@triton.jit  # type: ignore[untyped-decorator]
def _adam(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    parameter, gradient, mean, square, factors, first, second, size, block: tl.constexpr
):
    """Update one block; ``factors`` are rate and epsilon, corrected for the moments' start."""
    offsets = tl.program_id(0) * block + tl.arange(0, block)
    inside = offsets < size
    g = tl.load(gradient + offsets, mask=inside, other=0.0)
    a = tl.load(mean + offsets, mask=inside, other=0.0)
    a += (1.0 - first) * (g - a)
    s = tl.load(square + offsets, mask=inside, other=1.0) * second + (1.0 - second) * g * g
    p = tl.load(parameter + offsets, mask=inside)
    p -= tl.load(factors) * a / (tl.sqrt(s) + tl.load(factors + 1))
    tl.store(mean + offsets, a, mask=inside)
    tl.store(square + offsets, s, mask=inside)
    tl.store(parameter + offsets, p, mask=inside)


def adam_(
    parameter: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    factors: Tensor,
    *,
    betas: tuple[float, float],
) -> None:
    """Update a parameter vector and its two moments in place, as ``Adam.step``.

    Contiguous vectors of one size in single precision; ``factors`` are learning rate and epsilon, both
    corrected for the moments' start, (2,) on the same device.
    """
    size = parameter.numel()
    grid = (triton.cdiv(size, BLOCK),)
    _adam[grid](parameter, gradient, mean, square, factors, *betas, size, block=BLOCK)


@triton.jit  # type: ignore[untyped-decorator]
def _bias_relu(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    values, bias, rows, width, size, block: tl.constexpr
):
    """Add a bias to a block of (seed, row, width) and close what is negative."""
    offsets = tl.program_id(0) * block + tl.arange(0, block)
    inside = offsets < size
    place = offsets // (rows * width) * width + offsets % width  # in the bias, (seed, width)
    v = tl.load(values + offsets, mask=inside) + tl.load(bias + place, mask=inside)
    tl.store(values + offsets, tl.where(v < 0.0, 0.0, v), mask=inside)  # NaN stays, as in torch's ReLU


def hidden_layer(x: Tensor, kernel: Tensor, bias: Tensor, out: Tensor) -> Tensor:
    """ReLU of an affine map, as ``explicit.hidden_layer``: the bias is not copied first, and closed at once.

    Parameters
    ----------
    x, kernel, bias, out : Tensor
        Shapes (seed, row, inputs), (seed, inputs, width), (seed, 1, width), (seed, row, width); the last two
        contiguous.
    """
    torch.bmm(x, kernel, out=out)
    size = out.numel()
    _bias_relu[(triton.cdiv(size, BLOCK),)](out, bias, out.shape[1], out.shape[2], size, block=BLOCK)
    return out


@triton.jit  # type: ignore[untyped-decorator]
def _penalty(gradient, square, m, factor, smallest, block: tl.constexpr):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    """Scale one sample's input gradient; a row is small enough for one block."""
    offsets = tl.program_id(0) * m + tl.arange(0, block)
    inside = tl.arange(0, block) < m
    g = tl.load(gradient + offsets, mask=inside, other=0.0)
    norm = tl.sqrt(tl.sum(g * g, axis=0))
    excess = norm - 1.0
    tl.store(gradient + offsets, g * (excess / tl.maximum(norm, smallest) * factor), mask=inside)
    tl.store(square + tl.program_id(0), excess * excess)


def penalty_(gradient: Tensor, square: Tensor, factor: float, smallest: float) -> None:
    """Derivative of ``factor / 2 (|g| - 1)^2`` by each input gradient, in place, and ``(|g| - 1)^2``.

    Parameters
    ----------
    gradient : Tensor
        Shape (seed, batch, m), contiguous.
    square : Tensor
        Where ``(|g| - 1)^2`` goes, (seed, batch, 1).
    factor : float
        Twice the penalty's weight over the batch.
    smallest : float
        Norm that a smaller one is divided as.
    """
    m = gradient.shape[2]
    rows = gradient.numel() // m
    _penalty[(rows,)](gradient, square, m, factor, smallest, block=triton.next_power_of_2(m))


def check(device: torch.device) -> None:
    """Compile and run all kernels once.

    Raises
    ------
    Exception
        Whatever keeps Triton from working here, such as a missing C compiler.
    """
    one = torch.ones(4, device=device)
    rmsprop_(one, one.clone(), one.clone(), one[:1], decay=0.9, epsilon=1e-10)
    adam_(one, one.clone(), one.clone(), one.clone(), one[:2], betas=(0.5, 0.9))
    kernel = one.view(1, 2, 2)
    hidden_layer(kernel, kernel, one[:2].view(1, 1, 2), torch.empty_like(kernel))
    penalty_(kernel.clone(), torch.empty_like(kernel[:, :, :1]), 1.0, 1e-30)
    torch.cuda.synchronize(device)
