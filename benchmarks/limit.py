"""How far training is from what the machine can do.

    python benchmarks/limit.py --output limit.csv

Operations of a step's matrix products over the rate of a large matrix product, measured in the same run, give
the shortest time that arithmetic allows; on a GPU, the bytes that the weights need over the bandwidth of a
copy give the shortest that memory allows. The larger of the two binds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import torch
from cases import CASES, Case, Contender, operations, ours, uncaptured, weight_bytes
from machine import copy_rate, describe, matrix_rate, seconds_of
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from training import in_turn

PRODUCTS = {"mm": 0, "bmm": 0, "addmm": 1, "baddbmm": 1}
"""Matrix products, and where their factors begin among the arguments."""


class Products(TorchDispatchMode):
    """Notes the factors of the matrix products of what runs under it.

    Attributes
    ----------
    found : list of (shape, stride, shape, stride)
        Of the first and the second factor, in the order of the products.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[tuple[int, ...], ...]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        """Run an operation, and note its factors if it is a product."""
        first = PRODUCTS.get(function.overloadpacket.__name__)
        if first is not None:
            factors = args[first : first + 2]
            self.found.append(tuple(part for x in factors for part in (tuple(x.shape), x.stride())))
        return function(*args, **kwargs or {})


def products_alone(take: Contender, device: str) -> float:
    """Seconds of the matrix products of one training step, with nothing else between them."""
    with Products() as products:
        take(1)

    def factor(shape: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        extent = 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        return torch.randn(extent, device=device).as_strided(shape, stride)

    # One set of factors for every kind of product, as a step uses its buffers again.
    kinds = {kind: (factor(*kind[:2]), factor(*kind[2:])) for kind in set(products.found)}
    outputs = {kind: torch.matmul(*factors) for kind, factors in kinds.items()}

    def all_products() -> None:
        for kind in products.found:
            torch.matmul(*kinds[kind], out=outputs[kind])

    return min(seconds_of(all_products, device, repeats=5) for _ in range(3))


def measure(case: Case, seeds: list[int], device: str, seconds: float) -> pd.DataFrame:
    """One row for every number of seeds that train together."""
    on_gpu = torch.device(device).type == "cuda"
    arithmetic = matrix_rate(device, 8192 if on_gpu else 2048)
    bandwidth = copy_rate(device, 2000 if on_gpu else 400)
    per_seed = operations(case)
    rows = []
    for count in seeds:
        step = in_turn({"ours": ours(case, count, device)}, seconds, blocks=3)["ours"]
        products = products_alone(uncaptured(case, count, device), device)
        by_arithmetic = count * per_seed / arithmetic
        by_memory = (
            count * weight_bytes(case) / bandwidth if on_gpu else 0.0
        )  # a CPU's caches hold the weights
        floor = max(by_arithmetic, by_memory)
        rows.append(
            {
                "case": case.name,
                "device": device,
                "threads": torch.get_num_threads(),
                "seeds": count,
                "gigaflop_per_step": count * per_seed / 1e9,
                "matrix_gigaflop_per_second": arithmetic / 1e9,
                "copy_gigabyte_per_second": bandwidth / 1e9,
                "ms_per_step": 1e3 * step,
                "arithmetic_ms": 1e3 * by_arithmetic,
                "memory_ms": 1e3 * by_memory,
                "products_ms": 1e3 * products,
                "binds": "arithmetic" if floor == by_arithmetic else "memory",
                "share_of_matrix_rate": by_arithmetic / step,
                "share_of_limit": floor / step,
                "share_of_products": products / step,
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=["synthetic", "mnist"], choices=CASES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 4, 5, 8])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a block")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tables = [
        measure(CASES[name], arguments.seeds, arguments.device, arguments.seconds) for name in arguments.cases
    ]
    table = pd.concat(tables, ignore_index=True).round(4)
    print(table.to_string(index=False))
    if arguments.output:
        table.assign(**describe()).to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
