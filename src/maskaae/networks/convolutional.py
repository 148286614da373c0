"""Convolutional encoder and decoder on the seed axis.

The networks of WAE (Tolstikhin et al., 2018) and TwoStageVAE (Dai and Wipf, 2019) for images of 64 x 64. They
stand in for MaskAAE's own, which are unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from maskaae.networks.layers import Normalisation, SeedBias, SeedConvolution, SeedDeconvolution, SeedLinear


def _blocks(
    widths: Sequence[int], convolution: Callable[[int, int], nn.Module], normalise: Normalisation, seeds: int
) -> Iterator[nn.Module]:
    """From each number of channels to the next: a convolution, its normalisation and a ReLU."""
    for inputs, outputs in pairwise(widths):
        yield convolution(inputs, outputs)
        yield normalise(seeds, outputs)
        yield nn.ReLU(inplace=True)


class ConvolutionalEncoder(nn.Module):
    """Convolutions of stride 2, each normalised and followed by a ReLU, then a dense layer to the codes.

    Parameters
    ----------
    shape : tuple of int
        Shape of one image, (H, W, C).
    channels : sequence of int
        Channels after each convolution; each halves height and width.
    m : int
        Capacity.
    normalise : callable
        Makes what follows each convolution.
    generators : list of torch.Generator
        One a seed.
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
        self._shape, self._seeds = shape, len(generators)
        halve = partial(SeedConvolution, stride=2, generators=generators)
        self.layers = nn.Sequential(*_blocks((colours, *channels), halve, normalise, self._seeds))
        area = (height >> len(channels)) * (width >> len(channels))
        self.dense = SeedLinear(area * channels[-1], m, generators)

    def forward(self, x: Tensor) -> Tensor:
        """Codes (seed, batch, m) of images (seed, batch, H * W * C)."""
        seeds, batch, _ = x.shape
        images = x.view(seeds, batch, *self._shape).permute(1, 0, 4, 2, 3)  # (batch, seed, C, H, W)
        # One order in memory whatever the number of seeds: it decides which kernels run.
        maps = self.layers(images.flatten(1, 2).contiguous())  # (batch, seed * channels, h, w)
        codes: Tensor = self.dense(maps.reshape(batch, seeds, -1).transpose(0, 1))
        return codes


class ConvolutionalDecoder(nn.Module):
    """A dense layer to small maps, transposed convolutions that double them, a convolution to the colours.

    The dense layer's maps are twice as high and wide as the encoder's last: 8 x 8 for images of 64 x 64, as
    in WAE and TwoStageVAE; that images of 32 x 32 start from 4 x 4 is our choice. As there, the dense layer
    is not normalised.

    Parameters
    ----------
    shape : tuple of int
        Shape of one image, (H, W, C).
    channels : sequence of int
        The encoder's; used in reverse.
    m : int
        Capacity.
    normalise : callable
        Makes what follows each transposed convolution.
    generators : list of torch.Generator
        One a seed.
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
        self._maps = (channels[-1], height >> doublings, width >> doublings)
        self.dense = SeedLinear(m, self._maps[0] * self._maps[1] * self._maps[2], generators)
        double = partial(SeedDeconvolution, generators=generators)
        self.layers = nn.Sequential(
            *_blocks(channels[::-1], double, normalise, seeds),
            SeedConvolution(channels[0], colours, 1, generators),
            SeedBias(seeds, colours),
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Images (seed, batch, H * W * C), before the sigmoid, of masked codes (seed, batch, m)."""
        seeds, batch, _ = codes.shape
        maps = self.dense(codes).relu_().transpose(0, 1)  # (batch, seed, channels * h * w)
        images: Tensor = self.layers(maps.reshape(batch, seeds * self._maps[0], *self._maps[1:]))
        images = images.reshape(batch, seeds, -1, *images.shape[2:])  # (batch, seed, C, H, W)
        return images.permute(1, 0, 3, 4, 2).flatten(2)
