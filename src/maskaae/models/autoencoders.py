"""Encoder and decoder of each kind of network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from maskaae.architecture import check_data, check_shape
from maskaae.models.base import ModelSpec
from maskaae.models.convolutional import ConvolutionalDecoder, ConvolutionalEncoder
from maskaae.models.networks import Mlp

EncoderDecoder = tuple[nn.Module, nn.Module]


def mlp_networks(spec: ModelSpec, generators: list[torch.Generator]) -> EncoderDecoder:
    """MLPs of ReLU layers, the released script's kind [code]; images are taken as vectors."""
    size = spec.data_dimension
    encoder = Mlp((size, *spec.hidden, spec.m), generators)
    decoder = Mlp((spec.m, *reversed(spec.hidden), size), generators)
    return encoder, decoder


def convolutional_networks(spec: ModelSpec, generators: list[torch.Generator]) -> EncoderDecoder:
    """Convolutional networks for images.

    Raises
    ------
    ValueError
        If the data are no images, or their height and width cannot be halved once a layer.
    """
    check_data("convolutional", spec.channels, spec.normalisation, spec.kind, spec.data_dimension)
    check_shape(spec.shape, spec.channels)
    encoder = ConvolutionalEncoder(spec.shape, spec.channels, spec.m, spec.normalisation, generators)
    decoder = ConvolutionalDecoder(spec.shape, spec.channels, spec.m, spec.normalisation, generators)
    return encoder, decoder


NETWORKS: Mapping[str, Callable[[ModelSpec, list[torch.Generator]], EncoderDecoder]] = {
    "mlp": mlp_networks,
    "convolutional": convolutional_networks,
}
