"""The same numbers as `training.optimisers` gives, faster: RMSProp and Adam in one pass, for GPUs.

A step of the large networks is bound by memory: RMSProp's four ordinary operations read and write every
parameter, gradient and mean square eleven times, the kernel five; so with Adam. Imported only where there is
a GPU.
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
    """Update a parameter vector and its mean squares in place.

    Parameters
    ----------
    parameter, gradient : Tensor
        Contiguous, of one size, single precision.
    square : Tensor
        Mean square plus epsilon, likewise.
    rate : Tensor
        Learning rate, one number on the same device.
    decay, epsilon : float
        Constants of ``maskaae.training.optimisers.TF1RMSProp``.
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
    """Update a parameter vector and its two moments in place.

    Parameters
    ----------
    parameter, gradient, mean, square : Tensor
        Contiguous, of one size, single precision.
    factors : Tensor
        Learning rate and epsilon, both corrected for the moments' start, (2,) on the same device.
    betas : (float, float)
        Decays of the moments.
    """
    size = parameter.numel()
    grid = (triton.cdiv(size, BLOCK),)
    _adam[grid](parameter, gradient, mean, square, factors, *betas, size, block=BLOCK)


def check(device: torch.device) -> None:
    """Compile and run both kernels once.

    Raises
    ------
    Exception
        Whatever keeps Triton from working here, such as a missing C compiler.
    """
    one = torch.ones(4, device=device)
    rmsprop_(one, one.clone(), one.clone(), one[:1], decay=0.9, epsilon=1e-10)
    adam_(one, one.clone(), one.clone(), one.clone(), one[:2], betas=(0.5, 0.9))
    torch.cuda.synchronize(device)
