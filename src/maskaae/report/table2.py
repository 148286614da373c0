"""Table 2: capacity, active dimensions and NAC of WAE and MAAE."""

from collections.abc import Mapping

import pandas as pd

from maskaae.evaluation.dimension import count_stability
from maskaae.evaluation.protocol import last
from maskaae.report.markup import Language
from maskaae.report.selection import in_order, model_name
from maskaae.report.statistics import SeedInterval, cell, interval_label, quantity_rows

MODELS = ("wae", "maae")
QUANTITIES = ("active", "nac")
CELLS = {"wae nac": "WAE: NAC", "maae active": "{maae}: active", "maae nac": "{maae}: NAC"}
DECIMALS = {"active": 1, "nac": 3}
KEYS = ["dataset", "title", "preset", "m"]


def table2(metrics: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Active dimensions and NAC (equation 18) at the last checkpoint, over seeds.

    Returns
    -------
    DataFrame
        A row a data set, capacity, model and quantity ("active", a number of dimensions; "nac", from 0 to 1):
        dataset, title, preset, m, model, quantity, mean, low, high, seeds, kind (see
        `maskaae.report.statistics.seed_interval`), lost (seeds that diverged in training). NAC is undefined,
        so empty, with fewer than two active dimensions.
    """
    chosen = in_order(last(metrics[metrics["model"].isin(MODELS)]), titles)
    quantities = {name: name for name in QUANTITIES}
    return pd.DataFrame(quantity_rows(chosen, [*KEYS, "model"], quantities))


def as_printed(table: pd.DataFrame) -> pd.DataFrame:
    """Arrange `table2` as the paper prints it: a row a data set and capacity, a column a model and quantity.

    A cell is empty where the model was not trained at that capacity.
    """
    texts = [
        cell(SeedInterval.of(row), DECIMALS[row["quantity"]], row["lost"]) for row in table.to_dict("records")
    ]
    columns = table["model"] + " " + table["quantity"]
    wide = table.assign(text=texts, column=columns).pivot(index=KEYS, columns="column", values="text")
    wide = wide.reindex(columns=list(CELLS)).astype(object).fillna("")
    maae = model_name("maae", table["preset"])
    wide = wide.rename(columns={name: text.format(maae=maae) for name, text in CELLS.items()}).reset_index()
    order = {title: place for place, title in enumerate(table["title"].unique())}
    wide = wide.sort_values(
        ["title", "m"], key=lambda keys: keys.map(order) if keys.name == "title" else keys
    )
    return wide.drop(columns=["dataset", "preset"]).rename(columns={"title": "Data set", "m": "Capacity $m$"})


def note(table: pd.DataFrame) -> str:
    """Line below the table: what stands behind each mean."""
    lost = "Seeds whose training diverged count in nothing; their number is given as lost."
    return (
        f"Last checkpoint; mean and {interval_label(table)}. "
        f"NAC over the unmasked dimensions of {model_name('maae', table['preset'])} (equation 18); "
        "– where fewer than two are active."
    ) + (f" {lost}" if table["lost"].any() else "")


def as_document(table: pd.DataFrame, stability: str, language: Language) -> str:
    """`as_printed` as a table, below it its note and that on stability."""
    printed = as_printed(table)
    text = language.table(list(printed.columns), printed.to_numpy().tolist())
    return "\n\n".join([text, *map(language.remarks, (note(table), stability))]) + "\n"


def stability_note(metrics: pd.DataFrame, n: Mapping[str, int | None], titles: Mapping[str, str]) -> str:
    """Line below the table: how stable MAAE's count is, over seeds and all capacities, on each data set.

    `n` is the true latent dimension of each data set, None where unknown.
    """
    scores = {
        titles[str(dataset)]: count_stability(rows, n.get(str(dataset)))
        for dataset, rows in metrics.groupby("dataset", sort=False)
    }
    words = [f"{title}: {'not defined' if score is None else score}" for title, score in scores.items()]
    return "Stability of the count over seeds and m from n to 4n: " + "; ".join(words) + "."
