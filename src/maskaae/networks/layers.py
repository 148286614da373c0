"""Layers whose parameters carry a leading seed axis: as many models as there are seeds, side by side.

Images of all seeds lie behind one another in the channel axis, (batch, seed * channels, H, W): a convolution
in as many groups as there are seeds then keeps them apart; a CPU takes large maps seed by seed. Parameters
and running statistics lead with the seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskaae.networks.kinds import GROUP_WIDTH

TRUNCATION_LOSS = 0.87962566103423978
"""Standard deviation of a unit normal cut at two deviations; TensorFlow's initialiser divides by it."""

KERNEL = 5
"""Side of a kernel, as in the networks of WAE and TwoStageVAE."""

EPSILON = 1e-5
"""Added to a variance before its root, as in TwoStageVAE."""

MOMENTUM = 0.1
"""Share of a new batch in the running statistics, torch's default [our choice].

TwoStageVAE's is 0.001, but statistics that lag behind the decoder's weights spoil what it generates: after
300 steps on a toy data set, 0.01 reconstructed worse than the mean image, 0.1 as well as in training mode.
"""

LARGE_MAP = 256
"""Pixels from which a CPU convolves one seed after another: groups cost it up to twice the time there, and
half of it on smaller maps (measured on two cores; a GPU is always given groups)."""

Convolution = Callable[[Tensor, Tensor, int], Tensor]
"""Convolves images with kernels in a number of groups."""


def glorot_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, generator: torch.Generator) -> Tensor:
    """Kernel of a shape from TensorFlow's Glorot normal law [code]: cut at two standard deviations."""
    scale = math.sqrt(2.0 / (fan_in + fan_out)) / TRUNCATION_LOSS
    kernel = torch.empty(shape)
    return nn.init.trunc_normal_(kernel, std=scale, a=-2 * scale, b=2 * scale, generator=generator)


class SeedLinear(nn.Module):
    """One dense layer a seed: (seed, batch, inputs) to (seed, batch, outputs).

    Parameters
    ----------
    inputs, outputs : int
        Widths.
    generators : list of torch.Generator
        One a seed; kernels are Glorot normal, biases zero [code].
    """

    def __init__(self, inputs: int, outputs: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        kernels = [glorot_normal((inputs, outputs), inputs, outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Affine map of each seed."""
        return torch.baddbmm(self.bias, x, self.weight)


def convolve_seeds(convolution: Convolution, x: Tensor, weight: Tensor, pixels: int) -> Tensor:
    """Convolve the images of each seed with its own kernels.

    Parameters
    ----------
    convolution : callable
        What to do with images (batch, groups * channels, H, W), kernels and the number of groups.
    x : Tensor
        (batch, seed * channels, H, W).
    weight : Tensor
        Kernels, led by the seed.
    pixels : int
        Of the larger of the maps before and after.

    Returns
    -------
    Tensor
        (batch, seed * channels, H', W').
    """
    seeds = len(weight)
    if seeds == 1 or x.is_cuda or pixels < LARGE_MAP:
        return convolution(x, weight.flatten(0, 1), seeds)
    by_seed = zip(x.chunk(seeds, dim=1), weight.unbind(), strict=True)
    return torch.cat([convolution(images, kernels, 1) for images, kernels in by_seed], dim=1)


class SeedConvolution(nn.Module):
    """5x5 convolution of each seed, without a bias: its normalisation shifts the channels.

    Parameters
    ----------
    inputs, outputs : int
        Channels of one seed.
    stride : int
        1 keeps height and width, 2 halves them.
    generators : list of torch.Generator
        One a seed; kernels are Glorot normal.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        shape, area = (outputs, inputs, KERNEL, KERNEL), KERNEL**2
        kernels = [glorot_normal(shape, area * inputs, area * outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))  # (seed, outputs, inputs, 5, 5)
        self._stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seed * inputs, H, W) to (batch, seed * outputs, H / stride, W / stride)."""
        return convolve_seeds(self._convolve, x, self.weight, x[0, 0].numel())

    def _convolve(self, x: Tensor, kernels: Tensor, groups: int) -> Tensor:
        return functional.conv2d(x, kernels, stride=self._stride, padding=KERNEL // 2, groups=groups)


class SeedDeconvolution(nn.Module):
    """5x5 transposed convolution of each seed that doubles height and width, without a bias.

    Parameters
    ----------
    inputs, outputs : int
        Channels of one seed.
    generators : list of torch.Generator
        One a seed; kernels are Glorot normal.
    """

    def __init__(self, inputs: int, outputs: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        shape, area = (inputs, outputs, KERNEL, KERNEL), KERNEL**2
        kernels = [glorot_normal(shape, area * inputs, area * outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))  # (seed, inputs, outputs, 5, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, seed * inputs, H, W) to (batch, seed * outputs, 2 H, 2 W)."""
        return convolve_seeds(self._convolve, x, self.weight, 4 * x[0, 0].numel())

    def _convolve(self, x: Tensor, kernels: Tensor, groups: int) -> Tensor:
        padding = KERNEL // 2
        return functional.conv_transpose2d(x, kernels, None, 2, padding, output_padding=1, groups=groups)


class SeedBias(nn.Module):
    """One constant a seed and channel: what is left of a normalisation where there is none.

    Parameters
    ----------
    seeds, channels : int
        Sizes of the constant; it starts at zero.
    """

    def __init__(self, seeds: int, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(seeds, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Shift (batch, seed * channels, H, W)."""
        return x + self.bias.view(1, -1, 1, 1)


class SeedBatchNormalisation(nn.Module):
    """Batch normalisation of each seed by itself.

    In training mode every pass normalises by its own batch and moves the running statistics, also the passes
    of critic and mask updates, which change no weight of the network: they see fresh training batches too.
    TwoStageVAE's batch normalisation does the same. In evaluation mode the running statistics are used.

    Parameters
    ----------
    seeds, channels : int
        Sizes of scale, shift and running statistics.
    momentum : float
        Share of a new batch in the running statistics; 0 leaves them at mean 0 and variance 1 for ever.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, seeds: int, channels: int, momentum: float = MOMENTUM) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(seeds, channels))
        self.bias = nn.Parameter(torch.zeros(seeds, channels))
        self._momentum = momentum
        self.register_buffer("running_mean", torch.zeros(seeds, channels))
        self.register_buffer("running_variance", torch.ones(seeds, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, seed * channels, H, W) over batch, H and W."""
        return functional.batch_norm(
            x,
            self.running_mean.view(-1),  # a view: the statistics are updated in place
            self.running_variance.view(-1),
            self.weight.flatten(),
            self.bias.flatten(),
            training=self.training,
            momentum=self._momentum,
            eps=EPSILON,
        )


class SeedGroupNormalisation(nn.Module):
    """Group normalisation of each seed by itself, in groups of 16 channels.

    Parameters
    ----------
    seeds, channels : int
        Sizes of scale and shift; ``channels`` is a multiple of 16.
    """

    def __init__(self, seeds: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(seeds, channels))
        self.bias = nn.Parameter(torch.zeros(seeds, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (batch, seed * channels, H, W) over each group, H and W."""
        groups = self.weight.numel() // GROUP_WIDTH
        return functional.group_norm(x, groups, self.weight.flatten(), self.bias.flatten(), EPSILON)


Normalisation = Callable[[int, int], nn.Module]
"""Makes a normalisation of the channels of all seeds: (seeds, channels) -> layer."""

NORMALISATIONS: Mapping[str, Normalisation] = {
    "batch": SeedBatchNormalisation,
    "group": SeedGroupNormalisation,
    "none": SeedBias,
}
