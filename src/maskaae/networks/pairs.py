"""Encoder and decoder of each kind of network."""

from __future__ import annotations

import torch
from torch import nn

from maskaae.method.spec import ModelSpec
from maskaae.networks.mlp import Mlp


def build_networks(
    spec: ModelSpec, generators: list[torch.Generator], heads: int = 1
) -> tuple[nn.Module, nn.Module]:
    """Build encoder and decoder of the kind that a specification names, ``mlp`` or ``convolutional``.

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
    if spec.network == "convolutional":
        from maskaae.networks.convolutional import convolutional_networks  # most models do without

        return convolutional_networks(spec, generators, heads)
    if spec.network != "mlp":
        raise ValueError(f"network: kind: {spec.network!r} is unknown; give 'mlp' or 'convolutional'")
    size = spec.data_dimension  # images are taken as vectors
    encoder = Mlp((size, *spec.hidden, heads * spec.m), generators)
    decoder = Mlp((spec.m, *reversed(spec.hidden), size), generators)
    return encoder, decoder
