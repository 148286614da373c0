"""Simulated runs with the columns that training and evaluation write: the figures' tests need no model."""

import numpy as np
import pandas as pd
import pytest

CAPACITIES = {"synthetic_n8": [4, 6, 8, 12, 16, 24, 32], "digits": [4, 8, 16, 32]}
TRUE_N = {"synthetic_n8": 8, "digits": None}
METRIC = {"synthetic_n8": "fd_raw_10k", "digits": "fid_classifier_10k"}
TITLES = {"synthetic_n8": "Synthetic, $n=8$", "digits": "Digits"}
STEPS = [4000, 8000, 12000]


def simulate_metrics(seeds: int, random: np.random.Generator) -> pd.DataFrame:
    """WAE's U with its lowest point at 8, MAAE flat from there on with a count near 8."""
    rows = []
    for dataset, capacities in CAPACITIES.items():
        for model in ("wae", "maae"):
            for m in capacities:
                rows += [
                    simulate_checkpoint(
                        dataset=dataset, model=model, m=m, seed=seed, step=step, random=random
                    )
                    for seed in range(seeds)
                    for step in STEPS
                ]
    return pd.DataFrame(rows)


def simulate_checkpoint(
    *, dataset: str, model: str, m: int, seed: int, step: int, random: np.random.Generator
) -> dict[str, object]:
    excess = m if model == "wae" else min(m, 8)
    distance = 1.2 + 0.35 * max(0, 8 - excess) ** 1.4 + 0.025 * max(0, excess - 8)
    distance *= (1 + 2000 / step) * np.exp(0.08 * random.standard_normal())
    active = m if model == "wae" else int(min(m, 8 + random.integers(-1, 3)))
    return {
        "dataset": dataset, "model": model, "m": m, "seed": seed, "step": step, "active": active,
        METRIC[dataset]: distance, f"{METRIC[dataset]}_soft": 1.1 * distance,
        "nac": 0.02 + 0.003 * excess + 0.01 * random.random(), "reconstruction_mse": 0.01, "wasserstein": 0.1,
    }  # fmt: skip


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def metrics(random: np.random.Generator) -> pd.DataFrame:
    return simulate_metrics(seeds=3, random=random)
