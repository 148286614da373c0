"""Every figure and table by name: what it is made from, and what it asks of the configuration.

The check of the configuration and the Snakefile read this module, so it needs only the standard library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from maskaae.config.experiment import DatasetEntry
    from maskaae.method.presets import Hyperparameters


class Asks(Enum):
    """What stands under the name of a figure or table in the configuration."""

    DATASETS = "names of data sets"
    DATASET = "name of one data set"
    CAPACITIES = "mapping of data sets to the capacity to show"
    RUNS = "dataset: its name; capacities: those to show"
    NOTHING = "true, or false to leave it out"


class Runs(NamedTuple):
    """One file of each of several runs."""

    file: str
    models: tuple[str, ...] | None = None
    """None: all that are trained."""
    capacities: Literal["all", "shown"] = "all"
    """Shown: those that the configuration gives for the figure, or else the data set's `capacity`."""

    def of(
        self, wanted: Mapping[str, list[int]], entries: Mapping[str, DatasetEntry]
    ) -> list[tuple[str, str, int]]:
        """Choose runs (data set, model, m) of an experiment's data sets, as `Record.wanted` says."""
        return [
            (name, model, m)
            for name, entry in entries.items()
            if name in wanted
            for model, trained in entry.capacities.items()
            if self.models is None or model in self.models
            for m in trained
            if self.capacities == "all" or m in (wanted[name] or (entry.capacity,))
        ]


@dataclass(frozen=True)
class Record:
    """A figure or table."""

    name: str
    """Its rule, its target (`snakemake name`), its key in the configuration and the stem of its files."""
    description: str
    """One line for the table of keys."""
    asks: Asks
    """What the configuration says of it."""
    runs: Mapping[str, Runs] = field(default_factory=dict)
    """Files of runs, by the name under which its script reads them."""
    settings: Mapping[str, Callable[[Hyperparameters], float]] = field(default_factory=dict)
    """Hyper-parameters that its script needs of each data set, by the name of the param."""
    kind: Literal["images", "vectors"] | None = None
    """What its data sets must hold."""
    generator: str | None = None
    """Source whose random generator it draws, so that its data sets must come from it."""
    claims: str = ""
    """Letters of the paper's claims that it shows, see `maskaae.report.claims.checks`."""
    script: str = ""
    """Stem of its file in scripts/; empty: its name."""
    caption: str = ""
    """Stem of its file in workflow/report/; empty: its name."""

    def __post_init__(self) -> None:
        """Name script and caption after the figure."""
        object.__setattr__(self, "script", self.script or self.name)
        object.__setattr__(self, "caption", self.caption or self.name)

    @property
    def models(self) -> tuple[str, ...] | None:
        """Models that must be trained; None where all that are trained are shown."""
        named = [runs.models for runs in self.runs.values()]
        if None in named:
            return None
        return tuple(dict.fromkeys(model for models in named for model in models or ()))

    def wanted(self, asked: Any) -> dict[str, list[int]]:
        """Data sets that the configuration names, each with the capacities that it gives for it, if any.

        `asked` is what stands under the figure's name, of the form that `asks` says.
        """
        match self.asks:
            case Asks.NOTHING:
                return {}
            case Asks.DATASET:
                return {asked: []}
            case Asks.DATASETS:
                return {name: [] for name in asked}
            case Asks.CAPACITIES:
                return {name: [m] for name, m in asked.items()}
            case Asks.RUNS:
                return {asked["dataset"]: list(asked["capacities"])}


WAE, MAAE, BOTH = ("wae",), ("maae",), ("wae", "maae")

_COVARIANCE = Record(
    "fig10",
    "normalised absolute covariance, WAE and MAAE: one data set",
    Asks.DATASET,
    {"covariance": Runs("covariance.csv", BOTH, "shown")},
    claims="f",
    script="fig10",
    caption="fig10",
)
_FIGURES = (
    Record(
        "fig1",
        "WAE's FID against m: data sets",
        Asks.DATASETS,
        {"metrics": Runs("metrics.csv", WAE)},
        claims="adh",
    ),
    Record(
        "fig4",
        "FID of WAE and MAAE, active count of MAAE, against m: data sets",
        Asks.DATASETS,
        {"metrics": Runs("metrics.csv", BOTH)},
        claims="abcd",
    ),
    Record(
        "fig5",
        "mask values over training",
        Asks.RUNS,
        {"history": Runs("history.csv", MAAE, "shown"), "records": Runs("run.json", MAAE, "shown")},
        settings={"threshold": lambda constants: constants.activity_threshold},
        claims="dg",
    ),
    Record(
        "fig6",
        "random samples: data sets",
        Asks.DATASETS,
        {"samples": Runs("samples.csv", MAAE, "shown")},
        kind="images",
    ),
    Record("fig7", "the ball cover of Lemma 1; needs nothing", Asks.NOTHING),
    Record(
        "fig8",
        "reconstruction, Wasserstein estimate and FID over training",
        Asks.RUNS,
        {"history": Runs("history.csv", MAAE, "shown"), "metrics": Runs("metrics.csv", MAAE, "shown")},
        claims="g",
    ),
    Record("fig9", "the synthetic generator: one data set", Asks.DATASET, generator="synthetic"),
    _COVARIANCE,
    *(replace(_COVARIANCE, name=f"fig{number}", description="as figure 10") for number in (11, 12, 13)),
    Record(
        "cuts",
        "reconstruction and Wasserstein estimate of codes cut off after k dimensions "
        "(`nested` mask training): data sets",
        Asks.DATASETS,
        {"history": Runs("history.csv", MAAE, "shown")},
        settings={"longest": lambda constants: constants.search_windows[-1].longest},
    ),
    Record(
        "mask_starts",
        "where every mask parameter started, and which dimensions are active at the end",
        Asks.RUNS,
        {"checkpoints": Runs("checkpoints", MAAE, "shown")},
        settings={"threshold": lambda constants: constants.activity_threshold},
        claims="c",
    ),
    Record(
        "models_over_capacity",
        "FID against m, a panel for every model that is trained: data sets",
        Asks.DATASETS,
        {"metrics": Runs("metrics.csv")},
    ),
    Record(
        "model_samples",
        "samples of every model that is trained: for each data set, the capacity to show",
        Asks.CAPACITIES,
        {"samples": Runs("samples.csv", capacities="shown")},
        kind="images",
    ),
)
_TABLES = (
    Record(
        "table1",
        "FID of every model that is trained, beside cited ones: for each data set, the capacity to show",
        Asks.CAPACITIES,
        {
            "metrics": Runs("metrics.csv", capacities="shown"),
            "samplers": Runs("samplers.csv", capacities="shown"),
            "records": Runs("run.json", capacities="shown"),
        },
        claims="e",
    ),
    Record(
        "table1_each",
        "as table 1, every model at that of its capacities whose samples are nearest to the training split: "
        "data sets",
        Asks.DATASETS,
        {
            "metrics": Runs("metrics.csv"),
            "samplers": Runs("samplers.csv"),
            "records": Runs("run.json"),
        },
        claims="e",
        script="table1",
        caption="table1",
    ),
    Record(
        "table2",
        "capacity and NAC of WAE and MAAE: data sets",
        Asks.DATASETS,
        {"metrics": Runs("metrics.csv", BOTH, "shown"), "counts": Runs("metrics.csv", MAAE)},
        claims="f",
    ),
)

FIGURES: Mapping[str, Record] = {record.name: record for record in _FIGURES}
TABLES: Mapping[str, Record] = {record.name: record for record in _TABLES}
RECORDS: Mapping[str, Record] = {**FIGURES, **TABLES}
SHOW_CLAIMS = sorted(name for name, record in RECORDS.items() if record.claims)
"""Figures and tables whose captions end with verdicts on the paper's claims."""
