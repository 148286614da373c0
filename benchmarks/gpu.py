"""All measurements that need a GPU, in one run that keeps to a budget of minutes.

    python benchmarks/gpu.py --output folder

Writes one csv a question, each as soon as it is answered, most important first; what the budget no longer
allows is left out and named. ``--device cpu --cases toy`` walks through it without a GPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from cases import (
    CASES,
    CONVOLUTIONAL,
    MNIST,
    SYNTHETIC,
    TOY,
    Case,
    operations,
    ours,
    uncaptured,
    weight_bytes,
)
from machine import copy_rate, describe, matrix_rate

import training
from maskaae.training.loop import set_precision

PAPER_STEPS = 500_000
PAPER_SEEDS = 5
CIFAR = dataclasses.replace(CONVOLUTIONAL, name="cifar10")
CELEBA = dataclasses.replace(CONVOLUTIONAL, name="celeba", shape=(64, 64, 3))


class Budget:
    """Seconds that are left."""

    def __init__(self, seconds: float) -> None:
        self._end = time.perf_counter() + seconds

    def left(self) -> float:
        """Seconds left."""
        return self._end - time.perf_counter()


def rates(device: str) -> pd.DataFrame:
    """Matrix rate in each precision, and bandwidth."""
    size, megabytes = (8192, 4000) if torch.device(device).type == "cuda" else (256, 10)
    rows = []
    for precision in ("tf32", "float32"):
        set_precision(precision)
        rows.append({"precision": precision, "teraflop_per_second": matrix_rate(device, size) / 1e12})
    set_precision("tf32")
    return pd.DataFrame(rows).assign(gigabyte_per_second=copy_rate(device, megabytes) / 1e9)


def steady(case: Case, device: str, seeds: int, steps: int) -> dict[str, float | str | int]:
    """Steady speed of one case, what it would take at the paper's length, and its distance to the limit."""
    gc.collect()  # what was measured before must not count as this case's memory
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    take = ours(case, seeds, device)
    take(max(10, steps // 10))
    start = time.perf_counter()
    take(steps)
    step = (time.perf_counter() - start) / steps
    work = seeds * operations(case)
    big = torch.device(device).type == "cuda"
    arithmetic = work / matrix_rate(device, 8192 if big else 256)
    memory = seeds * weight_bytes(case) / copy_rate(device, 4000 if big else 10)
    return {
        "case": case.name,
        "m": case.m,
        "seeds": seeds,
        "steps": steps,
        "ms_per_step": 1e3 * step,
        "minutes_at_paper_length": step * PAPER_STEPS / 60,
        "arithmetic_ms": 1e3 * arithmetic,
        "memory_ms": 1e3 * memory,
        "share_of_matrix_rate": arithmetic / step,
        "share_of_limit": max(arithmetic, memory) / step,
        "device_mb_per_seed": torch.cuda.max_memory_allocated() / 1e6 / seeds if big else 0.0,
    }


def mnist_bar(device: str, cases: list[Case]) -> pd.DataFrame:
    """The network of the paper, five seeds, 5,000 steady steps, in both precisions."""
    rows = []
    for precision in ("tf32", "float32"):
        set_precision(precision)
        steps = 5000 if torch.device(device).type == "cuda" else 5
        rows += [{"precision": precision, **steady(case, device, PAPER_SEEDS, steps)} for case in cases]
    set_precision("tf32")
    return pd.DataFrame(rows)


def grid(device: str, cases: dict[str, tuple[Case, int]]) -> pd.DataFrame:
    """Hours of the paper's whole grid: the number of trainings times the time of one, by data set."""
    rows = []
    for name, (case, trainings) in cases.items():
        steps = (300 if case.channels else 2000) if torch.device(device).type == "cuda" else 20
        row = steady(case, device, PAPER_SEEDS, steps)
        hours = trainings * row["minutes_at_paper_length"] / 60
        rows.append({**row, "case": name, "trainings": trainings, "hours": hours})
    return pd.DataFrame(rows)


PAPER_GRID = {
    "synthetic8": (SYNTHETIC, 20),
    "synthetic16": (dataclasses.replace(SYNTHETIC, m=32), 20),
    "mnist": (MNIST, 18),
    "fashion": (dataclasses.replace(MNIST, m=64), 2),
    "cifar10": (CIFAR, 2),
    "celeba": (CELEBA, 2),
}


def agreement(device: str, case: Case) -> pd.DataFrame:
    """Largest relative difference between replayed and ordinary steps after 100 of them."""
    states = []
    for contender in (ours(case, 2, device), uncaptured(case, 2, device)):
        contender(100)
        states.append(contender.model.state_dict())
    first, second = states
    apart = {
        name: (first[name] - tensor).norm() / tensor.norm().clamp_min(1e-30)
        for name, tensor in second.items()
    }
    return pd.DataFrame(
        [{"case": case.name, "tensor": name, "relative": float(value)} for name, value in apart.items()]
    )


def main() -> None:
    """Answer one question after another while the budget lasts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--cases", nargs="+", default=["synthetic", "mnist", "convolutional"], choices=CASES)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    device, budget = arguments.device, Budget(60 * arguments.minutes)
    cases = [CASES[name] for name in arguments.cases]
    toy = cases == [TOY]
    questions: dict[
        str, tuple[float, Callable[[], pd.DataFrame]]
    ] = {  # seconds it may need, and how to answer
        "gpu_rates": (20, lambda: rates(device)),
        "gpu_agreement": (30, lambda: agreement(device, TOY if toy else SYNTHETIC)),
        "gpu_mnist": (60, lambda: mnist_bar(device, [TOY] if toy else [MNIST])),
        "gpu_grid": (150, lambda: grid(device, {"toy": (TOY, 2)} if toy else PAPER_GRID)),
    }
    for case in cases:
        counts = [1, 5] if toy else [1, 2, 4, 5, 8, 16] if not case.channels else [1, 5]
        block = 0.05 if toy else 1.0
        questions[f"gpu_training_{case.name}"] = (
            90,
            lambda case=case, counts=counts, block=block: training.measure(
                case, counts, device, block, blocks=3
            ),
        )
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, (needed, answer) in questions.items():
        if budget.left() < needed:
            print(f"{name}: left out, {budget.left():.0f} s are left and it may need {needed:.0f}")
            continue
        start = time.perf_counter()
        table = answer()
        table.assign(**describe()).to_csv(arguments.output / f"{name}.csv", index=False)
        print(f"\n{name} ({time.perf_counter() - start:.0f} s)\n{table.to_string(index=False)}", flush=True)


if __name__ == "__main__":
    main()
