"""A checked experiment: every default filled in, and all that it asks for known to be there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from jsonschema import Draft202012Validator

from maskaae.config.asked import figure_problems
from maskaae.config.datasets import DatasetEntry, check_network, dataset_entry, network_problems
from maskaae.config.errors import ConfigError, explain, repeated
from maskaae.config.reading import Values, fill_defaults, infinite_values
from maskaae.config.variants import MASKED, Group, Variant, apply, group_from_config, lineage, split_label
from maskaae.data import registry
from maskaae.data.own.recognise import complete
from maskaae.data.registry import suggestion
from maskaae.method.presets import DeterministicConstants, Fidelity, Hyperparameters, VariationalConstants
from maskaae.models.catalogue import TITLES
from maskaae.report.records import RECORDS


@dataclass(frozen=True)
class Experiment:
    """A checked configuration.

    Attributes
    ----------
    seeds : tuple of int
        Every run trains one model for each.
    datasets : mapping of str to DatasetEntry
        By name, in the order of the configuration.
    evaluation : mapping
        Sample count and seed of the evaluation.
    figures, tables : mapping
        What each figure or table shows; those that are absent are not drawn.
    on_request : frozenset of str
        Figures and tables that are made only when they are asked for by name.
    comparisons : mapping of str to tuple of Group
        By name, what each comparison of variants trains and shows.
    claims : mapping or None
        Data sets and thresholds that the paper's claims are judged with.
    dimensions : mapping or None
        Data sets on which ways of finding the dimension are compared.
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


def check_config(config: Values, schema: Values) -> Experiment:
    """Check a configuration and work out what it asks for.

    Parameters
    ----------
    config : mapping
        As read from YAML; `data` and every `auto` are replaced by what the data say.
    schema : mapping
        ``workflow/schemas/config.schema.yaml``.

    Returns
    -------
    Experiment
        With every default filled in.

    Raises
    ------
    ConfigError
        With one line a problem: key, value and what would be right.
    """
    problems = [explain(error) for error in Draft202012Validator(schema).iter_errors(config)]
    problems += infinite_values(config)  # which a schema cannot refuse: NaN is below no minimum
    if problems:
        raise ConfigError(sorted(problems))
    try:
        config = complete(config)
    except (OSError, ValueError) as error:  # no such data, or they say too little
        raise ConfigError([str(error)]) from error
    problems = list(network_problems(config["datasets"]))
    config = fill_defaults(config, schema)
    names = [entry["name"] for entry in config["datasets"]]
    problems += [f"datasets: two data sets are named {name!r}; names must differ" for name in repeated(names)]
    entries: dict[str, DatasetEntry] = {}
    for values in config["datasets"]:
        try:
            entries[values["name"]] = dataset_entry(values, config, schema)
        except ValueError as error:
            problems.append(str(error))
    comparisons: dict[str, tuple[Group, ...]] = {}
    if not problems:
        problems = [*figure_problems(config, entries), *_known_problems(config, entries)]
        try:
            comparisons = _comparisons(config, entries)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError(problems)
    return Experiment(
        seeds=tuple(config["seeds"]),
        datasets=entries,
        evaluation=config["evaluation"],
        figures=config["figures"],
        tables=config["tables"],
        on_request=frozenset(config["on_request"]),
        comparisons=comparisons,
        claims=config["claims"],
        dimensions=config["dimensions"],
    )


def _known_problems(config: Values, entries: Mapping[str, DatasetEntry]) -> Iterator[str]:
    """Data sets that claims and dimensions ask for and cannot use; missing runs are for the tables."""
    claims, dimensions = config["claims"] or {}, config["dimensions"] or {}
    known = {"claims: known": claims.get("known", []), "dimensions: datasets": dimensions.get("datasets", [])}
    for where, names in {**known, "claims: images": claims.get("images", [])}.items():
        for name in names:
            if name not in entries:
                yield f"{where}: no data set {name!r}{suggestion(name, entries)}"
            elif where in known and "n" not in entries[name].source_spec:
                source = entries[name].source_spec["source"]
                yield f"{where}: {name!r} comes from {source!r}, its n is not known; use 'synthetic'"


VARIANT_COMPARISONS = ("ablations", "why_it_fails")
"""Sections that compare variants; each is a target of its name."""


def _comparisons(config: Values, entries: dict[str, DatasetEntry]) -> dict[str, tuple[Group, ...]]:
    """Read the comparisons, and put the settings of the variants they need into the data sets' entries.

    Raises
    ------
    ValueError
        With section, group and the first problem in it.
    """
    variants = {name: Variant.from_config(name, values) for name, values in config["variants"].items()}
    comparisons: dict[str, tuple[Group, ...]] = {}
    for section in VARIANT_COMPARISONS:
        groups = []
        for values in config[section]:
            where = f"{section}: {values['title']}"
            try:
                group = group_from_config(values, variants, TITLES)
                if group.dataset not in entries:
                    raise ValueError(f"no data set {group.dataset!r}{suggestion(group.dataset, entries)}")
                entries[group.dataset] = _with_variants(entries[group.dataset], group, variants, config)
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from error
            groups.append(group)
        if groups:
            comparisons[section] = tuple(groups)
    return comparisons


def _with_variants(
    entry: DatasetEntry, group: Group, variants: Mapping[str, Variant], config: Values
) -> DatasetEntry:
    """Add the settings of a group's variants to the data set that it is trained on."""
    own = next(values for values in config["datasets"] if values["name"] == entry.name)
    overrides = (config["hyperparameters"], own["hyperparameters"])
    kind, dimension = registry.describe(entry.source_spec)
    settings = dict(entry.variants)
    for row in group.rows:
        variant = split_label(row.label)[1]
        if variant is not None and variant not in settings:
            setting = apply(entry.setting(MASKED), overrides, lineage(variant, variants))
            check_network(entry.name, setting.network, kind, dimension)
            settings[variant] = setting
    for m in group.capacities:
        if dimension is not None and m > dimension:
            raise ValueError(f"capacities: m = {m} is above D = {dimension} of {entry.name!r}")
    return dataclasses.replace(entry, variants=settings)


def hyperparameter_names() -> tuple[list[str], dict[str, list[str]]]:
    """Names of the hyper-parameters, and of those in each group of them, to check the schema against."""
    groups = {"fidelity": Fidelity, "vae": VariationalConstants, "deterministic": DeterministicConstants}
    return (
        [f.name for f in dataclasses.fields(Hyperparameters)],
        {name: [f.name for f in dataclasses.fields(group)] for name, group in groups.items()},
    )
