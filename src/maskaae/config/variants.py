"""Variants: a model trained with some settings changed, and the comparisons that show what each change does.

A run's folder is named by its label: ``maae`` is the model as the data set trains it, ``maae-no_penalty``
the same with the changes of the variant ``no_penalty``. Imported while the Snakefile is parsed, so nothing
heavy is imported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskaae.method.presets import PRESETS, Hyperparameters

Values = Mapping[str, Any]

SEPARATOR = "-"
"""Between model and variant in a label; no name of a model or a variant holds it."""


def label(model: str, variant: str | None) -> str:
    """Name of a model in a variant, as it stands in paths and in the column ``model`` of metrics.csv."""
    return model if variant is None else f"{model}{SEPARATOR}{variant}"


def split_label(label: str) -> tuple[str, str | None]:
    """Return model and variant of a label; None for the model as the data set trains it."""
    model, _, variant = label.partition(SEPARATOR)
    return model, variant or None


@dataclass(frozen=True)
class Variant:
    """Changes to the settings that a data set trains its models with.

    Attributes
    ----------
    name : str
        Its name in labels.
    title : str
        Its name in figures.
    base : str or None
        Variant whose changes come first; None: the data set's own settings.
    preset : str or None
        Preset that replaces the data set's own, before any other change; None keeps it.
    hyperparameters : mapping
        Constants that differ, as in the configuration.
    network : mapping
        Keys of the network that differ.
    """

    name: str
    title: str
    base: str | None
    preset: str | None
    hyperparameters: Values
    network: Values

    @classmethod
    def from_config(cls, name: str, values: Values) -> Variant:
        """Read one entry of ``variants``."""
        return cls(
            name=name,
            title=values.get("title") or name.replace("_", " "),
            base=values.get("base"),
            preset=values.get("preset"),
            hyperparameters=values.get("hyperparameters", {}),
            network=values.get("network", {}),
        )


@dataclass(frozen=True)
class Setting:
    """What a run is trained with beside data set, model, capacity and seeds.

    Attributes
    ----------
    network : mapping
        Kind and widths of the networks.
    hyperparameters : Hyperparameters
        Constants of the method.
    """

    network: Values
    hyperparameters: Hyperparameters


def lineage(name: str, variants: Mapping[str, Variant]) -> list[Variant]:
    """Variants whose changes make up a variant, the first to be made first.

    Raises
    ------
    ValueError
        If a name is not among ``variants``, or a variant is its own base.
    """
    line: list[Variant] = []
    following: str | None = name
    while following is not None:
        if following not in variants:
            known = ", ".join(sorted(variants)) or "none"
            raise ValueError(f"no variant {following!r}; known: {known}")
        variant = variants[following]
        if variant in line:
            raise ValueError(f"variants: {name}: base: {following!r} comes back to itself")
        line.insert(0, variant)
        following = variant.base
    return line


def apply(own: Setting, overrides: Sequence[Values], variants: Sequence[Variant]) -> Setting:
    """Change settings as variants say, one after the other.

    Parameters
    ----------
    own : Setting
        The data set's.
    overrides : sequence of mapping
        Hyper-parameters that the configuration puts on any preset; a variant's preset gets them too.
    variants : sequence of Variant
        As from `lineage`.

    Raises
    ------
    ValueError
        If a variant changes nothing, or a value cannot be; the message names it.
    """
    setting = own
    for variant in variants:
        hyperparameters = setting.hyperparameters
        if variant.preset is not None:
            hyperparameters = PRESETS[variant.preset]
            for values in overrides:
                hyperparameters = hyperparameters.override(values)
        try:
            hyperparameters = hyperparameters.override(variant.hyperparameters)
        except (KeyError, ValueError) as error:
            raise ValueError(f"variants: {variant.name}: hyperparameters: {error.args[0]}") from error
        changed = Setting({**setting.network, **variant.network}, hyperparameters)
        if changed == setting:
            raise ValueError(
                f"variants: {variant.name}: changes nothing here; leave it out or change a value"
            )
        setting = changed
    return setting


@dataclass(frozen=True)
class Row:
    """One run of a comparison.

    Attributes
    ----------
    label : str
        Of the run.
    title : str
        In the figure.
    kind : {"base", "change", "reference"}
        What all others differ from, a change of it, or another model in the same setting.
    """

    label: str
    title: str
    kind: str


@dataclass(frozen=True)
class Group:
    """Runs on one data set that differ from the first of them, the base.

    Attributes
    ----------
    title : str
        Heading in the figure.
    dataset : str
        Data set.
    capacities : tuple of int
        Capacities that every run has.
    rows : tuple of Row
        The base first.
    thresholds : tuple of float
        Thresholds of "active" that the base's dimensions are counted with again.
    """

    title: str
    dataset: str
    capacities: tuple[int, ...]
    rows: tuple[Row, ...]
    thresholds: tuple[float, ...]


BASE_TITLE = "base"
MASKED = "maae"
"""Model that variants are variants of."""


def group_from_config(values: Values, variants: Mapping[str, Variant], titles: Mapping[str, str]) -> Group:
    """Read one group of a comparison.

    Raises
    ------
    ValueError
        If it names a variant that is not there, or one of another base.
    """
    base = values.get("base")
    if base is not None:
        lineage(base, variants)
    rows = [Row(label(MASKED, base), BASE_TITLE, "base")]
    for name in values.get("variants", []):
        variant = lineage(name, variants)[-1]
        if variant.base != base:
            raise ValueError(
                f"variant {name!r} changes {variant.base or 'the settings of the data set'}, "
                f"not {base or 'these settings'}; give it 'base: {base or 'null'}'"
            )
        rows.append(Row(label(MASKED, name), variant.title, "change"))
    rows += [Row(label(model, base), titles[model], "reference") for model in values.get("references", [])]
    return Group(
        title=values["title"],
        dataset=values["dataset"],
        capacities=tuple(values["capacities"]),
        rows=tuple(rows),
        thresholds=tuple(values.get("thresholds", [])),
    )


def groups_from_dicts(groups: Sequence[Values]) -> list[Group]:
    """Rebuild groups from ``dataclasses.asdict``, as they come through the workflow."""
    return [
        Group(
            title=group["title"],
            dataset=group["dataset"],
            capacities=tuple(group["capacities"]),
            rows=tuple(Row(**row) for row in group["rows"]),
            thresholds=tuple(group["thresholds"]),
        )
        for group in groups
    ]
