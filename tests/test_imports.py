"""The rooms of the package: who may import whom, read from the source, so that a lazy import counts too."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import maskaae

PACKAGE = Path(maskaae.__file__).parent
WAY = ("method", "networks", "models", "training", "evaluation", "tuning", "counting")
"""Each room builds on those before it."""
HELPERS = {"randomness", "logs", "provenance"}
"""Modules at the root that every room may import; they import no room."""
FACES = {"estimator", "verify", "cli"}
"""What users call; nothing imports it."""
ROOT_MODULES = 7
MAY_IMPORT: Mapping[str, set[str]] = {
    **{room: {*WAY[: place + 1]} for place, room in enumerate(WAY)},
    "data": {"data"},
    "config": {*WAY, "data", "config"},
    "report": {*WAY, "data", "config", "report"},
    "progress": {"progress"},
    "handover": {*WAY, "data", "report", "handover"},
}
RECORDS = "report.records"
"""What figures and tables ask of the configuration; of the report, its check reads this module alone."""
READ_DATA = {"training", "evaluation", "tuning", "counting"}
TORCH_FREE = re.compile(
    r"(report|config)\b.*|data\.registry|models\.catalogue|method\.(presets|spec|schedules)|networks\.kinds"
    r"|tuning\.candidates"
)
"""What the Snakefile reads while it is parsed, and what is made of csv and json."""
TORCH = {"torch", "torchvision", "torch_fidelity", "triton", "safetensors.torch"}
SHARED_NAMES = {"__init__", "base"}

Sources = dict[str, str]


def read_sources() -> Sources:
    """Text of every module by its dotted name below the package; a package ends in ``__init__``."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def imported(text: str) -> frozenset[str]:
    """Dotted names that a source imports anywhere, in functions and for type checkers too.

    Of ``from a import b`` both ``a`` and ``a.b``: b may be a module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


@cache
def named(text: str) -> frozenset[str]:
    """Modules of the package that a source names in a string, for ``importlib`` to import."""
    strings = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return frozenset(
        text
        for text in strings
        if isinstance(text, str) and re.fullmatch(r"maskaae(\.\w+)+(?<!\.mplstyle)", text)
    )


def modules_of(names: frozenset[str], sources: Sources) -> set[str]:
    """Those of some dotted names that are modules or packages of ours."""
    below = {name.removeprefix("maskaae.") for name in names if name.startswith("maskaae.")}
    found = {name for name in below if name in sources}
    return found | {f"{name}.__init__" for name in below if f"{name}.__init__" in sources}


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def wrong_ways(sources: Sources) -> Iterator[str]:
    """Imports, by statement or by a name in a string, that run against the way."""
    for module, text in sources.items():
        for other in sorted(modules_of(imported(text) | named(text), sources)):
            here, there = room(module), room(other)
            allowed = MAY_IMPORT.get(here, set(MAY_IMPORT) if here in FACES else set()) | HELPERS
            allowed |= {"data"} if here in READ_DATA else set()
            if there not in allowed and (here, other) != ("config", RECORDS):
                yield f"{module} imports {other}"


def unknown_names(sources: Sources) -> Iterator[str]:
    """Names in strings that ``importlib`` would not find."""
    for module, text in sources.items():
        for name in sorted(named(text)):
            if not modules_of(frozenset({name}), sources):
                yield f"{module} names {name}, which is no module"


def closure(module: str, sources: Sources) -> set[str]:
    """A module, all that it imports by statement, and the packages around them."""
    found: set[str] = set()
    waiting = {module}
    while waiting:
        here = waiting.pop()
        found.add(here)
        parts = here.split(".")
        around = {".".join([*parts[:depth], "__init__"]) for depth in range(len(parts))}
        waiting |= (modules_of(imported(sources[here]), sources) | around) - found
    return found


def torch_imports(sources: Sources) -> Iterator[str]:
    """Modules that must do without torch, each with a module through which it would come."""
    for module in sources:
        if TORCH_FREE.fullmatch(module):
            for other in sorted(closure(module, sources)):
                brought = {
                    name for name in imported(sources[other]) if name in TORCH or name.split(".")[0] in TORCH
                }
                if brought:
                    yield f"{module} imports {sorted(brought)[0]} through {other}"


def repeated_names(sources: Sources) -> Iterator[str]:
    """Names that more than one module or package has."""
    names = [module.removesuffix(".__init__").split(".")[-1] for module in sources if module != "__init__"]
    for name, count in Counter(names).items():
        if count > 1 and name not in SHARED_NAMES:
            yield f"{count} modules are called {name}"


def crowded_root(sources: Sources) -> Iterator[str]:
    """The modules at the root, if there are too many."""
    at_root = [module for module in sources if "." not in module]
    if len(at_root) > ROOT_MODULES:
        yield f"{len(at_root)} modules at the root: {', '.join(at_root)}"


RULES = (wrong_ways, unknown_names, torch_imports, repeated_names, crowded_root)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule):
    assert list(rule(read_sources())) == []


BREACHES = [
    ("method.mask", "from maskaae.models.base import Draw", "method.mask imports models.base"),
    ("networks.mlp", "import maskaae.training.loop", "networks.mlp imports training.loop"),
    (
        "models.rae",
        "def f():\n    from maskaae.training import loop",
        "models.rae imports training.loop",
    ),
    (
        "models.catalogue",
        "LATER = 'maskaae.training.loop'",
        "models.catalogue imports training.loop",
    ),
    ("models.base", "from maskaae.data.dataset import Dataset", "models.base imports data.dataset"),
    ("training.run", "from maskaae.evaluation import encoding", "training.run imports evaluation.encoding"),
    (
        "evaluation.encoding",
        "from maskaae.tuning.trials import tune",
        "evaluation.encoding imports tuning.trials",
    ),
    (
        "data.dataset",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from maskaae.method.spec import ModelSpec",
        "data.dataset imports method.spec",
    ),
    ("training.loop", "from maskaae.config import read_config", "training.loop imports config.__init__"),
    ("config.reading", "from maskaae.report import table1", "config.reading imports report.table1"),
    ("tuning.trials", "from maskaae.estimator import MaskAAE", "tuning.trials imports estimator"),
    ("estimator", "from maskaae import verify", "estimator imports verify"),
    ("logs", "from maskaae.data.dataset import Dataset", "logs imports data.dataset"),
    ("data.registry", "GONE = 'maskaae.data.gone'", "data.registry names maskaae.data.gone"),
    ("report.markup", "def f():\n    import torch", "report.table2 imports torch through report.markup"),
    (
        "evaluation.protocol",
        "from safetensors.torch import save",
        "config.checking imports safetensors.torch through evaluation.protocol",
    ),
    (
        "config.checking",
        "from maskaae.method import losses",
        "config.checking imports torch through method.losses",
    ),
    (
        "method.__init__",
        "from maskaae.method.losses import mask_loss",
        "method.spec imports torch through method.losses",
    ),
    (
        "data.own.splits",
        "from torchvision.datasets import MNIST",
        "report.figures.samples imports torchvision.datasets through data.own.splits",
    ),
    ("report.losses", "", "2 modules are called losses"),
    ("report.networks.__init__", "", "2 modules are called networks"),
]


@pytest.mark.parametrize(("module", "lines", "said"), BREACHES, ids=[breach[2] for breach in BREACHES])
def test_a_breach_is_found(module, lines, said):
    """Each rule with lines added to a module, or a module added, that break it."""
    sources = read_sources()
    sources[module] = f"{sources.get(module, '')}\n{lines}\n"
    found = [problem for rule in RULES for problem in rule(sources)]
    assert any(said in problem for problem in found), found


def test_a_crowded_root_is_found():
    spare = {f"spare_{place}": "" for place in range(ROOT_MODULES)}
    assert list(crowded_root(read_sources() | spare))
