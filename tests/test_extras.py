"""What `pip install .` brings is enough for the estimator: no extra is imported before it is needed."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text())["project"]
MODULES = {"pillow": "PIL", "pyyaml": "yaml", "odfpy": "odf"}
"""Names under which packages are imported, where they differ from the packages' own."""
EXTRAS = [
    Requirement(text).name
    for name in ("pipeline", "images", "formats", "onnx")
    for text in PROJECT["optional-dependencies"][name]
]
BLOCKED = [MODULES.get(name, name.replace("-", "_")) for name in EXTRAS]
BLOCK = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None  # an import of it fails as if it were not installed
"""
FIT = """
import numpy as np
from maskaae.estimator import MaskAAE
x = np.random.default_rng(0).normal(size=(80, 4))
model = MaskAAE(capacity=2, hidden=(4,), critic_hidden=(4,), steps=2).fit(x)
print(model.inverse_transform(model.transform(x)).shape)
"""


COUNT = """
from maskaae.cli import main
sys.exit(main(["count", "table.csv", "--seeds", "1", "--steps", "20", "--capacity", "2", "--jobs", "1"]))
"""


def run_without_extras(code, folder=None):
    command = [sys.executable, "-c", BLOCK + code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_estimator_works_without_any_extra():
    answer = run_without_extras(FIT)
    assert answer.stdout == "(80, 4)\n", answer.stderr


def test_the_command_works_without_any_extra(tmp_path):
    rows = np.random.default_rng(0).normal(size=(100, 4))
    np.savetxt(tmp_path / "table.csv", rows, delimiter=",", header="a,b,c,d", comments="")
    answer = run_without_extras(COUNT, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "dimension" in answer.stdout


@pytest.fixture(scope="module")
def packages():
    """Packages by the names under which they are imported."""
    return metadata.packages_distributions()


@pytest.mark.parametrize(("package", "module"), list(zip(EXTRAS, BLOCKED, strict=True)))
def test_what_is_blocked_is_what_the_package_is_imported_by(packages, package, module):
    if module not in packages:
        pytest.skip(f"{package} is not installed")
    assert package in [canonicalize_name(name) for name in packages[module]]
