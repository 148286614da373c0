"""Fréchet distances are streamed: memory does not grow with the number of real or generated examples."""

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: the peak of one that has run other tests says nothing. The kernel's VmHWM, not
# getrusage: a new process inherits the latter from the one that started it. Kept features of 20,000 images
# would be 32 MB for each mask.
SCRIPT = """
import re
from pathlib import Path
import numpy as np, torch
from maskaae.evaluation.features import RawFeatures, reference_statistics
from maskaae.evaluation.generation import FeatureSpace, generation_metrics
from maskaae.evaluation.examples import Sampling
from maskaae.method.presets import PAPER
from maskaae.method.spec import ModelSpec
from maskaae.models.build import build_model

torch.set_num_threads(1)
shape = (20, 20, 1)
spec = ModelSpec(model="maae", m=4, seeds=(0,), kind="images", shape=shape, hidden=(8,), critic_hidden=(8,),
                 hyperparameters=PAPER)
model = build_model(spec).eval().requires_grad_(False)
stripes = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

def measure(count):
    real = np.broadcast_to(stripes, (count, *shape))  # takes no memory itself
    space = FeatureSpace(RawFeatures(), reference_statistics(real, RawFeatures(), batch=500))
    generation_metrics(model, [space], shape, Sampling(samples=count, batch=500))
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

few, many = measure(1000), measure(20_000)
print(many - few)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_peak_memory_does_not_grow_with_the_number_of_examples():
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert float(result.stdout) < 10, "MB more for 20,000 examples than for 1,000"
