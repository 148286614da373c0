"""One entry of ``datasets``: what it trains, and whether source, networks and capacities fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from maskaae.config.reading import Values
from maskaae.config.variants import Setting, split_label
from maskaae.data import registry
from maskaae.data.registry import suggestion
from maskaae.evaluation.protocol import feature_spaces, metric_column
from maskaae.method.presets import PRESETS, Hyperparameters
from maskaae.models.catalogue import CATALOGUE
from maskaae.networks.kinds import check_data, check_keys
from maskaae.tuning.candidates import Candidates

SHOWN_MODELS = frozenset({"wae", "maae"})
"""Models that must be trained at the capacity that a data set shows."""


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
    tuning : mapping of str to Candidates
        By model, hyper-parameters that are chosen on a validation split.
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
    tuning: Mapping[str, Candidates] = field(default_factory=dict)

    def setting(self, model_label: str) -> Setting:
        """Networks and constants of a model as the data set trains it, or of one of its variants."""
        variant = split_label(model_label)[1]
        return Setting(self.network, self.hyperparameters) if variant is None else self.variants[variant]

    def models_at(self, m: int) -> list[str]:
        """Models that are trained at a capacity."""
        return [model for model, capacities in self.capacities.items() if m in capacities]


def network_problems(datasets: Iterable[Values]) -> Iterator[str]:
    """Keys that a network would not read; to be looked for before defaults fill in all of them."""
    for entry in datasets:
        try:
            check_keys(entry.get("network", {}))
        except ValueError as error:
            yield f"data set {entry['name']!r}: {error}"


def dataset_entry(values: Values, config: Values, schema: Values) -> DatasetEntry:
    """Check one entry of ``datasets``.

    Raises
    ------
    ValueError
        With the first problem of the entry.
    """
    name = values["name"]
    own = set(schema["properties"]["datasets"]["items"]["properties"]) - {"name", "source"}
    source_keys = {key: value for key, value in values.items() if key not in own}
    spec = registry.resolve(source_keys, own)
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
    check_network(name, values["network"], kind, dimension)
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
        tuning=_candidates(name, values, hyperparameters),
    )


def _candidates(name: str, values: Values, hyperparameters: Hyperparameters) -> dict[str, Candidates]:
    """Read what is to be chosen on a data set, and refuse what no training could use.

    Raises
    ------
    ValueError
        With data set, model and the first problem.
    """
    tuned = {}
    for model, given in values["tuning"].items():
        where = f"data set {name!r}: tuning: {model}"
        if model not in values["capacities"]:
            raise ValueError(f"{where}: the model is not trained; add it to the capacities")
        tuned[model] = Candidates.from_config(given)
        for override in tuned[model].overrides:
            try:
                hyperparameters.override(override)
            except (KeyError, TypeError) as error:
                raise ValueError(f"{where}: {error.args[0]}") from error
    return tuned


def _may_have_labels(spec: Values) -> bool:
    """Whether a data set has labels, as far as its entry tells: folders of images may have sub-folders."""
    if spec["source"] in ("synthetic", "celeba"):
        return False
    keys = [key for key in ("label_column", "label_path", "label_key") if key in spec]
    return not keys or any(spec[key] is not None for key in keys)


def check_network(name: str, network: Values, kind: str | None, dimension: int | None) -> None:
    """Refuse networks that cannot see what a data set holds.

    Raises
    ------
    ValueError
        With data set, key and what would be right.
    """
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
