"""The checked experiment, and what several rules need of it.

Defines `EXPERIMENT` (see maskaae.config) and the functions that turn wildcards into files and parameters.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

RULES = workflow.current_basedir


def source_file(name):
    """Path of a file of this repository, also where the importing workflow has it from a hosting service."""
    file = RULES.join(f"../../{name}")
    if isinstance(file, os.PathLike):
        return Path(os.path.normpath(file))
    return Path(workflow.sourcecache.get_path(file))


SETUP = "run `make setup && source .venv/bin/activate`"

# A checkout runs its own package, whatever else is installed: so planning, jobs and hashes mean the same code, Snakemake
# with numpy can plan, and an environment of `--sdm conda` need not hold the package.
if isinstance(RULES, os.PathLike) and source_file("src").is_dir():
    package = str(source_file("src"))
    sys.path.insert(0, package)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.update(
        PYTHONPATH=os.pathsep.join(dict.fromkeys([package, *filter(None, known)]))
    )
elif find_spec("maskaae") is None:
    raise WorkflowError(
        "The package maskaae is not installed: `pip install` a checkout of the version that is imported"
    )

from maskaae.config.checking import check_config
from maskaae.config.experiment import SEPARATOR, split_label
from maskaae.config.reading import nested_overrides, read_config
from maskaae.data.own.recognise import OWN
from maskaae.models import catalogue
from maskaae.provenance import code_version

# As a module, this workflow has the configuration that its importer gives it, and the importer's command line is not
# about it. Files are read here rather than by `configfile:`, which would merge the paper's grid into every other one.
IMPORTED = not workflow.modifier.is_main_snakefile()
CONFIG_FILES, CONFIG_ARGUMENTS = [], []
if not IMPORTED:
    CONFIG_FILES = workflow.config_settings.configfiles
    CONFIG_ARGUMENTS = workflow.config_settings.config_args
    if (
        not CONFIG_FILES and Path("config/config.yaml").exists()
    ):  # of the working folder
        CONFIG_FILES = [Path("config/config.yaml")]
if not CONFIG_FILES and not (IMPORTED and config):
    CONFIG_FILES = [source_file("config/config.yaml")]
try:
    experiment_config = {}
    for config_file in CONFIG_FILES:
        update_config(experiment_config, read_config(Path(config_file)))
    update_config(
        experiment_config, config
    )  # `--config key=value`, or what the importer gives
    update_config(experiment_config, nested_overrides(CONFIG_ARGUMENTS or []))
    EXPERIMENT = check_config(experiment_config)
except (OSError, ValueError) as error:  # no such file, or a broken configuration
    where = ", ".join(map(str, CONFIG_FILES)) or f"config of module {__name__}"
    raise WorkflowError(f"{where}: {error}") from None
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"{error.name}, which checks the configuration, is not installed: {SETUP}"
    ) from None

DATASETS = EXPERIMENT.datasets
RUN = "results/runs/{dataset}/{model}/m{m}"
"""`model` is a label: a model, or one of its variants (maskaae.config.experiment)."""

RAW = "results/data/raw"
"""Published files, downloaded or put there by hand.

They, and the user's own data, stay where they are (`local`): no prefix of a module is put before their paths, no
storage holds them, and where nodes share no files the rules that take them run beside Snakemake.
"""

BATCH_SIZE = EXPERIMENT.evaluation["batch_size"]
"""Examples at a time: a resource, as it decides memory and no number, so that another one reruns nothing."""


wildcard_constraints:
    dataset="|".join(DATASETS),
    model=rf"({'|'.join(catalogue.CATALOGUE)})({SEPARATOR}[a-z0-9_]+)?",
    m=r"[1-9]\d*",
    features="raw|classifier|inception",


def code_of(script, entry_points=(), table=""):
    """Parameter: hash of what a rule's script and all that it imports do; a change in it reruns the rule."""
    path = source_file(f"scripts/{script}.py")
    return code_version(path, tuple(entry_points), table)


def code_with_model(script):
    """Parameter function: hash of a script's code and of the class of the model that the wildcards name."""
    return lambda wildcards: code_of(
        script, model_classes(wildcards.dataset, wildcards.model), catalogue.__name__
    )


def model_classes(dataset, label):
    """Entry points of the classes that a labelled model may be: one, unless tuning chooses how masks are learned."""
    dataset, model = DATASETS[dataset], split_label(label)[0]
    own = dataset.setting(label).hyperparameters
    overrides = dataset.tuning[label].overrides if label in dataset.tuning else [{}]
    return sorted(
        {
            catalogue.entry_point(model, own.override(override).fidelity.mask_training)
            for override in overrides
        }
    )


def describe(rules, name, words):
    """Give a rule that a loop makes what `snakemake --list-rules` says of it; a docstring cannot hold a name."""
    getattr(rules, name).rule.docstring = words


def of_dataset(attribute):
    """Parameter function: an attribute of the data set of the wildcards."""
    return lambda wildcards: getattr(DATASETS[wildcards.dataset], attribute)


def of_setting(attribute):
    """Parameter function: an attribute of the setting that the labelled model of the wildcards is trained in."""
    return lambda wildcards: getattr(
        DATASETS[wildcards.dataset].setting(wildcards.model), attribute
    )


def features_of(dataset):
    """Feature spaces that a data set is measured in: the one that its figures show, raw values if they fit."""
    return DATASETS[dataset].measured


def runs(name, datasets, models, capacities=None):
    """A file of every run of some data sets and models, at all of their capacities or at some."""
    return [
        f"results/runs/{dataset}/{model}/m{m}/{name}"
        for dataset, model, m in EXPERIMENT.runs(datasets, models)
        if capacities is None or m in capacities
    ]


def infos(datasets):
    """The dataset.json of each data set."""
    return [f"results/data/{dataset}/dataset.json" for dataset in datasets]


def titles(datasets):
    """Name in figures of each data set."""
    return {dataset: DATASETS[dataset].title for dataset in datasets}


def presets(datasets):
    """Preset of each data set, which stands behind MAAE's name wherever its numbers do."""
    return {dataset: DATASETS[dataset].preset for dataset in datasets}


def metrics(datasets):
    """Column of the distance that figures show of each data set."""
    return {dataset: DATASETS[dataset].metric for dataset in datasets}


def finished_with_other_seeds():
    """Records of the finished trainings, of those that the configuration names, that are of other seeds than its."""
    prefixed = workflow.modifier.path_modifier.replace_prefix
    paths = [Path(prefixed(path)) for path in runs("run.json", None, None)]
    records = [read_record(path) for path in paths if path.exists()]
    return [
        record
        for record in records
        if set(record["spec"]["seeds"]) != set(EXPERIMENT.seeds)
    ]


def read_record(path):
    """A run.json."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise WorkflowError(
            f"{path}: damaged ({error}); delete its folder, and it trains again"
        ) from None
