"""Models by name: each is there, and building one imports no other."""

import importlib
import subprocess
import sys

import pytest

from maskaae.models.base import LatentModel
from maskaae.models.build import MASK_TRAININGS
from maskaae.models.catalogue import CATALOGUE

CLASSES = {
    **{name: (entry.module, entry.class_name) for name, entry in CATALOGUE.items()},
    **{f"maae, {name}": place for name, place in MASK_TRAININGS.items()},
}
BUILD = """
import sys
from maskaae.method.presets import PAPER
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model
build_model(ModelSpec("rae", 2, (0,), "vectors", (5,), (), (), PAPER))
print(*sorted(name for name in sys.modules if name.startswith("maskaae.models.")))
"""


@pytest.mark.parametrize(("module", "class_name"), CLASSES.values(), ids=CLASSES)
def test_every_name_stands_for_a_model(module, class_name):
    model_class = getattr(importlib.import_module(module), class_name)
    assert issubclass(model_class, LatentModel)


def test_building_a_model_imports_that_model_only():
    loaded = subprocess.run([sys.executable, "-c", BUILD], capture_output=True, text=True, check=True)
    assert "maskaae.models.rae" in loaded.stdout.split()
    assert not {"maskaae.models.vae", "maskaae.models.nested_maae", "maskaae.models.wae_gan"} & set(
        loaded.stdout.split()
    )
