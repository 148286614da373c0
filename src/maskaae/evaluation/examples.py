"""Two forms of an example: as stored (uint8 images, float32 vectors) and as a model sees it (rows of D)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def batches(examples: NDArray[Any], size: int, device: torch.device | str = "cpu") -> Iterator[Tensor]:
    """Read stored examples in order, without ever holding all of them.

    Parameters
    ----------
    examples : numpy.ndarray
        Stored examples, (N, H, W, C) or (N, D); may be memory-mapped.
    size : int
        Examples per batch; the last batch may be smaller.
    device : torch.device or str
        Where to put them.

    Yields
    ------
    Tensor
        Stored examples, (batch, H, W, C) or (batch, D).
    """
    for start in range(0, len(examples), size):
        yield torch.from_numpy(np.array(examples[start : start + size])).to(device)


def to_model_input(examples: Tensor) -> Tensor:
    """Bring stored examples into the form that models take.

    Parameters
    ----------
    examples : Tensor
        Images uint8 (N, H, W, C) or vectors float32 (N, D).

    Returns
    -------
    Tensor
        Float32 (N, D): images in [0, 1], vectors as they are.
    """
    if examples.dtype == torch.uint8:
        return examples.flatten(1).float() / 255
    return examples


def stretch(x: Tensor) -> Tensor:
    """Min-max stretch of each generated image by itself, as the authors' script does to fakes (not to reals).

    Parameters
    ----------
    x : Tensor
        Generated images, (N, D).

    Returns
    -------
    Tensor
        (N, D), each row from 0 to 1; a constant image, which has no range to stretch, stays as it is.
    """
    low, high = x.aminmax(dim=1, keepdim=True)
    constant = high == low
    return torch.where(constant, x, (x - low) / torch.where(constant, torch.ones_like(high), high - low))


def to_stored_form(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Bring generated data into the form in which real examples are stored.

    Generated images are rounded to uint8, as the real ones once were, so that no metric can tell the two
    apart by their quantisation. Values outside [0, 1], which a decoder with a sigmoid never gives, are
    clamped, as writing them to an image file would.

    Parameters
    ----------
    x : Tensor
        Generated data, (N, D).
    shape : tuple of int
        Shape of one stored example, (H, W, C) for images or (D,) for vectors.

    Returns
    -------
    Tensor
        Images uint8 (N, H, W, C) or vectors float32 (N, D).
    """
    if len(shape) == 1:
        return x
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).view(-1, *shape)
