"""All measurements that need a GPU, in one run that keeps to a budget of minutes.

    python benchmarks/gpu.py --output folder

Writes one csv a question, each as soon as it is answered, most important first; what the budget no longer
allows is left out and named, and a question that fails does not stop the next. ``--device cpu --cases toy``
walks through it without a GPU; ``--questions`` asks some of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from cases import (
    CASES,
    CONVOLUTIONAL,
    MNIST,
    RUN_LENGTH,
    SMALL,
    SYNTHETIC,
    TOY,
    Case,
    Contender,
    operations,
    ours,
    uncaptured,
    weight_bytes,
)
from machine import copy_rate, describe, matrix_rate

import training
from maskaae.models.build import build_model
from maskaae.models.catalogue import CATALOGUE
from maskaae.networks import convolutional
from maskaae.training.divergence import DivergenceWatch
from maskaae.training.draws import Draws, TrainingData
from maskaae.training.fast.graph import GraphTrainer, ScheduledSteps
from maskaae.training.loop import set_precision
from maskaae.training.stepping import Stepper

PAPER_STEPS = 500_000
PAPER_SEEDS = 5
MOST_KERNELS = 15
CIFAR = dataclasses.replace(CONVOLUTIONAL, name="cifar10")
TINY_IMAGES = Case("tiny_images", (8, 8, 1), 4, (), (16,), (4, 8), batch=8)
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
    """The network of the paper, five seeds, 1,000 steady steps, in both precisions."""
    rows = []
    for precision in ("tf32", "float32"):
        set_precision(precision)
        steps = 1000 if torch.device(device).type == "cuda" else 5
        rows += [{"precision": precision, **steady(case, device, PAPER_SEEDS, steps)} for case in cases]
    set_precision("tf32")
    return pd.DataFrame(rows)


def grid(device: str, cases: dict[str, tuple[Case, int]]) -> pd.DataFrame:
    """Hours of the paper's whole grid: the number of trainings times the time of one, by data set."""
    rows = []
    for name, (case, trainings) in cases.items():
        steps = (60 if case.channels else 500) if torch.device(device).type == "cuda" else 20
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
    """Largest relative difference of replayed steps, of both forms, from ordinary ones after 100 of them.

    In full single precision: what is compared is the way a step is taken, not how its products are rounded.
    """
    set_precision("float32")
    steps, rows = 100, []
    for form, plain in (("explicit", False), ("automatic", True)):
        contenders = ours(case, 2, device, plain), uncaptured(case, 2, device, plain)
        for contender in contenders:
            contender(steps)
        first, second = (contender.model.state_dict() for contender in contenders)
        apart = [relative(first[name], tensor) for name, tensor in second.items()]
        row = {"case": case.name, "form": form, "precision": "float32", "steps": steps}
        rows.append({**row, "tensors": len(apart), "largest_relative": np.max(apart)})  # NaN stays NaN
    set_precision("tf32")
    return pd.DataFrame(rows)


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    """Norm of the difference over the norm; M may be infinite in both, which is no difference."""
    apart = torch.where(one == other, 0.0, one - other)
    size = torch.where(other.isinf(), 0.0, other)
    return float(apart.norm() / size.norm().clamp_min(1e-30))


def forms(device: str, cases: list[Case]) -> pd.DataFrame:
    """A step of five seeds by both forms, replayed and launched one operation at a time."""
    rows = []
    for case in cases:
        for form, plain in (("explicit", False), ("automatic", True)):
            for way, make in (("replayed", ours), ("launched", uncaptured)):
                take = make(case, PAPER_SEEDS, device, plain)
                take(10)
                steps = 5 if torch.device(device).type != "cuda" else 1000 if way == "replayed" else 50
                start = time.perf_counter()
                take(steps)
                milliseconds = 1e3 * (time.perf_counter() - start) / steps
                rows.append({"case": case.name, "form": form, "way": way, "ms_per_step": milliseconds})
    return pd.DataFrame(rows)


GROUPED = convolutional.seeds_together


def one_by_one(seeds: int, on_gpu: bool) -> list[slice]:
    """Stand-in for ``convolutional.seeds_together`` that never groups."""
    return GROUPED(seeds, on_gpu=False)


def convolutions(device: str, case: Case) -> pd.DataFrame:
    """A step of five seeds of convolutional nets: all seeds in one grouped convolution, or one by one."""
    rows = []
    for way, together in (("grouped", GROUPED), ("one by one", one_by_one)):
        convolutional.seeds_together = together
        try:
            steps = 30 if torch.device(device).type == "cuda" else 2
            rows.append({"way": way, "precision": "tf32", **steady(case, device, PAPER_SEEDS, steps)})
        finally:
            convolutional.seeds_together = GROUPED
    return pd.DataFrame(rows)


def profile(device: str, cases: list[Case]) -> pd.DataFrame:
    """Where the time of a step of five seeds goes: the kernels that take most of it."""
    on_gpu = torch.device(device).type == "cuda"
    activity = torch.profiler.ProfilerActivity.CUDA if on_gpu else torch.profiler.ProfilerActivity.CPU
    steps, rows = 20 if on_gpu else 2, []
    for case in cases:
        take = ours(case, PAPER_SEEDS, device)
        take(10)
        with torch.profiler.profile(activities=[activity]) as seen:
            take(steps)
        times = [
            (event.key, event.self_device_time_total if on_gpu else event.self_cpu_time_total, event.count)
            for event in seen.key_averages()
        ]
        total = sum(time for _, time, _ in times)
        for kernel, took, count in sorted(times, key=lambda one: -one[1])[:MOST_KERNELS]:
            row = {"case": case.name, "kernel": kernel[:100], "calls": count / steps}
            rows.append({**row, "ms_per_step": took / steps / 1e3, "share": took / total})
    return pd.DataFrame(rows)


def rivals(device: str, case: Case) -> pd.DataFrame:
    """Each other model: can its step be captured, does it give the same numbers, and what does it take."""
    rows = []
    for name in sorted(set(CATALOGUE) - {"maae", "wae"}):
        row: dict[str, object] = {"model": name, "case": case.name}
        try:
            row |= rival(name, device, case)
        except Exception as error:  # which of them cannot be captured is the question
            row["error"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
            if torch.device(device).type == "cuda":
                torch.cuda.synchronize()
        rows.append(row)
        print(row, flush=True)
    return pd.DataFrame(rows)


def rival(name: str, device: str, case: Case) -> dict[str, float]:
    """Milliseconds of launched and of replayed steps of one model, and how far they are apart after 20."""
    replayed = torch.device(device).type == "cuda"
    milliseconds, states = {}, []
    for way in ("launched", "replayed"):
        shown = dataclasses.replace(case, shape=(*case.shape, 1, 1)) if name == "vae" else case  # only images
        spec = dataclasses.replace(shown.spec(range(PAPER_SEEDS)), model=name, steps=RUN_LENGTH)
        model = build_model(spec).to(device)
        draws = Draws(model, TrainingData(shown.examples(), device), case.batch, device)
        stepper = Stepper(model, RUN_LENGTH, case.batch)
        steps = ScheduledSteps(stepper, draws, DivergenceWatch(model.seeds), device)
        if way == "launched":
            take = Contender(lambda n, s=stepper, d=draws: s.step(d.next(), n), device, model)
        elif replayed:
            trainer = GraphTrainer(steps, device)
            take = Contender(trainer.step, device, model, trainer.stream)
        else:
            take = Contender(lambda n, s=steps: (s.prepare(n), s.take(s.phase(n))), device, model)
        take(20)
        states.append({key: value.clone() for key, value in model.state_dict().items()})
        count = 300 if replayed and way == "replayed" else 30 if replayed else 3
        start = time.perf_counter()
        take(count)
        milliseconds[f"{way}_ms"] = 1e3 * (time.perf_counter() - start) / count
    first, second = states
    unmeasured = {name for name, buffer in model.named_buffers() if buffer.isnan().all()}
    apart = [relative(first[key].float(), second[key].float()) for key in first.keys() - unmeasured]
    return {**milliseconds, "relative": float(np.max(apart))}  # NaN stays NaN


def main() -> None:
    """Answer one question after another while the budget lasts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--cases", nargs="+", default=["synthetic", "mnist", "convolutional"], choices=CASES)
    parser.add_argument("--questions", nargs="+", help="all, unless given")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    device, budget = arguments.device, Budget(60 * arguments.minutes)
    cases = [CASES[name] for name in arguments.cases]
    toy = cases == [TOY]
    # Seconds that each may need, and how to answer it.
    questions: dict[str, tuple[float, Callable[[], pd.DataFrame]]] = {
        "rates": (10, lambda: rates(device)),
        "agreement": (15, lambda: agreement(device, TOY if toy else SYNTHETIC)),
        "forms": (15, lambda: forms(device, [TOY] if toy else [SMALL, SYNTHETIC])),
        "mnist": (30, lambda: mnist_bar(device, [TOY] if toy else [MNIST])),
        "profile": (40, lambda: profile(device, [TOY] if toy else [SMALL, MNIST, CONVOLUTIONAL])),
        "rivals": (30, lambda: rivals(device, TOY if toy else SYNTHETIC)),
        "convolutions": (40, lambda: convolutions(device, TINY_IMAGES if toy else CONVOLUTIONAL)),
        "grid": (60, lambda: grid(device, {"toy": (TOY, 2)} if toy else PAPER_GRID)),
    }
    for case in cases:
        counts = [1, 5] if toy else [1, 2, 4, 5, 8, 16] if not case.channels else [1, 5]
        block = 0.05 if toy else 0.5
        questions[f"training_{case.name}"] = (
            40,
            lambda case=case, counts=counts, block=block: training.measure(
                case, counts, device, block, blocks=3
            ),
        )
    unknown = set(arguments.questions or ()) - set(questions)
    if unknown:
        parser.error(f"no such question: {', '.join(sorted(unknown))}; there are {', '.join(questions)}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    set_precision("tf32")  # as training is, unless a question says otherwise
    failed = []
    for name in arguments.questions or questions:
        needed, answer = questions[name]
        if budget.left() < needed:
            print(f"{name}: left out, {budget.left():.0f} s are left and it may need {needed:.0f}")
            continue
        start = time.perf_counter()
        try:
            table = answer()
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        if "precision" not in table:
            table.insert(1, "precision", "tf32")
        table.assign(**describe()).to_csv(arguments.output / f"gpu_{name}.csv", index=False)
        print(f"\n{name} ({time.perf_counter() - start:.0f} s)\n{table.to_string(index=False)}", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
