"""The records of figures and tables: what they say exists, and what they choose of a grid."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from maskaae.models.catalogue import CATALOGUE
from maskaae.report.records import FIGURES, RECORDS, TABLES, Asks, Record, Runs

REPOSITORY = Path(__file__).parents[2]
GRID = {
    "a": SimpleNamespace(capacities={"wae": (2, 4), "maae": (4, 8), "rae": (4,)}, capacity=4),
    "b": SimpleNamespace(capacities={"maae": (8,)}, capacity=8),
}
AT_4 = [("a", "maae", 4), ("a", "rae", 4)]


@pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.name)
def test_files_and_models_of_a_record_exist(record):
    assert (REPOSITORY / f"scripts/{record.script}.py").is_file()
    assert (REPOSITORY / f"workflow/report/{record.caption}.rst").is_file()
    assert set(record.models or ()) <= set(CATALOGUE)


def test_no_figure_has_the_name_of_a_table():
    assert len(RECORDS) == len(FIGURES) + len(TABLES)


@pytest.mark.parametrize(
    ("asks", "asked", "runs", "chosen"),
    [
        (Asks.DATASETS, ["b", "a"], Runs("f", ("wae",)), [("a", "wae", 2), ("a", "wae", 4)]),
        (Asks.DATASETS, ["a"], Runs("f", ("wae", "maae"), "shown"), [("a", "wae", 4), ("a", "maae", 4)]),
        (Asks.DATASET, "b", Runs("f"), [("b", "maae", 8)]),
        (Asks.DATASETS, ["b", "a"], Runs("f", ("rae", "maae"), "shown"), [*AT_4, ("b", "maae", 8)]),
        (Asks.CAPACITIES, {"a": 4}, Runs("f", None, "shown"), [("a", m, 4) for m in ("wae", "maae", "rae")]),
        (Asks.RUNS, {"dataset": "a", "capacities": [8]}, Runs("f", ("maae",), "shown"), [("a", "maae", 8)]),
        (Asks.NOTHING, True, Runs("f"), []),
    ],
)  # fmt: skip
def test_runs_are_chosen_as_the_configuration_asks(asks, asked, runs, chosen):
    wanted = Record("new", "", asks).wanted(asked)
    assert runs.of(wanted, GRID) == chosen
