"""Convolutional encoder and decoder on the seed axis.

The networks of WAE (Tolstikhin et al., 2018) and TwoStageVAE (Dai and Wipf, 2019) for images of 64 x 64. They
stand in for MaskAAE's own, which are unknown.

Images of all seeds lie behind one another in the channel axis, (batch, seed * channels, H, W): a convolution
in as many groups as there are seeds then keeps them apart; a CPU takes seed by seed. A layer is told which
seeds the images are of. Parameters and running statistics lead with the seed, and kernels start Glorot
normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from maskaae.method.spec import ModelSpec
from maskaae.networks.kinds import GROUP_WIDTH, check_data, check_shape
from maskaae.networks.mlp import SeedLinear, glorot_normal

KERNEL = 5
"""Side of a kernel, as in the networks of WAE and TwoStageVAE."""

EPSILON = 1e-5
"""Added to a variance before its root, as in TwoStageVAE."""

MOMENTUM = 0.1
"""Share of a new batch in the running statistics, torch's default [our choice].

TwoStageVAE's is 0.001, but statistics that lag behind the decoder's weights spoil what it generates: after
300 steps on a toy data set, 0.01 reconstructed worse than the mean image, 0.1 as well as in training mode.
"""

ALL = slice(None)
"""Every seed."""


def seeds_together(seeds: int, on_gpu: bool) -> list[slice]:
    """Which seeds are convolved at a time: on a GPU all, in groups; on a CPU one after another.

    A CPU is twice as fast with each seed by itself, and with the channels of a pixel side by side in memory,
    which groups do not allow.
    """
    return [ALL] if on_gpu else [slice(seed, seed + 1) for seed in range(seeds)]


class SeedConvolution(nn.Module):
    """5x5 convolution of each seed, without a bias: its normalisation shifts the channels.

    A stride of 1 keeps height and width, one of 2 halves them.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        shape, area = (outputs, inputs, KERNEL, KERNEL), KERNEL**2
        kernels = [glorot_normal(shape, area * inputs, area * outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))  # (seed, outputs, inputs, 5, 5)
        self._stride = stride

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Map (batch, seed * inputs, H, W) to (batch, seed * outputs, H / stride, W / stride)."""
        kernels = self.weight[seeds]
        return functional.conv2d(
            x, kernels.flatten(0, 1), stride=self._stride, padding=KERNEL // 2, groups=len(kernels)
        )


class SeedDeconvolution(nn.Module):
    """5x5 transposed convolution of each seed that doubles height and width, without a bias."""

    def __init__(self, inputs: int, outputs: int, generators: list[torch.Generator]) -> None:
        super().__init__()
        shape, area = (inputs, outputs, KERNEL, KERNEL), KERNEL**2
        kernels = [glorot_normal(shape, area * inputs, area * outputs, g) for g in generators]
        self.weight = nn.Parameter(torch.stack(kernels))  # (seed, inputs, outputs, 5, 5)

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Map (batch, seed * inputs, H, W) to (batch, seed * outputs, 2 H, 2 W)."""
        kernels, padding = self.weight[seeds], KERNEL // 2
        return functional.conv_transpose2d(
            x, kernels.flatten(0, 1), None, 2, padding, output_padding=1, groups=len(kernels)
        )


class SeedBias(nn.Module):
    """One constant a seed and channel, at first zero: what is left of a normalisation where there is none."""

    def __init__(self, seeds: int, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(seeds, channels))

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Shift (batch, seed * channels, H, W)."""
        return x + self.bias[seeds].reshape(1, -1, 1, 1)


class SeedBatchNormalisation(nn.Module):
    """Batch normalisation of each seed by itself.

    In training mode every pass normalises by its own batch and moves the running statistics, also the passes
    of critic and mask updates, which change no weight of the network: they see fresh training batches too.
    So does TwoStageVAE's batch normalisation. In evaluation mode the running statistics are used, in which a
    new batch has the share ``momentum``.
    """

    running_mean: Tensor  # (seed, channel)
    running_variance: Tensor

    def __init__(self, seeds: int, channels: int, momentum: float = MOMENTUM) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(seeds, channels))
        self.bias = nn.Parameter(torch.zeros(seeds, channels))
        self._momentum = momentum
        self.register_buffer("running_mean", torch.zeros(seeds, channels))
        self.register_buffer("running_variance", torch.ones(seeds, channels))

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Normalise (batch, seed * channels, H, W) over batch, H and W."""
        return functional.batch_norm(
            x,
            self.running_mean[seeds].view(-1),  # a view: the statistics are updated in place
            self.running_variance[seeds].view(-1),
            self.weight[seeds].flatten(),
            self.bias[seeds].flatten(),
            training=self.training,
            momentum=self._momentum,
            eps=EPSILON,
        )


class SeedGroupNormalisation(nn.Module):
    """Group normalisation of each seed by itself, in groups of 16 channels."""

    def __init__(self, seeds: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(seeds, channels))
        self.bias = nn.Parameter(torch.zeros(seeds, channels))

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Normalise (batch, seed * channels, H, W) over each group, H and W."""
        weight, bias = self.weight[seeds].flatten(), self.bias[seeds].flatten()
        return functional.group_norm(x, len(weight) // GROUP_WIDTH, weight, bias, EPSILON)


class SeedRectifier(nn.Module):
    """ReLU, in place."""

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Set what is negative to zero."""
        return x.relu_()


class SeedLayers(nn.ModuleList):
    """Layers one after another, each told which seeds the images are of."""

    def forward(self, x: Tensor, seeds: slice = ALL) -> Tensor:
        """Take images (batch, seed * channels, H, W) through all layers."""
        for layer in self:
            x = layer(x, seeds)
        return x


Normalisation = Callable[[int, int], nn.Module]
"""Makes a normalisation of the channels of all seeds: (seeds, channels) -> layer."""

NORMALISATIONS: Mapping[str, Normalisation] = {
    "batch": SeedBatchNormalisation,
    "group": SeedGroupNormalisation,
    "none": SeedBias,
}


def _blocks(
    widths: Sequence[int], convolution: Callable[[int, int], nn.Module], normalise: Normalisation, seeds: int
) -> Iterator[nn.Module]:
    """From each number of channels to the next: a convolution, its normalisation and a ReLU."""
    for inputs, outputs in pairwise(widths):
        yield convolution(inputs, outputs)
        yield normalise(seeds, outputs)
        yield SeedRectifier()


class ConvolutionalEncoder(nn.Module):
    """Convolutions of stride 2, each normalised and followed by a ReLU, then a dense layer to the codes.

    Parameters
    ----------
    shape : tuple of int
        Shape of one image, (H, W, C).
    channels : sequence of int
        Channels after each convolution; each halves height and width.
    outputs : int
        Values for each example: the capacity, times the heads.
    normalise : callable
        Makes what follows each convolution.
    generators : list of torch.Generator
        One a seed.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: Sequence[int],
        outputs: int,
        normalise: Normalisation,
        generators: list[torch.Generator],
    ) -> None:
        super().__init__()
        height, width, colours = shape
        self._shape, self._seeds = shape, len(generators)
        halve = partial(SeedConvolution, stride=2, generators=generators)
        self.layers = SeedLayers(_blocks((colours, *channels), halve, normalise, self._seeds))
        area = (height >> len(channels)) * (width >> len(channels))
        self.dense = SeedLinear(area * channels[-1], outputs, generators)

    def forward(self, x: Tensor) -> Tensor:
        """Codes (seed, batch, m) of images (seed, batch, H * W * C)."""
        seeds, batch, _ = x.shape
        images = x.view(seeds, batch, *self._shape).permute(1, 0, 4, 2, 3)  # (batch, seed, C, H, W)
        maps = [
            self.layers(_side_by_side(images[:, part]), part).reshape(batch, -1, self.dense.weight.shape[1])
            for part in seeds_together(seeds, x.is_cuda)
        ]  # each (batch, seed, channels * h * w)
        codes: Tensor = self.dense(torch.cat(maps, dim=1).transpose(0, 1))
        return codes


class ConvolutionalDecoder(nn.Module):
    """A dense layer to small maps, transposed convolutions that double them, a convolution to the colours.

    The dense layer's maps are twice as high and wide as the encoder's last: 8 x 8 for images of 64 x 64, as
    in WAE and TwoStageVAE; that images of 32 x 32 start from 4 x 4 is our choice. As there, the dense layer
    is not normalised. Parameters are the encoder's; ``channels`` are used in reverse.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: Sequence[int],
        m: int,
        normalise: Normalisation,
        generators: list[torch.Generator],
    ) -> None:
        super().__init__()
        height, width, colours = shape
        doublings, seeds = len(channels) - 1, len(generators)
        self._maps, self._colours = (channels[-1], height >> doublings, width >> doublings), colours
        self.dense = SeedLinear(m, self._maps[0] * self._maps[1] * self._maps[2], generators)
        double = partial(SeedDeconvolution, generators=generators)
        self.layers = SeedLayers(
            [
                *_blocks(channels[::-1], double, normalise, seeds),
                SeedConvolution(channels[0], colours, 1, generators),
                SeedBias(seeds, colours),
            ]
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Images (seed, batch, H * W * C), before the sigmoid, of masked codes (seed, batch, m)."""
        seeds, batch, _ = codes.shape
        maps = self.dense(codes).relu_().transpose(0, 1)  # (batch, seed, channels * h * w)
        maps = maps.reshape(batch, seeds, *self._maps)  # (batch, seed, channels, h, w)
        images = [
            self.layers(_side_by_side(maps[:, part]), part).unflatten(1, (-1, self._colours))
            for part in seeds_together(seeds, codes.is_cuda)
        ]  # each (batch, seed, C, H, W)
        return torch.cat(images, dim=1).permute(1, 0, 3, 4, 2).flatten(2)


def _side_by_side(images: Tensor) -> Tensor:
    """(batch, seed, C, H, W) to (batch, seed * C, H, W), of one seed the channels of a pixel side by side."""
    order = torch.channels_last if images.shape[1] == 1 else torch.contiguous_format
    return images.flatten(1, 2).contiguous(memory_format=order)


def convolutional_networks(
    spec: ModelSpec, generators: list[torch.Generator], heads: int
) -> tuple[nn.Module, nn.Module]:
    """Convolutional networks for images.

    Raises
    ------
    ValueError
        If the data are no images, or their height and width cannot be halved once a layer.
    """
    check_data("convolutional", spec.channels, spec.normalisation, spec.kind, spec.data_dimension)
    check_shape(spec.shape, spec.channels)
    outputs, normalise = heads * spec.m, normalisation_of(spec)
    encoder = ConvolutionalEncoder(spec.shape, spec.channels, outputs, normalise, generators)
    decoder = ConvolutionalDecoder(spec.shape, spec.channels, spec.m, normalise, generators)
    return encoder, decoder


def normalisation_of(spec: ModelSpec) -> Normalisation:
    """Maker of the normalisation that a specification names, with its momentum if it has one."""
    if spec.normalisation == "batch":
        return partial(SeedBatchNormalisation, momentum=spec.batch_momentum)
    return NORMALISATIONS[spec.normalisation]
