"""Simulated runs with the columns that training and evaluation write: the figures' tests need no model."""

import numpy as np
import pandas as pd

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
        "dataset": dataset, "preset": "robust", "model": model, "m": m, "seed": seed, "step": step,
        "active": active,
        METRIC[dataset]: distance, f"{METRIC[dataset]}_soft": 1.1 * distance,
        "nac": 0.02 + 0.003 * excess + 0.01 * random.random(), "reconstruction_mse": 0.01, "wasserstein": 0.1,
    }  # fmt: skip


def simulate_history(
    dataset: str, model: str, m: int, seeds: int, random: np.random.Generator
) -> pd.DataFrame:
    """Mask values that start above 0.1; all but about 8 of them fall to zero before step 9,000."""
    rows = []
    for seed in range(seeds):
        start = 1 - np.exp(-random.uniform(0.3, 5, m))
        kept = 8 + seed % 2 if model == "maae" else m
        fall = np.where(np.arange(m) < kept, np.inf, random.uniform(1000, 7500, m))
        for step in range(0, 12001, 100):
            mu = np.where(step > fall, start * np.exp(-(step - fall).clip(0, 1e4) / 300), start)
            mu = np.where(fall == np.inf, start + (0.99 - start) * min(1, step / 6000), mu)
            active = int((mu >= 0.1).sum())
            noise = random.standard_normal(2)
            rows.append(
                {
                    "dataset": dataset, "preset": "robust", "model": model, "m": m,
                    "step": step, "seed": seed,
                    "reconstruction": (0.02 + 0.4 * np.exp(-step / 1500)) * np.exp(0.1 * noise[0]),
                    "wasserstein": 0.5 * np.exp(-step / 3000) + 0.05 * noise[1],
                    "active": active, **{f"mu_{j}": mu[j] for j in range(m)},
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
