"""What witnesses say on families of known dimension, and which counts they would warn of.

    python benchmarks/witnesses.py --output docs/results/witnesses/witnesses.csv

The families and generator seeds are those for choosing of config/count_families.yaml: the tolerances of
`maskaae.evaluation.witnesses.agreement` were chosen on them.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd

from maskaae.data.registry import resolve
from maskaae.data.synthetic import GAUSSIAN, draw_examples, draw_generator
from maskaae.evaluation.witnesses import agreement, witnesses

FAMILIES = ("paper", "tanh", "deep_relu", "linear")
DIMENSIONS = (2, 4, 8, 16, 32)
NOISES = (0.0, 0.1)
ROWS = 2000
COLUMNS = 100


def draw(family: str, n: int, noise: float, seed: int) -> np.ndarray:
    """Draw rows of a family."""
    spec = resolve({"name": "rows", "source": "synthetic", "family": family, "n": n, "dimension": COLUMNS})
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)]
    generator = draw_generator(spec, streams[0])
    return draw_examples(
        generator, (ROWS, n), law=GAUSSIAN, noise=noise, latent_rng=streams[1], noise_rng=streams[2]
    )


def ask(family: str, n: int, noise: float, seed: int) -> dict[str, object]:
    """One data set: what witnesses say, the smallest and largest count that they agree with."""
    heard = witnesses(draw(family, n, noise, seed), seed)
    agreed = [count for count in range(1, COLUMNS + 1) if agreement(count, heard).agrees]
    said = {witness.name: witness.dimension for witness in heard}
    return {
        **{"family": family, "n": n, "noise": noise, "seed": seed, **said},
        **{"smallest_agreed": min(agreed), "largest_agreed": max(agreed)},
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="csv")
    parser.add_argument("--seeds", type=int, default=4, help="generator seeds from 0 on, at most 100")
    asked = parser.parse_args()
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    every = itertools.product(FAMILIES, DIMENSIONS, NOISES, range(min(asked.seeds, 100)))
    table = pd.DataFrame([ask(*one) for one in every]).round(2)
    table.to_csv(asked.output, index=False)
    right = table["n"].between(table["smallest_agreed"], table["largest_agreed"])
    print(f"{right.mean():.1%} of {len(table)} right counts agree with their witnesses")


if __name__ == "__main__":
    main()
