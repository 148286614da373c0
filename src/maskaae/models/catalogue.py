"""Every model by name. Only the standard library is imported here: the Snakefile reads it while it is parsed.

A new model is one file under ``maskaae.models`` and one line here; the configuration then takes its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ModelEntry(NamedTuple):
    """Where a model is, what figures and tables call it, and whether it refuses vectors."""

    title: str
    module: str
    class_name: str
    images_only: bool = False


CATALOGUE: Mapping[str, ModelEntry] = {
    "vae": ModelEntry("VAE (cross-entropy)", "maskaae.models.vae", "BernoulliVae", images_only=True),
    "vae_fixed": ModelEntry("VAE (fixed variance)", "maskaae.models.vae", "FixedVarianceVae"),
    "vae_learned": ModelEntry("VAE (learned variance)", "maskaae.models.vae", "LearnedVarianceVae"),
    "vae_flow": ModelEntry("VAE + flow", "maskaae.models.vae_flow", "FlowVae"),
    "two_stage_vae": ModelEntry("2-Stage VAE", "maskaae.models.two_stage_vae", "TwoStageVae"),
    "wae_mmd": ModelEntry("WAE-MMD", "maskaae.models.wae_mmd", "MmdAutoEncoder"),
    "wae_gan": ModelEntry("WAE-GAN", "maskaae.models.wae_gan", "GanAutoEncoder"),
    "aae": ModelEntry("AAE", "maskaae.models.aae", "AdversarialAutoEncoder"),
    "rae": ModelEntry("RAE-L2", "maskaae.models.rae", "RegularisedAutoEncoder"),
    "irmae": ModelEntry("IRMAE", "maskaae.models.irmae", "ImplicitRankMinimizingAutoEncoder"),
    "least_volume": ModelEntry("Least Volume", "maskaae.models.least_volume", "LeastVolumeAutoEncoder"),
    "ard_vae": ModelEntry("ARD-VAE", "maskaae.models.ard_vae", "ArdVae"),
    "wae": ModelEntry("WAE", "maskaae.models.maae", "WassersteinAutoEncoder"),
    "wae_nested": ModelEntry(
        "WAE, schedule of MAAE", "maskaae.models.nested_wae", "NestedWassersteinAutoEncoder"
    ),
    # The class of the soft mask (preset `paper`); `entry_point` takes that of MASK_TRAININGS instead.
    "maae": ModelEntry("MAAE", "maskaae.models.maae", "MaskedAdversarialAutoEncoder"),
}
TITLES: Mapping[str, str] = {name: entry.title for name, entry in CATALOGUE.items()}

MASK_TRAININGS: Mapping[str, str] = {
    "soft": "maskaae.models.maae:MaskedAdversarialAutoEncoder",
    "nested": "maskaae.models.nested_maae:NestedMaskedAdversarialAutoEncoder",
}
"""Entry point of MaskAAE by ``Fidelity.mask_training``: soft in the preset `paper`, nested in `robust`."""


def entry_point(model: str, mask_training: str) -> str:
    """Where the class of a model is: ``"package.module:attribute"``."""
    if model == "maae":
        return MASK_TRAININGS[mask_training]
    return f"{CATALOGUE[model].module}:{CATALOGUE[model].class_name}"
