"""What figures and tables ask of the grid, and whether the grid has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from maskaae.config.datasets import DatasetEntry
from maskaae.config.errors import suggestion
from maskaae.config.reading import Values
from maskaae.data import registry

NEEDED_MODELS: Mapping[str, tuple[str, ...]] = {
    "fig1": ("wae",),
    "fig4": ("wae", "maae"),
    "fig5": ("maae",),
    "fig6": ("maae",),
    "fig7": (),
    "fig8": ("maae",),
    "fig9": (),
    "fig10": ("wae", "maae"),
    "fig11": ("wae", "maae"),
    "fig12": ("wae", "maae"),
    "fig13": ("wae", "maae"),
    "cuts": ("maae",),
    "table2": ("wae", "maae"),
    "table1": (),
    "models_over_capacity": (),
    "model_samples": (),
}
"""Models whose runs each figure or table needs; `COMPARISONS` show all models that were trained."""

COMPARISONS = frozenset({"table1", "models_over_capacity", "model_samples"})
AT_ONE_CAPACITY = frozenset({"table1", "model_samples"})

SHOW_ONE_CAPACITY = ("fig6", "cuts", "fig10", "fig11", "fig12", "fig13", "table2")


def figure_problems(config: Values, entries: Mapping[str, DatasetEntry]) -> Iterator[str]:
    """What figures and tables ask for and the grid does not have."""
    for name in config["on_request"]:
        if name not in {**config["figures"], **config["tables"]}:
            yield f"on_request: {name!r} is neither among the figures nor the tables; add what it shows there"
    for part in ("figures", "tables"):
        for figure, asked in config[part].items():
            where = f"{part}: {figure}"
            for name in _datasets_of(asked):
                if name not in entries:
                    yield f"{where}: no data set {name!r}{suggestion(name, entries)}"
                else:
                    yield from _needs_of(where, figure, asked, entries[name])


def _datasets_of(asked: Any) -> list[str]:
    """Data sets that a figure names: one, several, or none for figure 7, which is only switched on."""
    if isinstance(asked, bool):
        return []
    if isinstance(asked, dict):
        return [asked["dataset"]] if "dataset" in asked else list(asked)
    return [asked] if isinstance(asked, str) else list(asked)


def _needs_of(where: str, figure: str, asked: Any, entry: DatasetEntry) -> Iterator[str]:
    for model in NEEDED_MODELS[figure]:
        if model not in entry.capacities:
            yield f"{where}: needs {model} on {entry.name!r}; add {model} to the capacities of that data set"
            continue
        for m in asked.get("capacities", []) if isinstance(asked, dict) else []:
            if m not in entry.capacities[model]:
                trained = list(entry.capacities[model])
                yield f"{where}: m = {m} is not trained; {model} on {entry.name!r} has {trained}"
    if figure in AT_ONE_CAPACITY and not entry.models_at(asked[entry.name]):
        yield f"{where}: no model is trained on {entry.name!r} at m = {asked[entry.name]}"
    if figure in SHOW_ONE_CAPACITY and entry.capacity is None:
        yield f"{where}: data set {entry.name!r} needs 'capacity', the one to show"
    if figure == "fig6" and registry.describe(entry.source_spec)[0] == "vectors":
        yield f"{where}: draws images; {entry.name!r} holds vectors"
    if figure == "fig9" and entry.source_spec["source"] != "synthetic":
        source = entry.source_spec["source"]
        yield f"{where}: draws the synthetic generator; {entry.name!r} comes from {source!r}"
