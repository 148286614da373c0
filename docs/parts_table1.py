"""What docs/table1.md says of all models on both MNISTs, and of cited rows beside them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
from parts_results import RESULTS, provenance
from scipy.stats import kendalltau

from maskaae.report.markup import markdown_table
from maskaae.report.selection import model_name, models_in_order
from maskaae.report.statistics import SeedInterval, cell
from maskaae.report.table1 import CITED_DATASETS, CITED_ROWS, OURS

FOLDER = RESULTS / "real"
SAMPLERS = ("fid", "fid_mixture")
HEADS = ("prior", "mixture")
CITED_AS = {"mnist": "mnist", "fashion": "fashion_mnist"}
"""Our data sets, and what their source is called among the cited rows."""


def parts() -> dict[str, Callable[[], str]]:
    """Parts by name."""
    return {"real.models": models, "real.cited": cited}


def models() -> str:
    """A table a data set: FID of every model by both samplers, at the common m and at that which suits it."""
    common, each = _ours("table1"), _ours("table1_each")
    tables = [
        f"**{title}**\n\n{_table(of_common, each[each['title'] == title])}"
        for title, of_common in common.groupby("title", sort=False)
    ]
    return "\n\n".join([*tables, provenance("real")])


def _ours(table: str) -> pd.DataFrame:
    rows = pd.read_csv(FOLDER / f"{table}.csv")
    return rows[rows["source"] == OURS]


def _table(common: pd.DataFrame, each: pd.DataFrame) -> str:
    (m,) = common["m"].unique()
    suited = each.drop_duplicates("model").set_index("model")["m"]
    lines = [
        [
            _name(common, model),
            *(_fid(common, model, quantity) for quantity in SAMPLERS),
            f"{suited[model]:g}",
            *(_fid(each, model, quantity) for quantity in SAMPLERS),
        ]
        for model in models_in_order(common["model"])
    ]
    at_common = [f"m = {m:g}, {sampler}" for sampler in HEADS]
    return markdown_table(["FID", *at_common, "m that suits it", *HEADS], lines, "lrrrrr")


def _name(rows: pd.DataFrame, model: str) -> str:
    return model_name(model, rows.loc[rows["model"] == model, "preset"])


def _fid(rows: pd.DataFrame, model: str, quantity: str) -> str:
    (row,) = rows[(rows["model"] == model) & (rows["quantity"] == quantity)].to_dict("records")
    return f"**{_text(row)}**" if row["best"] else _text(row)


def _text(row: dict[str, object]) -> str:
    return cell(SeedInterval.of(row), 1, row["lost"])


def cited() -> str:
    """Models of the cited rows, in their order on MNIST, beside ours at the common m; how alike they are."""
    rows = _ours("table1")
    fid = rows[rows["quantity"].isin(SAMPLERS)].pivot(
        index="model", columns=["dataset", "quantity"], values="mean"
    )
    order = sorted(CITED_ROWS, key=lambda row: row.fid[0])
    lines, heads, said = [[row.title] for row in order], [], []
    for dataset, source in CITED_AS.items():
        title = CITED_DATASETS[source]
        theirs = [row.fid[list(CITED_DATASETS).index(source)] for row in order]
        ours = {sampler: [fid.loc[row.model, (dataset, sampler)] for row in order] for sampler in SAMPLERS}
        heads += [f"{title}, cited", *(f"ours, {sampler}" for sampler in HEADS)]
        for line, *values in zip(lines, theirs, *ours.values(), strict=True):
            line += [f"{value:.1f}" for value in values]
        tau = [
            f"{kendalltau(theirs, values).statistic:+.2f} ({head})"
            for head, values in zip(HEADS, ours.values(), strict=True)
        ]
        said.append(f"{' and '.join(tau)} on {title}")
    return (
        f"{markdown_table(['', *heads], lines)}\n\nKendall's tau between their order and ours, 1 if they are "
        f"the same and -1 if one is the other's reverse: {'; '.join(said)}."
    )
