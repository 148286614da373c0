"""KID, precision and recall: measures that need every feature vector, not only mean and covariance."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

KID_SUBSET = 1000
"""Vectors per subset of KID, torch-fidelity's default; all of them where there are fewer."""

NeighbourhoodMeasure = Literal["kid", "precision", "recall"]


def neighbourhood_measures(
    generated: Tensor, real: Tensor, *, seed: int
) -> dict[NeighbourhoodMeasure, float]:
    """Kernel distance, precision and recall of generated against real features, by torch-fidelity.

    Parameters
    ----------
    generated : Tensor
        Features (N, F), float32.
    real : Tensor
        Features (K, F) of the test split.
    seed : int
        Seed of KID's random subsets.

    Returns
    -------
    dict of str to float
        `kid`: mean over 100 random subsets of the unbiased squared MMD with the cubic kernel (Binkowski et
        al. 2018); `precision` and `recall`: shares in [0, 1] by balls of the third neighbour (Kynkäänniemi et
        al. 2019). All NaN if a generated feature is not finite.
    """
    # Imported here: it takes many seconds, since torchvision comes with it.
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    if not generated.isfinite().all():
        return {"kid": math.nan, "precision": math.nan, "recall": math.nan}
    subset = min(KID_SUBSET, len(generated), len(real))
    kid = kid_features_to_metric(generated, real, kid_subset_size=subset, rng_seed=seed, verbose=False)
    prc = prc_features_to_metric(generated, real.to(generated.device), save_cpu_ram=True, verbose=False)
    return {
        "kid": kid[KEY_METRIC_KID_MEAN],
        "precision": prc[KEY_METRIC_PRECISION],
        "recall": prc[KEY_METRIC_RECALL],
    }
