"""Random numbers: every stream is a generator made from a seed and a purpose."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from numpy.random import SeedSequence
from torch import Tensor


def stream_seed(seed: int, purpose: str) -> int:
    """64-bit seed of the stream that ``seed`` owns for ``purpose``; different purposes are independent."""
    sequence = SeedSequence([seed, zlib.crc32(purpose.encode())])
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))


def torch_generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Torch generator of the stream that ``seed`` owns for ``purpose``."""
    generator = torch.Generator(device=device)
    generator.manual_seed(stream_seed(seed, purpose))
    return generator


def stacked_normal(generators: list[torch.Generator], shape: tuple[int, ...]) -> Tensor:
    """Standard normal numbers, one generator a seed, shape (seed, *shape)."""
    return torch.stack([torch.randn(shape, generator=g, device=g.device) for g in generators])


def stacked_uniform(generators: list[torch.Generator], shape: tuple[int, ...]) -> Tensor:
    """Uniform numbers in [0, 1), one generator a seed, shape (seed, *shape)."""
    return torch.stack([torch.rand(shape, generator=g, device=g.device) for g in generators])


def stacked_integers(generators: list[torch.Generator], high: int, shape: tuple[int, ...]) -> Tensor:
    """Integers in [0, high), one generator a seed, shape (seed, *shape)."""
    return torch.stack([torch.randint(high, shape, generator=g, device=g.device) for g in generators])
