"""Models by name: each is there, and building one imports no other."""

import pkgutil
import subprocess
import sys

import pytest

from maskaae.models.base import LatentModel
from maskaae.models.catalogue import CATALOGUE, MASK_TRAININGS, entry_point

CLASSES = {
    **{name: entry_point(name, "soft") for name in CATALOGUE},
    **{f"maae, {name}": entry_point("maae", name) for name in MASK_TRAININGS},
}
BUILD = """
import sys
from maskaae.method.presets import PAPER
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
build_model(ModelSpec("rae", 2, (0,), "vectors", (5,), (), (), PAPER))
print(*sorted(name for name in sys.modules if name.startswith("maskaae.models.")))
"""


@pytest.mark.parametrize("place", CLASSES.values(), ids=CLASSES)
def test_every_name_stands_for_a_model(place):
    assert issubclass(pkgutil.resolve_name(place), LatentModel)


def test_building_a_model_imports_that_model_only():
    loaded = subprocess.run([sys.executable, "-c", BUILD], capture_output=True, text=True, check=True)
    assert "maskaae.models.rae" in loaded.stdout.split()
    assert not {"maskaae.models.vae", "maskaae.models.nested_maae", "maskaae.models.wae_gan"} & set(
        loaded.stdout.split()
    )
