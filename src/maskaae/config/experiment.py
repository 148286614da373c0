"""A checked experiment: data sets, models, capacities, and variants of their settings that are compared.

A variant is MaskAAE trained with some settings changed. A run's folder is named by its label: ``maae`` is the
model as the data set trains it, ``maae-no_penalty`` the model with the changes of the variant ``no_penalty``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from maskaae.config.keys import Comparison, Variant
from maskaae.config.schema import Values, adapter_of
from maskaae.method.presets import PRESETS, Hyperparameters, Preset
from maskaae.models.catalogue import TITLES
from maskaae.report.records import RECORDS
from maskaae.tuning.candidates import Candidates

SEPARATOR = "-"
"""Between model and variant in a label; no name of a model or a variant holds it."""
BASE_TITLE = "base"
MASKED = "maae"
"""Model that variants are variants of."""


def label(model: str, variant: str | None) -> str:
    """Name of a model in a variant, as it stands in paths and in the column ``model`` of metrics.csv."""
    return model if variant is None else f"{model}{SEPARATOR}{variant}"


def split_label(label: str) -> tuple[str, str | None]:
    """Return model and variant of a label; None for the model as the data set trains it."""
    model, _, variant = label.partition(SEPARATOR)
    return model, variant or None


@dataclass(frozen=True)
class Setting:
    """What a run is trained with beside data set, model, capacity and seeds."""

    network: Values
    training: Values
    hyperparameters: Hyperparameters
    preset: Preset
    """What the hyper-parameters were changed from."""


def lineage(name: str, variants: Mapping[str, Variant]) -> list[str]:
    """Names of the variants whose changes make up a variant, the first to be made first.

    Raises
    ------
    ValueError
        If a name is not among ``variants``, or a variant is its own base.
    """
    line: list[str] = []
    following: str | None = name
    while following is not None:
        if following not in variants:
            known = ", ".join(sorted(variants)) or "none"
            raise ValueError(f"no variant {following!r}; known: {known}")
        if following in line:
            raise ValueError(f"variants: {name}: base: {following!r} comes back to itself")
        line.insert(0, following)
        following = variants[following].base
    return line


def varied(own: Setting, overrides: Sequence[Values], name: str, variants: Mapping[str, Variant]) -> Setting:
    """Change a data set's own settings as a variant, and before it those that it is based on, says.

    `overrides` are hyper-parameters that the configuration puts on any preset; a variant's preset gets them
    too.

    Raises
    ------
    ValueError
        If a variant changes nothing; the message names it.
    """
    setting = own
    for step in lineage(name, variants):
        variant = variants[step]
        hyperparameters, preset = setting.hyperparameters, variant.preset or setting.preset
        if variant.preset is not None:
            hyperparameters = PRESETS[preset]
            for values in overrides:
                hyperparameters = hyperparameters.override(values)
        hyperparameters = hyperparameters.override(variant.hyperparameters)
        network, training = {**setting.network, **variant.network}, {**setting.training, **variant.training}
        changed = Setting(network, training, hyperparameters, preset)
        if changed == setting:
            raise ValueError(f"variants: {step}: changes nothing here; leave it out or change a value")
        setting = changed
    return setting


@dataclass(frozen=True)
class Row:
    """One run of a comparison, by its label.

    Its kind is ``base``, what all others differ from, ``change`` of it, or ``reference``: another model in
    the same setting.
    """

    label: str
    title: str
    kind: str


@dataclass(frozen=True)
class Group:
    """Runs on one data set that differ from the first of them, the base.

    All are trained at each of the capacities. The base's dimensions are counted again with each of the
    thresholds of "active".
    """

    title: str
    dataset: str
    capacities: tuple[int, ...]
    rows: tuple[Row, ...]
    thresholds: tuple[float, ...]
    preset: Preset
    """That of the base."""


def group_of(comparison: Comparison, variants: Mapping[str, Variant], own: Preset) -> Group:
    """Work out the runs of a comparison on a data set that has some preset of its own.

    Raises
    ------
    ValueError
        If it names a variant that is not there, or one of another base.
    """
    base = comparison.base
    line = [] if base is None else lineage(base, variants)
    presets = [own, *(preset for name in line if (preset := variants[name].preset) is not None)]
    rows = [Row(label(MASKED, base), BASE_TITLE, "base")]
    for name in comparison.variants:
        lineage(name, variants)
        variant = variants[name]
        if variant.base != base:
            raise ValueError(
                f"variant {name!r} changes {variant.base or 'the settings of the data set'}, "
                f"not {base or 'these settings'}; give it 'base: {base or 'null'}'"
            )
        rows.append(Row(label(MASKED, name), variant.title or name.replace("_", " "), "change"))
    rows += [Row(label(model, base), TITLES[model], "reference") for model in comparison.references]
    return Group(
        title=comparison.title,
        dataset=comparison.dataset,
        capacities=tuple(comparison.capacities),
        rows=tuple(rows),
        thresholds=tuple(comparison.thresholds),
        preset=presets[-1],
    )


def groups_from_dicts(groups: Sequence[Values]) -> list[Group]:
    """Rebuild groups from ``dataclasses.asdict``, as they come through the workflow."""
    made: list[Group] = adapter_of(list[Group]).validate_python(groups)
    return made


@dataclass(frozen=True)
class DatasetEntry:
    """One data set of an experiment, with what is to be trained on it; see `keys.DatasetKeys`.

    Attributes
    ----------
    source_spec : mapping
        Name, source and the source's keys, from `maskaae.data.registry.resolve`.
    capacities, tuning : mapping
        By model.
    measured : tuple of str
        `features` and, where D is not too large, raw values: all feature spaces that are measured.
    metric : str
        Column of the distance in `features`.
    preset : str
        What `hyperparameters` were changed from.
    variants : mapping of str to Setting
        What the variants that are compared on it are trained with.
    """

    name: str
    title: str
    source_spec: Values
    capacities: Mapping[str, tuple[int, ...]]
    capacity: int | None
    features: str
    measured: tuple[str, ...]
    metric: str
    network: Values
    training: Values
    preset: Preset
    hyperparameters: Hyperparameters
    variants: Mapping[str, Setting] = field(default_factory=dict)
    tuning: Mapping[str, Candidates] = field(default_factory=dict)

    def setting(self, model_label: str) -> Setting:
        """Networks and constants of a model as the data set trains it, or of one of its variants."""
        variant = split_label(model_label)[1]
        if variant is not None:
            return self.variants[variant]
        return Setting(self.network, self.training, self.hyperparameters, self.preset)

    def models_at(self, m: int) -> list[str]:
        """Models that are trained at a capacity."""
        return [model for model, capacities in self.capacities.items() if m in capacities]


@dataclass(frozen=True)
class Experiment:
    """A checked configuration; see `keys.Configuration`.

    `datasets` are by name, in the order of the configuration; `comparisons` by section (`ablations`, ...).
    """

    seeds: tuple[int, ...]
    datasets: Mapping[str, DatasetEntry]
    evaluation: Values
    figures: Values
    tables: Values
    on_request: frozenset[str]
    comparisons: Mapping[str, tuple[Group, ...]] = field(default_factory=dict)
    claims: Values | None = None
    dimensions: Values | None = None
    count_families: Values | None = None

    def runs(
        self, datasets: Iterable[str] | None = None, models: Iterable[str] | None = None
    ) -> list[tuple[str, str, int]]:
        """Every (data set, model, m) of the grid, or of some of its data sets and models."""
        wanted = set(self.datasets if datasets is None else datasets)
        return [
            (entry.name, model, m)
            for entry in self.datasets.values()
            if entry.name in wanted
            for model, capacities in entry.capacities.items()
            if models is None or model in models
            for m in capacities
        ]

    @property
    def plain_models(self) -> set[str]:
        """Models that are trained without being asked for: all but those that only things on request show."""
        models = {model for entry in self.datasets.values() for model in entry.capacities}
        asked = {*self.figures, *self.tables}
        needed = {name: RECORDS[name].models for name in asked}
        shown = {name: models if needed[name] is None else set(needed[name] or ()) for name in asked}
        on_request = set().union(*(shown[name] for name in asked & self.on_request))
        plain = set().union(*(shown[name] for name in asked - self.on_request))
        return models - (on_request - plain)
