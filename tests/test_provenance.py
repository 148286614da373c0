"""The code behind a number: what belongs to it, and what changes its hash."""

import ast
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maskaae import provenance
from maskaae.data import registry
from maskaae.models import catalogue
from maskaae.provenance import code_version, import_closure

REPOSITORY = Path(__file__).parent.parent
SCRIPTS = sorted(path.stem for path in (REPOSITORY / "scripts").glob("*.py"))
MODELS = {
    **{name: catalogue.entry_point(name, "soft") for name in catalogue.CATALOGUE},
    "maae, nested": catalogue.entry_point("maae", "nested"),
}
MODULES = sorted({point.partition(":")[0] for point in MODELS.values()} - {"maskaae.models.maae"})
"""All but that of WAE and the soft MAAE, which every training imports for its explicit gradients."""
BUILT_ON = {"vae": {"vae_flow", "two_stage_vae", "ard_vae"}, "aae": {"wae_gan"}, "wae_mmd": {"wae_gan"}}
BUILT_ON["nested_maae"] = {"wae_nested"}
"""Models that import the module of another."""

SMALL = {
    "script.py": '"""A script."""\nfrom maskaae.room.first import start\nstart(seed=1)  # a seed\n',
    "maskaae/__init__.py": '"""A package."""\n',
    "maskaae/room/__init__.py": "import maskaae.setup\n",
    "maskaae/room/first.py": '''"""First."""
from typing import TYPE_CHECKING
import numpy, maskaae.plain
if TYPE_CHECKING:
    from maskaae.types import Kind
else:
    from maskaae.otherwise import Kind
class Start:
    """A class."""
    width = 3
    def run(self):
        """Run."""
        try:
            from maskaae.room import lazy
        finally:
            pass
def start(seed):
    """Start."""
''',
    **{f"maskaae/{name}.py": "" for name in ("setup", "plain", "types", "otherwise", "named", "unused")},
    "maskaae/room/lazy.py": "",
    "maskaae/table.py": "import maskaae.of_table\nNAMES = {'a': 'maskaae.named:A'}\n",
    "maskaae/of_table.py": "",
}
IN_SMALL = {"maskaae", "maskaae.room"} | {f"maskaae.{name}" for name in ("setup", "plain", "otherwise")}
IN_SMALL |= {"maskaae.room.first", "maskaae.room.lazy"}


def forget():
    for cached in (provenance._read, provenance._module_file, import_closure, code_version):
        cached.cache_clear()


@pytest.fixture(autouse=True)
def fresh():
    forget()
    yield
    forget()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A small package in the place of ours."""
    for name, text in SMALL.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "maskaae")
    return tmp_path


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The whole package, copied to be edited."""
    shutil.copytree(REPOSITORY / "src/maskaae", tmp_path / "maskaae")
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path / "maskaae")
    return tmp_path / "maskaae"


def append(path, text="CHANGED = 1"):
    path.write_text(f"{path.read_text()}\n{text}\n")
    forget()


def training(point):
    return code_version(REPOSITORY / "scripts/train.py", (point,), catalogue.__name__)


def trainings():
    return {name: training(point) for name, point in MODELS.items()}


def test_closure_holds_packages_and_lazy_imports_but_no_types(small):
    assert set(import_closure(small / "script.py")) == IN_SMALL


def test_closure_holds_the_entry_points_and_not_their_table(small):
    append(small / "maskaae/room/lazy.py", "from maskaae import table")
    assert set(import_closure(small / "script.py")) == IN_SMALL | {"maskaae.table", "maskaae.of_table"}
    found = import_closure(small / "script.py", ("maskaae.named:A",), "maskaae.table")
    assert set(found) == IN_SMALL | {"maskaae.named"}


def test_hash_knows_which_attribute_of_a_module_is_used(small):
    script, table = small / "script.py", "maskaae.table"
    assert code_version(script, ("maskaae.named:A",), table) != code_version(
        script, ("maskaae.named:B",), table
    )


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", '"""A script."""', '"""Another."""'),
        ("script.py", "  # a seed", "  # some seed"),
        ("script.py", "start(seed=1)", "start(\n    seed=1,\n)"),
        ("maskaae/__init__.py", '"""A package."""', ""),
        ("maskaae/room/first.py", '"""A class."""', '"""Widths."""'),
        ("maskaae/room/first.py", '"""Run."""', '"""Go."""'),
        (
            "maskaae/room/first.py",
            "    from maskaae.types import Kind",
            "    from maskaae.unused import Kind",
        ),
        ("maskaae/types.py", "", "A = 1"),
        ("maskaae/unused.py", "", "A = 1"),
    ],
)
def test_what_decides_nothing_leaves_the_hash(small, file, old, new):
    before = code_version(small / "script.py")
    text = (small / file).read_text()
    assert old in text
    (small / file).write_text(text.replace(old, new, 1))
    forget()
    assert code_version(small / "script.py") == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "seed=1", "seed=2"),
        ("maskaae/__init__.py", "", "A = 1\n"),
        ("maskaae/room/__init__.py", "import maskaae.setup", "import maskaae.unused"),
        ("maskaae/room/first.py", "width = 3", "width = 4"),
        ("maskaae/room/first.py", "width = 3", "width = '3'"),
        ("maskaae/room/first.py", "def start(seed)", "def start(seed=0)"),
        (
            "maskaae/room/first.py",
            "        finally:\n            pass",
            "        finally:\n            del self",
        ),
        ("maskaae/room/first.py", "    from maskaae.otherwise", "    from maskaae.unused"),
        ("maskaae/room/lazy.py", "", "A = 1"),
        ("maskaae/otherwise.py", "", "A = 1"),
    ],
)
def test_what_decides_something_changes_the_hash(small, file, old, new):
    before = code_version(small / "script.py")
    text = (small / file).read_text()
    assert old in text
    (small / file).write_text(text.replace(old, new, 1))
    forget()
    assert code_version(small / "script.py") != before


def test_hash_knows_no_version_of_python(tmp_path):
    """Python 3.11 writes the first string with double quotes, 3.12 with single ones: one hash."""
    script = tmp_path / "script.py"
    script.write_text("names = {'a': 1}\nprint(f\"{names['a']} and {', '.join(names)}\", 'it\\'s')\n")
    assert code_version(script)[:16] == "25d7760cafddac02"


def test_hash_knows_no_place(small, monkeypatch, tmp_path_factory):
    before = code_version(small / "script.py")
    moved = tmp_path_factory.mktemp("elsewhere") / "checkout"
    shutil.copytree(small, moved)
    monkeypatch.setattr(provenance, "PACKAGE", moved / "maskaae")
    forget()
    assert code_version(moved / "script.py") == before


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_has_the_hash_of_the_modules_that_it_imports(copied, monkeypatch, script):
    """Changes in all others together leave it; a change in each of them does not."""
    path = REPOSITORY / f"scripts/{script}.py"
    before, inside = code_version(path), set(import_closure(path).values())
    for file in set(copied.rglob("*.py")) - inside:
        append(file)
    assert code_version(path) == before
    read = provenance._read
    for file in inside:
        changed = ("CHANGED = 1", read(file)[1])
        monkeypatch.setattr(
            provenance, "_read", lambda path, file=file, new=changed: new if path == file else read(path)
        )
        code_version.cache_clear()
        assert code_version(path) != before, file
    monkeypatch.undo()


IMPORTED = """
import ast, pkgutil, sys
for node in ast.walk(ast.parse(open(sys.argv[1]).read())):
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        exec(compile(ast.Module([node], []), sys.argv[1], "exec"))
for place in sys.argv[2:]:
    pkgutil.resolve_name(place)
print(*(name for name in sys.modules if name.split(".")[0] == "maskaae"))
"""


DESCRIPTIONS = {
    registry.__name__: {f"maskaae.data.{name}" for name in ("source", "known", "own", "own.sources")}
}
"""Parts of a table in files of their own: what its entries say of themselves, their keys and defaults, which
reach a rule by its parameters."""


@pytest.mark.parametrize(
    ("script", "points", "table"),
    [
        ("train", (MODELS["rae"],), catalogue.__name__),
        ("evaluate", (MODELS["maae, nested"],), catalogue.__name__),
        ("prepare", (f"{registry.SOURCES['mnist'].module}:prepare",), registry.__name__),
        ("fig4", (), ""),
    ],
)
def test_closure_holds_all_that_python_loads(script, points, table):
    """Of the package's modules that are there after the imports, the table alone is left out."""
    path = REPOSITORY / f"scripts/{script}.py"
    command = [sys.executable, "-c", IMPORTED, str(path), *points]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    left_out = set(loaded) - set(import_closure(path, points, table))
    assert left_out == ({table} | DESCRIPTIONS.get(table, set()) if table else set())


@pytest.mark.parametrize("module", MODULES)
def test_a_changed_rival_retrains_itself_and_what_is_built_on_it(copied, module):
    before = trainings()
    name = module.rpartition(".")[2]
    append(copied / f"models/{name}.py")
    after = trainings()
    own = {model for model, point in MODELS.items() if point.startswith(f"{module}:")}
    assert {model for model in MODELS if after[model] != before[model]} == own | BUILT_ON.get(name, set())


def test_a_new_model_retrains_nothing(copied):
    before = trainings()
    (copied / "models/plain_ae.py").write_text("class PlainAutoEncoder: pass\n")
    path = copied / "models/catalogue.py"
    line = '    "plain_ae": ModelEntry("AE", "maskaae.models.plain_ae", "PlainAutoEncoder"),\n'
    text = path.read_text()
    path.write_text(text.replace("] = {\n", "] = {\n" + line, 1))
    assert path.read_text() != text
    forget()
    assert trainings() == before


def test_a_training_depends_on_no_configuration_source_or_evaluation():
    """What planning alone needs, and what comes after, must not retrain."""
    for point in MODELS.values():
        found = import_closure(REPOSITORY / "scripts/train.py", (point,), catalogue.__name__)
        rooms = {name.split(".")[1] for name in found if name.count(".")}
        assert not rooms & {"config", "evaluation", "report", "estimator"}
        assert {name for name in found if name.startswith("maskaae.data.")} == {"maskaae.data.dataset"}


def test_the_inception_net_decides_features_alone(copied):
    scripts = ("reference_statistics", "evaluate", "train_classifier", "samples", "fig4")
    before = {script: code_version(REPOSITORY / f"scripts/{script}.py") for script in scripts}
    train = trainings()
    append(copied / "evaluation/inception.py")
    after = {script: code_version(REPOSITORY / f"scripts/{script}.py") for script in scripts}
    assert {script for script in scripts if after[script] != before[script]} == {
        "reference_statistics",
        "evaluate",
    }
    assert trainings() == train


def test_imports_are_absolute_and_by_name():
    """What the closure cannot follow: a relative import, and a module taken as an attribute of a package."""
    for path in [*(REPOSITORY / "scripts").glob("*.py"), *(REPOSITORY / "src").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
            if isinstance(node, ast.Import):
                assert not any(alias.name == "maskaae" for alias in node.names), path


def test_entry_points_are_what_models_are_built_of():
    from maskaae.method.presets import PAPER, ROBUST
    from maskaae.method.spec import ModelSpec
    from maskaae.models.build import build_model

    for preset in (PAPER, ROBUST):
        spec = ModelSpec("maae", 2, (0,), "vectors", (5,), (), (), preset)
        point = catalogue.entry_point("maae", preset.fidelity.mask_training)
        assert type(build_model(spec)) is pkgutil.resolve_name(point)
