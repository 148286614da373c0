"""What made a folder of results, and whether the same would come out of today's code and configuration.

The record stands beside the results as ``provenance.json``. A program of it is a script with what it
imports; its hash is that of `maskaae.provenance.code_version`: comments and moved checkouts change none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskaae.config.experiment import Experiment, split_label
from maskaae.config.reading import read_config
from maskaae.data import registry
from maskaae.data.registry import SOURCES
from maskaae.models import catalogue
from maskaae.provenance import code_version
from maskaae.report.records import RECORDS

FILE = "provenance.json"
STAGES: Mapping[str, str] = {
    "prepare": "data",
    "tune": "training",
    "train": "training",
    "train_classifier": "evaluation",
    "reference_statistics": "evaluation",
    "evaluate": "evaluation",
    "covariance": "evaluation",
    "samples": "evaluation",
    "samplers": "evaluation",
    "intrinsic_dimension": "evaluation",
    "count_family": "training",
}
"""Stage of a script by its stem; those of figures and tables, which only show, are in none."""
SHOWN = "figures and tables"
COUNTED = "count_families"
"""Result for which nothing is trained but by counting."""
OF_A_MODEL = {"train": "run.json", "evaluate": "metrics.csv", "covariance": "covariance.csv"}
OF_A_MODEL |= {"samples": "samples.csv", "samplers": "samplers.csv"}
"""Scripts that run once a model, and the file of a run by which a figure asks for them."""

Run = tuple[str, str, int]  # data set, label of the model, m


@dataclass(frozen=True, order=True)
class Program:
    """A script, what it imports by name only (see `maskaae.provenance.code_version`), and its hash."""

    script: str  # path in the repository
    entry_points: tuple[str, ...] = ()
    table: str = ""
    sha256: str = ""

    def hashed(self, repository: Path) -> Program:
        """With the hash of today's code; an empty one where there is no such script any more."""
        path = repository / self.script
        version = code_version(path, self.entry_points, self.table) if path.is_file() else ""
        return dataclasses.replace(self, sha256=version)

    @property
    def stage(self) -> str:
        """What it does, in words."""
        path = Path(self.script)
        return STAGES.get(path.stem, SHOWN) if path.parts[0] == "scripts" else "measurement"

    @property
    def name(self) -> str:
        """What tells it from others of its stage: a model's class, a source of data, or the script."""
        if not self.entry_points:
            return Path(self.script).stem
        module, _, attribute = self.entry_points[0].partition(":")
        return attribute if self.table == catalogue.__name__ else module.rpartition(".")[2]


@dataclass(frozen=True)
class Trained:
    """What an experiment trains, each once; all empty where nothing is known."""

    presets: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()

    def words(self) -> str:
        """Preset, networks, length and seeds in a line; the names of the data stand in every table."""
        parts = [f"Preset {' and '.join(f'`{preset}`' for preset in self.presets)}"] if self.presets else []
        parts += [" or ".join(self.networks)] if self.networks else []
        parts += [f"{' or '.join(f'{steps:,}' for steps in self.steps)} steps"] if self.steps else []
        parts += [f"seeds {ranges(self.seeds)}"] if self.seeds else []
        return "; ".join(parts)


@dataclass(frozen=True)
class Provenance:
    """What made a folder of results; what is not known of an older one is empty.

    Attributes
    ----------
    command : str
        What fills the folder.
    configuration, configuration_sha256 : str
        File in the repository, and the hash of what it says, comments left out; empty for benchmarks.
    trained : Trained
        Of the experiment.
    commits : tuple of str
        Of the checkouts that trained.
    machine : str
        Processor, cores, devices.
    made : str
        Day.
    hours : float
        Of training, all runs together.
    programs : tuple of Program
        All code behind the numbers.
    """

    command: str
    commits: tuple[str, ...]
    machine: str
    made: str
    programs: tuple[Program, ...]
    configuration: str = ""
    configuration_sha256: str = ""
    trained: Trained = Trained()
    hours: float | None = None

    def write(self, folder: Path) -> None:
        """Put the record into a folder."""
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n"
        (folder / FILE).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Provenance:
        """Read the record of a folder."""
        values = json.loads((folder / FILE).read_text(encoding="utf-8"))
        trained = Trained(**{name: tuple(value) for name, value in values.pop("trained").items()})
        values["commits"] = tuple(values["commits"])
        programs = tuple(
            Program(**{**program, "entry_points": tuple(program["entry_points"])})
            for program in values["programs"]
        )
        return cls(**{**values, "trained": trained, "programs": programs})

    def changes(self, repository: Path) -> dict[str, list[str]]:
        """Names of what is different today, by stage; nothing if the results are fresh."""
        found: dict[str, set[str]] = {}
        for program in self.programs:
            if program.hashed(repository) != program:
                found.setdefault(program.stage, set()).add(program.name)
        if self.configuration:
            path = repository / self.configuration
            if not path.is_file() or configuration_hash(path) != self.configuration_sha256:
                found["configuration"] = {self.configuration}
        return {stage: sorted(names) for stage, names in found.items()}

    @property
    def short_commits(self) -> str:
        """The commits to seven digits; that of a checkout with changes of its own ends in ``-dirty``."""
        return ", ".join(commit[:7] + "-dirty" * commit.endswith("-dirty") for commit in self.commits)

    def sentence(self) -> str:
        """Whose numbers these are, in a line: preset, configuration, length, seeds, commit, machine."""
        parts = [words] if (words := self.trained.words()) else []
        parts += [f"`{self.configuration}`"] if self.configuration else []
        parts += (
            [f"commit{'s' if len(self.commits) > 1 else ''} {self.short_commits}"] if self.commits else []
        )
        parts += [self.machine] if self.machine else []
        return f"{'; '.join([*parts, self.made])}; `{self.command}`."


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in words: ``0 to 4`` where each follows the other."""
    found = sorted(numbers)
    if len(found) > 2 and found == list(range(found[0], found[-1] + 1)):
        return f"{found[0]} to {found[-1]}"
    return ", ".join(map(str, found))


def configuration_hash(path: Path) -> str:
    """Hash of what a YAML file says: no comment, anchor or order of keys changes it."""
    said = json.dumps(read_config(path), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def shown_runs(experiment: Experiment, name: str) -> dict[str, set[Run]]:
    """Runs behind a figure, a table, the claims, a comparison or the dimensions, by the file that it reads.

    What the configuration does not ask for: KeyError with its name.
    """
    entries = experiment.datasets
    if name in RECORDS:
        asked = {**experiment.figures, **experiment.tables}[name]
        wanted = RECORDS[name].wanted(asked)
        found: dict[str, set[Run]] = {}
        for runs in RECORDS[name].runs.values():
            found.setdefault(runs.file, set()).update(runs.of(wanted, entries))
        return found
    if name == "claims" and experiment.claims:
        images = experiment.claims["images"]
        runs_of = experiment.runs([*experiment.claims["known"], *images], ["wae", "wae_nested", "maae"])
        of_images = experiment.runs(images, experiment.plain_models)
        shown = [run for run in of_images if run[2] == entries[run[0]].capacity]
        return {"metrics.csv": {*runs_of, *shown}}
    if name == "dimensions" and experiment.dimensions:
        runs_of = experiment.runs(experiment.dimensions["datasets"])
        largest = [run for run in runs_of if run[2] == max(entries[run[0]].capacities[run[1]])]
        return {"metrics.csv": {run for run in largest if run[1] != "wae"}}
    if name == COUNTED and experiment.count_families:
        return {}
    groups = experiment.comparisons[name]
    return {
        "metrics.csv": {
            (group.dataset, row.label, m) for group in groups for row in group.rows for m in group.capacities
        }
    }


def everything(experiment: Experiment) -> list[str]:
    """Names of all that plain ``snakemake`` makes of an experiment."""
    shown = [name for name, asked in {**experiment.figures, **experiment.tables}.items() if asked]
    sections = {"claims": experiment.claims, "dimensions": experiment.dimensions}
    sections |= {COUNTED: experiment.count_families}
    return [
        *(name for name in shown if name not in experiment.on_request),
        *experiment.comparisons,
        *(name for name, section in sections.items() if section),
    ]


def programs(experiment: Experiment, names: Sequence[str]) -> set[Program]:
    """All programs, without their hashes, behind some figures, tables and other results."""
    found: set[Program] = set()
    for name in names:
        of_file = shown_runs(experiment, name)
        found |= {_script(script) for script in _scripts_of(experiment, name)}
        found |= {_preparing(experiment, dataset) for dataset in counted(experiment, [name])}
        for run in set().union(*of_file.values()):
            found.update(_of_run(experiment, run))
        for script, file in OF_A_MODEL.items():
            for dataset, label, _ in of_file.get(file, ()):
                found.add(_of_model(experiment, script, dataset, label))
    return found


def _script(stem: str, entry_points: tuple[str, ...] = (), table: str = "") -> Program:
    return Program(f"scripts/{stem}.py", entry_points, table)


def _scripts_of(experiment: Experiment, name: str) -> list[str]:
    """Stems of the scripts that show a result, or estimate without training."""
    if name in RECORDS:
        return [RECORDS[name].script]
    if name in experiment.comparisons:
        return ["comparison"]
    others = {"dimensions": ["intrinsic_dimension"], COUNTED: ["count_family"]}
    return [name, *others.get(name, ())]


def counted(experiment: Experiment, names: Sequence[str]) -> list[str]:
    """Data sets on which the dimensions are counted as the command does, if that is among some results."""
    section = experiment.count_families
    return list(section["judging"]) if section and COUNTED in names else []


def _preparing(experiment: Experiment, dataset: str) -> Program:
    source = SOURCES[experiment.datasets[dataset].source_spec["source"]]
    return _script("prepare", (f"{source.module}:prepare",), registry.__name__)


def _of_model(experiment: Experiment, script: str, dataset: str, label: str) -> Program:
    fidelity = experiment.datasets[dataset].setting(label).hyperparameters.fidelity
    point = catalogue.entry_point(split_label(label)[0], fidelity.mask_training)
    return _script(script, (point,), catalogue.__name__)


def _of_run(experiment: Experiment, run: Run) -> Iterator[Program]:
    """Programs behind a run itself: data, training, and what measures it."""
    dataset, label, _ = run
    entry = experiment.datasets[dataset]
    yield _preparing(experiment, dataset)
    yield _of_model(experiment, "train", dataset, label)
    yield _script("reference_statistics")
    if label in entry.tuning:
        yield _of_model(experiment, "tune", dataset, label)
    if "classifier" in entry.measured:
        yield _script("train_classifier")


def describe_experiment(experiment: Experiment, names: Sequence[str], results: Path) -> dict[str, Any]:
    """Fields of a record that experiment and run.json of the runs behind some results tell.

    A training has the hash that its run.json holds: that of the code which ran.
    """
    runs = sorted({run for name in names for found in shown_runs(experiment, name).values() for run in found})
    records = [
        json.loads((results / f"runs/{dataset}/{label}/m{m}/run.json").read_text(encoding="utf-8"))
        for dataset, label, m in runs
    ]
    programs_trained = {
        dataclasses.replace(_of_model(experiment, "train", *run[:2]), sha256=record["code_sha256"])
        for run, record in zip(runs, records, strict=True)
    }
    records += [
        json.loads((results / f"counts/{dataset}.json").read_text(encoding="utf-8"))
        for dataset in counted(experiment, names)
    ]
    return {
        "programs": programs_trained,
        "devices": sorted({record["device"] for record in records}),
        "commits": tuple(sorted({record["commit"] or "unknown" for record in records})),
        "hours": round(sum(record["seconds"] for record in records) / 3600, 2),
        "trained": setting_of(experiment, list(dict.fromkeys(dataset for dataset, _, _ in runs))),
    }


def setting_of(experiment: Experiment, datasets: Sequence[str]) -> Trained:
    """What is trained on some data sets of an experiment."""
    entries = [experiment.datasets[name] for name in datasets]
    return Trained(
        presets=tuple(dict.fromkeys(entry.preset for entry in entries)),
        datasets=tuple(entry.title for entry in entries),
        networks=tuple(dict.fromkeys(_network(entry.network) for entry in entries)),
        steps=tuple(sorted({entry.training["steps"] for entry in entries})),
        seeds=tuple(experiment.seeds),
    )


def _network(network: Mapping[str, Any]) -> str:
    mlp = f"MLP {'-'.join(map(str, network['hidden']))}"
    if network["kind"] == "auto":
        return f"{mlp}, or convolutions for images"
    if network["kind"] == "mlp":
        return mlp
    return f"convolutions {'-'.join(map(str, network['channels']))}"
