"""From a configuration to a checked experiment: whether what it asks for fits together and is there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Annotated

from maskaae.config.experiment import (
    MASKED,
    DatasetEntry,
    Experiment,
    Group,
    Setting,
    group_of,
    split_label,
    varied,
)
from maskaae.config.keys import Configuration, DatasetKeys
from maskaae.config.reading import ConfigError, problems_of, repeated, typed
from maskaae.config.schema import SomeOf, Values
from maskaae.data import registry
from maskaae.data.own.recognise import complete
from maskaae.data.registry import suggestion
from maskaae.evaluation.protocol import feature_spaces, metric_column
from maskaae.method.presets import PRESETS, Hyperparameters, TrainingPlan
from maskaae.models.catalogue import CATALOGUE
from maskaae.networks.kinds import check_data, check_keys
from maskaae.report.records import FIGURES, RECORDS, Asks, Record
from maskaae.tuning.candidates import Candidates, nested

SHOWN_MODELS = frozenset({"wae", "maae"})
"""Models that must be trained at the capacity that a data set shows."""
VARIANT_COMPARISONS = ("ablations", "why_it_fails")
"""Sections that compare variants; each is a target of its name."""
OVERRIDE = Annotated[Values, SomeOf(Hyperparameters)]


def check_config(config: Values) -> Experiment:
    """Check a configuration, replace `data` and every `auto` by what the data say, and fill in defaults.

    Raises
    ------
    ConfigError
        With one line a problem: key, value and what would be right.
    """
    typed(config)
    try:
        config = complete(config)
    except (OSError, ValueError) as error:  # no such data, or they say too little
        raise ConfigError([str(error)]) from error
    keys = typed(config)
    names = [dataset.name for dataset in keys.datasets]
    problems = [f"datasets: two data sets are named {name!r}; names must differ" for name in repeated(names)]
    entries: dict[str, DatasetEntry] = {}
    for written, dataset in zip(config["datasets"], keys.datasets, strict=True):
        try:
            entries[dataset.name] = _dataset_entry(written, dataset, keys)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    unasked = [name for name, record in FIGURES.items() if record.asks == Asks.NOTHING]
    figures = {**keys.figures, **{name: True for name in unasked if name not in keys.figures}}
    shown = {"figures": figures, "tables": keys.tables}
    problems = [*_figure_problems(shown, keys.on_request, entries), *_known_problems(keys, entries)]
    comparisons: dict[str, tuple[Group, ...]] = {}
    try:
        comparisons = _comparisons(keys, entries)
    except ValueError as error:
        problems.append(str(error))
    if problems:
        raise ConfigError(problems)
    return Experiment(
        seeds=tuple(keys.seeds),
        datasets=entries,
        evaluation=keys.evaluation.model_dump(),
        figures=figures,
        tables=keys.tables,
        on_request=frozenset(keys.on_request),
        comparisons=comparisons,
        claims=keys.claims.model_dump() if keys.claims else None,
        dimensions=keys.dimensions.model_dump() if keys.dimensions else None,
        count_families=keys.count_families.model_dump() if keys.count_families else None,
    )


def _dataset_entry(written: Values, keys: DatasetKeys, shared: Configuration) -> DatasetEntry:
    """Check one entry of ``datasets``, given as it is written and with its defaults.

    Raises
    ------
    ConfigError
        With every problem of the entry, or the first one of its source's keys.
    """
    own = set(DatasetKeys.model_fields) - {"name", "source"}
    try:
        spec = registry.resolve({key: value for key, value in written.items() if key not in own}, own)
    except ValueError as error:
        raise ConfigError([str(error)]) from error
    _, dimension = registry.describe(spec)
    network = keys.network.model_dump()
    tuning = written.get("tuning", {})
    problems = [
        *_entry_problems(keys, spec),
        *_network_problems(written.get("network", {}), network, spec),
        *_tuning_problems(keys, tuning),
    ]
    if problems:
        raise ConfigError([f"data set {keys.name!r}: {problem}" for problem in problems])
    preset = keys.preset or shared.preset
    hyperparameters = PRESETS[preset].override(shared.hyperparameters).override(keys.hyperparameters)
    samples, mask = shared.evaluation.samples, hyperparameters.fidelity.mask_at_inference
    return DatasetEntry(
        name=keys.name,
        title=keys.title or keys.name,
        source_spec=spec,
        capacities={model: tuple(ms) for model, ms in keys.capacities.items()},
        capacity=keys.capacity,
        features=keys.features,
        measured=feature_spaces(keys.features, dimension),
        metric=metric_column(keys.features, samples, mask),
        network=network,
        training={**dataclasses.asdict(TrainingPlan()), **shared.training, **keys.training},
        preset=preset,
        hyperparameters=hyperparameters,
        tuning={model: Candidates.from_config(given) for model, given in tuning.items()},
    )


def _entry_problems(keys: DatasetKeys, spec: Values) -> Iterator[str]:
    """Models, capacities and features that a data set cannot be given."""
    kind, dimension = registry.describe(spec)
    for model, capacities in keys.capacities.items():
        if model not in CATALOGUE:
            yield f"capacities: key {model!r} is unknown{suggestion(model, CATALOGUE)}"
        elif kind == "vectors" and CATALOGUE[model].images_only:
            known = ", ".join(other for other, entry in CATALOGUE.items() if not entry.images_only)
            yield f"capacities: {model} sees only images; vectors can be learned by {known}"
        for m in capacities:
            if dimension is not None and m > dimension:
                yield f"capacities: {model}: m = {m} is above D = {dimension}; give 1 <= m <= {dimension}"
        if model in SHOWN_MODELS and keys.capacity not in (None, *capacities):
            yield f"capacity: {keys.capacity} is not trained for {model}; choose one of {capacities}"
    if kind == "vectors" and keys.features == "inception":
        yield "features: 'inception' sees only images; use 'raw'"
    elif keys.features == "classifier" and not _may_have_labels(spec):
        yield (
            "features: 'classifier' is trained on labels, and this data set has none; "
            "name them, where its source can have some (docs/data.md), or use 'raw' or 'inception'"
        )
    try:
        feature_spaces(keys.features, dimension)
    except ValueError as error:
        yield str(error)


def _may_have_labels(spec: Values) -> bool:
    """Whether a data set has labels, as far as its entry tells: folders of images may have sub-folders."""
    if spec["source"] in ("synthetic", "shapes", "celeba"):
        return False
    keys = [key for key in ("label_column", "label_path", "label_key") if key in spec]
    return not keys or any(spec[key] is not None for key in keys)


def _network_problems(written: Values, network: Values, spec: Values) -> Iterator[str]:
    """Keys that a network would not read, and data that it cannot see."""
    try:
        check_keys(written)
        check_data(network["kind"], network["channels"], network["normalisation"], *registry.describe(spec))
    except ValueError as error:
        yield str(error)


def _tuning_problems(keys: DatasetKeys, written: Values) -> Iterator[str]:
    """Candidates for hyper-parameters that no training could use."""
    for model, given in written.items():
        if model not in keys.capacities:
            yield f"tuning: {model}: the model is not trained; add it to the capacities"
        if len(given) < 2:
            yield f"tuning: {model}: nothing to choose from; give a hyper-parameter a list of values"
        for key, tried in given.items():
            if key == "capacity":
                continue
            if not isinstance(tried, list) or not tried:
                yield f"tuning: {model}: {key}: {tried!r} is no list of values to try"
                continue
            for value in tried:
                yield from problems_of(nested({key: value}), OVERRIDE, ("tuning", model))


def _figure_problems(
    shown: Mapping[str, Values], on_request: list[str], entries: Mapping[str, DatasetEntry]
) -> Iterator[str]:
    """What figures and tables ask for and the grid does not have."""
    for name in on_request:
        if not any(name in section for section in shown.values()):
            yield f"on_request: {name!r} is neither among the figures nor the tables; add what it shows there"
    for part, section in shown.items():
        for name, asked in section.items():
            for dataset, capacities in RECORDS[name].wanted(asked).items():
                if dataset not in entries:
                    problems = iter([f"no data set {dataset!r}{suggestion(dataset, entries)}"])
                else:
                    problems = _needs_of(RECORDS[name], capacities, entries[dataset])
                yield from (f"{part}: {name}: {problem}" for problem in problems)


def _needs_of(record: Record, capacities: list[int], entry: DatasetEntry) -> Iterator[str]:
    """What a figure needs of a data set, of which it shows some capacities, and does not find."""
    for model in record.models or ():
        if model not in entry.capacities:
            yield f"needs {model} on {entry.name!r}; add {model} to the capacities of that data set"
            continue
        trained = list(entry.capacities[model])
        for m in capacities:
            if m not in trained:
                yield f"m = {m} is not trained; {model} on {entry.name!r} has {trained}"
    if record.models is None:
        for m in capacities:
            if not entry.models_at(m):
                yield f"no model is trained on {entry.name!r} at m = {m}"
    shows_one = any(runs.capacities == "shown" for runs in record.runs.values())
    if shows_one and not capacities and entry.capacity is None:
        yield f"data set {entry.name!r} needs 'capacity', the one to show"
    kind, source = registry.describe(entry.source_spec)[0], entry.source_spec["source"]
    if None not in (record.kind, kind) and record.kind != kind:
        yield f"draws {record.kind}; {entry.name!r} holds {kind}"
    if record.generator not in (None, source):
        yield f"draws the {record.generator} generator; {entry.name!r} comes from {source!r}"


def _known_problems(keys: Configuration, entries: Mapping[str, DatasetEntry]) -> Iterator[str]:
    """Data sets that sections ask for and cannot use; missing runs are for the tables."""
    asked = {"dimensions: datasets": keys.dimensions.datasets} if keys.dimensions else {}
    if keys.count_families:
        judging, choosing = keys.count_families.judging, keys.count_families.choosing
        asked |= {"count_families: judging": judging, "count_families: choosing": choosing}
        for name in repeated([*judging, *choosing]):
            yield f"count_families: {name!r} is both for judging and for choosing; it must be one of them"
    counted = {name for names in asked.values() for name in names}
    for name, entry in entries.items():
        if not entry.capacities and name not in counted:
            yield f"data set {name!r}: capacities: {{}} trains nothing; give a model a list of capacities"
    if keys.claims:
        asked |= {"claims: known": keys.claims.known, "claims: images": keys.claims.images}
    for where, names in asked.items():
        for name in names:
            if name not in entries:
                yield f"{where}: no data set {name!r}{suggestion(name, entries)}"
            elif where != "claims: images" and "n" not in entries[name].source_spec:
                source = entries[name].source_spec["source"]
                yield f"{where}: {name!r} comes from {source!r}, its n is not known; use 'synthetic'"


def _comparisons(keys: Configuration, entries: dict[str, DatasetEntry]) -> dict[str, tuple[Group, ...]]:
    """Read the comparisons, and put the settings of the variants they need into the data sets' entries.

    Raises
    ------
    ValueError
        With section, group and the first problem in it.
    """
    own = {dataset.name: dataset.hyperparameters for dataset in keys.datasets}
    found: dict[str, tuple[Group, ...]] = {}
    for section in VARIANT_COMPARISONS:
        for comparison in getattr(keys, section):
            name = comparison.dataset
            try:
                if name not in entries:
                    raise ValueError(f"no data set {name!r}{suggestion(name, entries)}")
                group = group_of(comparison, keys.variants, entries[name].preset)
                overrides = (keys.hyperparameters, own[name])
                entries[name] = _with_variants(entries[name], group, keys, overrides)
            except ValueError as error:
                raise ValueError(f"{section}: {comparison.title}: {error}") from error
            found[section] = (*found.get(section, ()), group)
    return found


def _with_variants(
    entry: DatasetEntry, group: Group, keys: Configuration, overrides: tuple[Values, Values]
) -> DatasetEntry:
    """Add the settings of a group's variants to the data set that it is trained on."""
    _, dimension = registry.describe(entry.source_spec)
    settings: dict[str, Setting] = dict(entry.variants)
    for row in group.rows:
        variant = split_label(row.label)[1]
        if variant is not None and variant not in settings:
            settings[variant] = varied(entry.setting(MASKED), overrides, variant, keys.variants)
            problems = list(_network_problems({}, settings[variant].network, entry.source_spec))
            if problems:
                raise ValueError(f"data set {entry.name!r}: {problems[0]}")
    for m in group.capacities:
        if dimension is not None and m > dimension:
            raise ValueError(f"capacities: m = {m} is above D = {dimension} of {entry.name!r}")
    return dataclasses.replace(entry, variants=settings)
