"""What figures and tables ask of the grid, and whether the grid has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from maskaae.config.datasets import DatasetEntry
from maskaae.config.reading import Values
from maskaae.data import registry
from maskaae.data.registry import suggestion
from maskaae.report.records import RECORDS, Record


def figure_problems(config: Values, entries: Mapping[str, DatasetEntry]) -> Iterator[str]:
    """What figures and tables ask for and the grid does not have."""
    for name in config["on_request"]:
        if name not in {**config["figures"], **config["tables"]}:
            yield f"on_request: {name!r} is neither among the figures nor the tables; add what it shows there"
    for part in ("figures", "tables"):
        for name, asked in config[part].items():
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
