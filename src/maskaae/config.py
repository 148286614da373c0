"""From a configuration to a checked experiment: data sets, models, capacities, figures.

The Snakefile imports this module while it is parsed, so nothing heavy is imported here.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from maskaae.architecture import check_data, check_keys
from maskaae.candidates import Candidates
from maskaae.config_errors import ConfigError, explain, repeated, suggestion
from maskaae.config_figures import COMPARISONS, NEEDED_MODELS, SHOWN_MODELS, figure_problems
from maskaae.data import registry
from maskaae.data.recognise import complete
from maskaae.evaluation.protocol import feature_spaces, metric_column
from maskaae.hyperparameters import (
    PRESETS,
    DeterministicConstants,
    Fidelity,
    Hyperparameters,
    VariationalConstants,
)
from maskaae.model_catalogue import CATALOGUE, TITLES
from maskaae.variants import MASKED, Group, Setting, Variant, apply, group_from_config, lineage, split_label

Values = Mapping[str, Any]


@dataclass(frozen=True)
class DatasetEntry:
    """One data set of an experiment, with what is to be trained on it.

    Attributes
    ----------
    name, title : str
        Its name in paths and its name in figures.
    source_spec : mapping
        What its source needs to prepare it.
    capacities : mapping of str to tuple of int
        Capacities to train, by model.
    capacity : int or None
        The capacity shown where a figure or table has room for one.
    features : str
        Feature space of the distance that figures show.
    measured : tuple of str
        All feature spaces that are measured: that one and, where D is not too large, raw values.
    metric : str
        Column of that distance.
    network : mapping
        Kind and widths of the networks; keys of other kinds hold their defaults.
    training : mapping
        Length and intervals of a run.
    hyperparameters : Hyperparameters
        Constants of the method.
    variants : mapping of str to Setting
        What the variants that are compared on it are trained with.
    search : mapping of str to Candidates
        By model, hyper-parameters that are searched for on a validation split.
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
    hyperparameters: Hyperparameters
    variants: Mapping[str, Setting] = field(default_factory=dict)
    search: Mapping[str, Candidates] = field(default_factory=dict)

    def setting(self, model_label: str) -> Setting:
        """Networks and constants of a model as the data set trains it, or of one of its variants."""
        variant = split_label(model_label)[1]
        return Setting(self.network, self.hyperparameters) if variant is None else self.variants[variant]

    def models_at(self, m: int) -> list[str]:
        """Models that are trained at a capacity."""
        return [model for model, capacities in self.capacities.items() if m in capacities]


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
        shown = {name: models if name in COMPARISONS else set(NEEDED_MODELS[name]) for name in asked}
        on_request = set().union(*(shown[name] for name in asked & self.on_request))
        plain = set().union(*(shown[name] for name in asked - self.on_request))
        return models - (on_request - plain)


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key given twice is an error, not an overwriting."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str | int | float | bool | None):
                raise ConfigError(
                    [f"{node.start_mark.name}, line {line}: a key is {key!r}; keys are single words"]
                )
            if key in seen:
                raise ConfigError(
                    [f"{node.start_mark.name}, line {line}: key {key!r} is given twice; keep one"]
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML file, refusing a key that is given twice.

    Raises
    ------
    ConfigError
        If the file is not YAML, is no mapping or repeats a key.
    """
    try:
        with path.open(encoding="utf-8") as file:
            values = yaml.load(file, Loader=_StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: not YAML: {error}"]) from error
    if not isinstance(values, dict):
        raise ConfigError([f"{path}: must hold keys and values, not {type(values).__name__}"])
    try:
        json.dumps(values, default=str)
    except ValueError as error:
        raise ConfigError([f"{path}: an anchor (&) holds itself (*): {error}"]) from error
    return values


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
    problems += _infinite_values(config)  # which a schema cannot refuse: NaN is below no minimum
    if problems:
        raise ConfigError(sorted(problems))
    try:
        config = complete(config)
    except (OSError, ValueError) as error:  # no such data, or they say too little
        raise ConfigError([str(error)]) from error
    problems = list(_network_problems(config["datasets"]))
    config = fill_defaults(config, schema)
    names = [entry["name"] for entry in config["datasets"]]
    problems += [f"datasets: two data sets are named {name!r}; names must differ" for name in repeated(names)]
    entries: dict[str, DatasetEntry] = {}
    for values in config["datasets"]:
        try:
            entries[values["name"]] = _dataset_entry(values, config, schema)
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
            _check_network(entry.name, setting.network, kind, dimension)
            settings[variant] = setting
    for m in group.capacities:
        if dimension is not None and m > dimension:
            raise ValueError(f"capacities: m = {m} is above D = {dimension} of {entry.name!r}")
    return dataclasses.replace(entry, variants=settings)


def _infinite_values(values: Any, *place: Any) -> Iterator[str]:
    """Numbers of a configuration that are infinite or not a number."""
    if isinstance(values, float) and not math.isfinite(values):
        yield f"{': '.join(map(str, place))}: {values} is not a finite number"
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _infinite_values(value, *place, key)
    if isinstance(values, list):
        for index, value in enumerate(values):
            yield from _infinite_values(value, *place, index)


def _network_problems(datasets: Iterable[Values]) -> Iterator[str]:
    """Keys that a network would not read; to be looked for before defaults fill in all of them."""
    for entry in datasets:
        try:
            check_keys(entry.get("network", {}))
        except ValueError as error:
            yield f"data set {entry['name']!r}: {error}"


def fill_defaults(values: Any, schema: Values) -> Any:
    """Return a copy of ``values`` with the defaults of ``schema`` wherever a key is absent."""
    if isinstance(values, dict):
        filled = dict(values)
        for key, part in schema.get("properties", {}).items():
            if key in values:
                filled[key] = fill_defaults(values[key], part)
            elif "default" in part:
                filled[key] = fill_defaults(part["default"], part)
        return filled
    if isinstance(values, list) and "items" in schema:
        return [fill_defaults(value, schema["items"]) for value in values]
    return values


def _dataset_entry(values: Values, config: Values, schema: Values) -> DatasetEntry:
    """Check one entry of ``datasets``.

    Raises
    ------
    ValueError
        With the first problem of the entry.
    """
    name = values["name"]
    own = set(schema["properties"]["datasets"]["items"]["properties"]) - {"name", "source"}
    source_keys = {key: value for key, value in values.items() if key not in own}
    _refuse_misspelt(name, source_keys, own)
    spec = registry.resolve(source_keys)
    kind, dimension = registry.describe(spec)
    _check_models(name, values["capacities"], kind)
    _check_capacities(name, values["capacities"], values["capacity"], dimension)
    if kind == "vectors" and values["features"] == "inception":
        raise ValueError(f"data set {name!r}: features: 'inception' sees only images; use 'raw'")
    if values["features"] == "classifier" and not _may_have_labels(spec):
        raise ValueError(
            f"data set {name!r}: features: 'classifier' is trained on labels, and this data set has none; "
            "name them, where its source can have some (docs/data.md), or use 'raw' or 'inception'"
        )
    _check_network(name, values["network"], kind, dimension)
    try:
        measured = feature_spaces(values["features"], dimension)
    except ValueError as error:
        raise ValueError(f"data set {name!r}: {error}") from error
    preset = PRESETS[values["preset"] or config["preset"]]
    hyperparameters = preset.override(config["hyperparameters"]).override(values["hyperparameters"])
    return DatasetEntry(
        name=name,
        title=values["title"] or name,
        source_spec=spec,
        capacities={model: tuple(ms) for model, ms in values["capacities"].items()},
        capacity=values["capacity"],
        features=values["features"],
        measured=measured,
        metric=metric_column(
            values["features"], config["evaluation"]["samples"], hyperparameters.fidelity.mask_at_inference
        ),
        network=values["network"],
        training={**config["training"], **values["training"]},
        hyperparameters=hyperparameters,
        search=_searches(name, values, hyperparameters),
    )


def _searches(name: str, values: Values, hyperparameters: Hyperparameters) -> dict[str, Candidates]:
    """Read what is searched for on a data set, and refuse what no training could use.

    Raises
    ------
    ValueError
        With data set, model and the first problem.
    """
    searches = {}
    for model, given in values["search"].items():
        where = f"data set {name!r}: search: {model}"
        if model not in values["capacities"]:
            raise ValueError(f"{where}: the model is not trained; add it to the capacities")
        searches[model] = Candidates.from_config(given)
        for override in searches[model].overrides:
            try:
                hyperparameters.override(override)
            except (KeyError, TypeError) as error:
                raise ValueError(f"{where}: {error.args[0]}") from error
    return searches


def _may_have_labels(spec: Values) -> bool:
    """Whether a data set has labels, as far as its entry tells: folders of images may have sub-folders."""
    if spec["source"] in ("synthetic", "celeba"):
        return False
    keys = [key for key in ("label_column", "label_path", "label_key") if key in spec]
    return not keys or any(spec[key] is not None for key in keys)


def _refuse_misspelt(name: str, source_keys: Values, own: Iterable[str]) -> None:
    """Refuse a key that neither the pipeline nor the source knows, with the nearest one that exists."""
    source = registry.SOURCES.get(source_keys["source"])
    if source is None:
        known_sources = ", ".join(registry.SOURCES)
        raise ValueError(
            f"data set {name!r}: source: {source_keys['source']!r} is unknown; known: {known_sources}"
        )
    known = [*own, *source.spec_schema["properties"]]
    for key in source_keys:
        if key not in ("name", "source", *known):
            raise ValueError(f"data set {name!r}: key {key!r} is unknown{suggestion(key, known)}")


def _check_network(name: str, network: Values, kind: str | None, dimension: int | None) -> None:
    try:
        check_data(network["kind"], network["channels"], network["normalisation"], kind, dimension)
    except ValueError as error:
        raise ValueError(f"data set {name!r}: {error}") from error


def _check_models(name: str, models: Iterable[str], kind: str | None) -> None:
    for model in models:
        where = f"data set {name!r}: capacities"
        if model not in CATALOGUE:
            raise ValueError(f"{where}: key {model!r} is unknown{suggestion(model, CATALOGUE)}")
        if kind == "vectors" and CATALOGUE[model].images_only:
            known = ", ".join(other for other, entry in CATALOGUE.items() if not entry.images_only)
            raise ValueError(f"{where}: {model} sees only images; vectors can be learned by {known}")


def _check_capacities(name: str, capacities: Values, shown: int | None, dimension: int | None) -> None:
    for model, ms in capacities.items():
        for m in ms:
            if dimension is not None and m > dimension:
                raise ValueError(
                    f"data set {name!r}: capacities: {model}: m = {m} is above D = {dimension}; "
                    f"give 1 <= m <= {dimension}"
                )
        if model in SHOWN_MODELS and shown is not None and shown not in ms:
            raise ValueError(
                f"data set {name!r}: capacity: {shown} is not trained for {model}; choose one of {list(ms)}"
            )


def hyperparameter_names() -> tuple[list[str], dict[str, list[str]]]:
    """Names of the hyper-parameters, and of those in each group of them, to check the schema against."""
    groups = {"fidelity": Fidelity, "vae": VariationalConstants, "deterministic": DeterministicConstants}
    return (
        [f.name for f in dataclasses.fields(Hyperparameters)],
        {name: [f.name for f in dataclasses.fields(group)] for name, group in groups.items()},
    )
