"""Kinds of networks: their keys in the configuration, and the data that each can take.

Imported while the Snakefile is parsed and again when a model is built, so it needs only the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from maskaae.method.spec import AUTO

OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    "mlp": ("hidden",),
    "convolutional": ("channels", "normalisation", "batch_momentum"),
}
"""Keys of ``network:`` that only one kind of network reads."""

GROUP_WIDTH = 16
"""Channels in a group of group normalisation [our choice; one of the two divisions of Wu and He, 2018]."""


def check_keys(network: Mapping[str, Any]) -> None:
    """Refuse keys that the chosen kind of network would not read; the section is as the user wrote it.

    Raises
    ------
    ValueError
        With the key and the kind that it belongs to.
    """
    chosen = network.get("kind", "mlp")
    if chosen == AUTO and "channels" in network:
        raise ValueError(
            "network: key 'channels' is worked out from the images where kind is auto; leave it out, or "
            "choose kind: convolutional"
        )
    for kind, keys in OWN_KEYS.items():
        for key in keys:
            if chosen not in (kind, AUTO) and key in network:
                raise ValueError(
                    f"network: key {key!r} belongs to kind: {kind}, and the kind here is {chosen}; "
                    f"leave it out or choose kind: {kind}"
                )


def check_data(
    network: str, channels: Sequence[int], normalisation: str, kind: str | None, dimension: int | None
) -> None:
    """Refuse data that a convolutional network cannot take, as far as is known before the data are there.

    Parameters
    ----------
    network : {"mlp", "convolutional", "auto"}
        Kind of network; an MLP takes everything, and so does what suits the data.
    channels : sequence of int
        Channels after each layer.
    normalisation : {"batch", "group", "none"}
        What follows each convolution.
    kind : {"images", "vectors"} or None
        Kind of data; None where only the data can tell.
    dimension : int or None
        Data dimension D; None where only the data can tell.

    Raises
    ------
    ValueError
        With what is asked for, what there is, and what would be right.
    """
    if network != "convolutional":
        return
    if kind == "vectors":
        raise ValueError("network: kind: convolutional sees only images; vectors need kind: mlp")
    odd = [width for width in channels if normalisation == "group" and width % GROUP_WIDTH]
    if odd:
        raise ValueError(
            f"network: channels: {odd[0]} cannot be divided into groups of {GROUP_WIDTH} for "
            f"normalisation: group; give multiples of {GROUP_WIDTH}, or normalisation: batch"
        )
    if dimension is not None and dimension % 4 ** len(channels):
        raise ValueError(
            f"network: channels: {list(channels)} halves images {len(channels)} times, and no image of "
            f"D = {dimension} values has height and width that are multiples of {2 ** len(channels)}; "
            "give fewer channels, another image size, or kind: mlp"
        )


def check_shape(shape: Sequence[int], channels: Sequence[int]) -> None:
    """Refuse images that the layers of a convolutional network cannot halve.

    One image is (H, W, C); there are channels for each layer, which halves height and width.

    Raises
    ------
    ValueError
        With image size, channels and how many layers the size allows.
    """
    height, width = shape[0], shape[1]
    if height % 2 ** len(channels) or width % 2 ** len(channels):
        side = math.gcd(height, width)
        halvings = (side & -side).bit_length() - 1  # how often 2 divides both sides
        allowed = f"at most {halvings} channel widths" if halvings else "kind: mlp"
        raise ValueError(
            f"network: channels: {list(channels)} needs height and width that are multiples of "
            f"{2 ** len(channels)}, and the images are {height} x {width}; "
            f"give {allowed}, or another image size"
        )
