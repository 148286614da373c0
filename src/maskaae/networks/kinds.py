"""Kinds of networks: their keys in the configuration, and the data that each can take.

Imported while the Snakefile is parsed and again when a model is built, so it needs only the standard library.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

OWN_KEYS: Mapping[str, tuple[str, ...]] = {
    "mlp": ("hidden",),
    "convolutional": ("channels", "normalisation", "batch_momentum"),
}
"""Keys of ``network:`` that only one kind of network reads."""

AUTO = "auto"
"""Kind that stands for the one that suits the data, see `suited`."""

LEAST_SIDE = 16
"""Pixels of the shorter side from which images get convolutional networks by themselves [our choice]."""
LEAST_MAP = 4
"""Pixels of the shorter side that layers chosen by themselves do not halve any more [our choice]."""
MOST_LAYERS = 4
"""Layers that are chosen by themselves, at most: as many as WAE has for images of 64 x 64."""
FIRST_CHANNELS = {"cpu": 8, "gpu": 64}
"""Channels after the first of such layers; each further one has twice as many [our choice]."""

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


def suited(network: Mapping[str, Any], kind: str, shape: Sequence[int], *, on_gpu: bool) -> dict[str, Any]:
    """Replace the kind `auto` of a section ``network`` by the one that suits data of some kind and shape.

    An MLP of a laptop's size sees colour photographs as a blur, so images get convolutional networks, if
    they are large enough for any.
    """
    if network["kind"] != AUTO:
        return dict(network)
    channels = suited_channels(shape, on_gpu=on_gpu) if kind == "images" else ()
    if not channels:
        return {**network, "kind": "mlp"}
    return {**network, "kind": "convolutional", "channels": channels}


def suited_channels(shape: Sequence[int], *, on_gpu: bool) -> tuple[int, ...]:
    """Channels after each layer for images (H, W, C) [our choice]; none where an MLP suits them better.

    Every layer halves the images, as long as both sides are even and no side falls below `LEAST_MAP`.
    """
    height, width = shape[:2]
    layers = 0
    while layers < MOST_LAYERS and min(height, width) >= 2 * LEAST_MAP and not (height % 2 or width % 2):
        height, width, layers = height // 2, width // 2, layers + 1
    if min(shape[:2]) < LEAST_SIDE or layers < 2:
        return ()
    return tuple(FIRST_CHANNELS["gpu" if on_gpu else "cpu"] * 2**layer for layer in range(layers))


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
