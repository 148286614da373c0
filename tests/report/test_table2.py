"""Table 2 states capacity, active dimensions and NAC over seeds."""

import numpy as np
import pandas as pd
import pytest

from maskaae.report import table2
from maskaae.report.markup import LATEX
from maskaae.report.statistics import cell, seed_interval

TITLES = {"synthetic_n8": "Synthetic, $n=8$", "digits": "my_digits"}


@pytest.mark.parametrize(
    ("values", "text"),
    [([1, 2, 3], "2.0 ± 2.5"), ([1, 2], "1.5 [1.0, 2.0]"), ([1], "1.0"), ([np.nan], "–")],
)
def test_a_cell_shows_the_interval_that_its_seeds_allow(values: list[float], text: str) -> None:
    assert cell(seed_interval(values), decimals=1) == text


def test_the_table_averages_the_last_checkpoint(metrics: pd.DataFrame) -> None:
    table = table2.table2(metrics, TITLES)
    row = table.query("dataset == 'digits' and m == 16 and model == 'maae' and quantity == 'nac'")
    expected = metrics.query("dataset == 'digits' and m == 16 and model == 'maae' and step == 12000")["nac"]
    assert row["mean"].item() == pytest.approx(expected.mean())


def test_a_collapsed_mask_has_a_count_of_zero_and_no_nac(metrics: pd.DataFrame) -> None:
    hit = (metrics["model"] == "maae") & (metrics["m"] == 16) & (metrics["dataset"] == "digits")
    metrics = metrics.assign(active=metrics["active"].mask(hit, 0), nac=metrics["nac"].mask(hit))
    printed = table2.as_printed(table2.table2(metrics, TITLES)).set_index(["Data set", "Capacity $m$"])
    row = printed.loc[("my_digits", 16)]
    assert (row["MAAE (robust): active"], row["MAAE (robust): NAC"]) == ("0.0 ± 0.0", "–")
    assert row["WAE: NAC"] != "–"


def test_rows_keep_the_order_of_data_sets_and_capacities(metrics: pd.DataFrame) -> None:
    printed = table2.as_printed(table2.table2(metrics, TITLES))
    assert printed["Data set"].unique().tolist() == list(TITLES.values())
    assert printed.loc[printed["Data set"] == "my_digits", "Capacity $m$"].tolist() == [4, 8, 16, 32]


def test_a_model_that_was_not_trained_leaves_its_cells_empty(metrics: pd.DataFrame) -> None:
    printed = table2.as_printed(table2.table2(metrics[metrics["model"] == "wae"], TITLES))
    assert set(printed["MAAE (robust): NAC"]) == {""}


def test_latex_escapes_titles_but_not_their_formulas(metrics: pd.DataFrame) -> None:
    latex = table2.as_document(table2.table2(metrics, TITLES), "stable", LATEX)
    assert r"my\_digits & 4 &" in latex
    assert r"Synthetic, $n=8$ & 4 &" in latex
    assert "±" not in latex
