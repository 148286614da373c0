"""Simulated metrics of WAE and MAAE runs."""

import numpy as np
import pandas as pd
import pytest
from simulated_runs import simulate_metrics


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def metrics(random: np.random.Generator) -> pd.DataFrame:
    return simulate_metrics(seeds=3, random=random)
