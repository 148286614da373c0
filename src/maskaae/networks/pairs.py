"""Encoder and decoder of each kind of network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn

from maskaae.method.spec import ModelSpec
from maskaae.networks.convolutional import ConvolutionalDecoder, ConvolutionalEncoder
from maskaae.networks.kinds import check_data, check_shape
from maskaae.networks.layers import NORMALISATIONS, Normalisation, SeedBatchNormalisation
from maskaae.networks.mlp import Mlp

EncoderDecoder = tuple[nn.Module, nn.Module]


def mlp_networks(spec: ModelSpec, generators: list[torch.Generator], heads: int) -> EncoderDecoder:
    """MLPs of ReLU layers, the released script's kind [code]; images are taken as vectors."""
    size = spec.data_dimension
    encoder = Mlp((size, *spec.hidden, heads * spec.m), generators)
    decoder = Mlp((spec.m, *reversed(spec.hidden), size), generators)
    return encoder, decoder


def convolutional_networks(spec: ModelSpec, generators: list[torch.Generator], heads: int) -> EncoderDecoder:
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


NETWORKS: Mapping[str, Callable[[ModelSpec, list[torch.Generator], int], EncoderDecoder]] = {
    "mlp": mlp_networks,
    "convolutional": convolutional_networks,
}


def build_networks(spec: ModelSpec, generators: list[torch.Generator], heads: int = 1) -> EncoderDecoder:
    """Build encoder and decoder of the kind that a specification names.

    Parameters
    ----------
    spec : ModelSpec
        Kind and sizes.
    generators : list of torch.Generator
        One a seed, for the weights.
    heads : int
        Values that the encoder's last layer gives a dimension: 1, a code; 2, mean and log-variance.

    Returns
    -------
    tuple of Module
        Encoder, (seed, batch, D) to (seed, batch, heads * m); decoder, (seed, batch, m) to (seed, batch, D).
    """
    return NETWORKS[spec.network](spec, generators, heads)
