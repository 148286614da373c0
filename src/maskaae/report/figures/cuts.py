"""What each latent dimension is worth: reconstruction and match of codes cut off after k of them.

It is drawn from the search of ``nested`` mask training, and shows both sides of theorem 1: to the left of the
elbow the reconstruction is not good enough, to its right the codes no longer match the prior.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from maskaae.evaluation.protocol import RUN_KEYS
from maskaae.method.presets import search_reach
from maskaae.report.figures import drawing
from maskaae.report.figures.drawing import BLUE, COUNT_COLOUR, VERMILLION, paper_style
from maskaae.report.selection import add_by_dataset, in_order, model_name
from maskaae.report.statistics import interval_label, over_seeds

PREFIX = "cut_"
QUANTITIES = {
    "reconstruction": (BLUE, "reconstruction error"),
    "wasserstein": (VERMILLION, "Wasserstein estimate"),
}


def cuts_data(
    history: pd.DataFrame,
    n: Mapping[str, int | None],
    longest: Mapping[str, float],
    titles: Mapping[str, str],
) -> pd.DataFrame:
    """Collect both quantities at every cut, at the end of the search.

    The histories are of MAAE, one capacity a data set; `n` is a data set's true latent dimension, None where
    unknown, `longest` the longest cut of its search's last window, as a multiple of the open dimensions.

    Returns
    -------
    DataFrame
        dataset, title, preset, n, model, m, seed, active (at the end of the run), k, quantity
        ("reconstruction", "wasserstein"), value, and over seeds mean, low, high, seeds, kind. Cuts beyond the
        last window of the search of any seed, which no longer take part in its training when the search ends,
        are left out.

    Raises
    ------
    ValueError
        If a run was not trained with the nested mask.
    """
    columns = [name for name in history if str(name).startswith(PREFIX)]
    if not columns:
        names = ", ".join(sorted(history["dataset"].unique()))
        raise ValueError(
            f"figure `cuts`: no column {PREFIX}... in the histories of {names}; only `mask_training: nested` "
            "(preset `robust`) measures codes that are cut off"
        )
    kept = history[
        [*RUN_KEYS, "preset", "step", "active", *columns]
    ].copy()  # in one piece: it has hundreds of columns
    last = kept.sort_values("step").groupby(RUN_KEYS, as_index=False).last()  # last value of each column
    rows = last.melt([*RUN_KEYS, "preset", "active"], columns, var_name="cut").dropna(subset="value")
    rows[["quantity", "k"]] = rows["cut"].str.removeprefix(PREFIX).str.rsplit("_", n=1, expand=True)
    rows["k"] = rows["k"].astype(int)
    reach = search_reach(rows["active"], rows["dataset"].map(longest))
    shortest = reach.groupby([rows[name] for name in ("dataset", "model", "m")]).transform("min")
    rows = rows[
        rows["k"] <= shortest
    ]  # beyond it a seed's values are stale, and means would be of the others
    rows = in_order(add_by_dataset(rows.drop(columns="cut"), "n", n), titles)
    return over_seeds(rows, by=["dataset", "model", "m", "quantity", "k"])


@paper_style()
def draw_cuts(frame: pd.DataFrame) -> Figure:
    """One panel a data set, the reconstruction error at the left, W at the right."""
    runs = [rows for _, rows in frame.groupby(["dataset", "m"], sort=False)]
    figure, axes = drawing.panel_row(len(runs), height=2.3)
    for ax, rows in zip(axes, runs, strict=True):
        _draw_panel(ax, rows)
    entries: dict[str, Any] = {
        **{label: Line2D([], [], color=colour, lw=1.2) for colour, label in QUANTITIES.values()},
        f"{model_name('maae', frame['preset'])}: a seed's count": Line2D([], [], color=COUNT_COLOUR, lw=0.9),
        interval_label(frame): drawing.interval_handle(),
    }
    if frame["n"].notna().any():
        entries["true dimension $n$"] = drawing.true_dimension_handle()
    drawing.legend_below(figure, entries, columns=3 if len(runs) > 1 else 2)
    return figure


def _draw_panel(left: Axes, rows: pd.DataFrame) -> None:
    right = left.twinx()
    right.spines["right"].set_visible(True)
    right.grid(visible=False)  # one grid is enough
    for ax, (quantity, (colour, label)) in zip((left, right), QUANTITIES.items(), strict=True):
        lines = rows[(rows["quantity"] == quantity) & (rows["k"] > 0)]
        means = drawing.draw_band(ax, "k", lines, colour)
        ax.plot(means["k"], means["mean"], color=colour, lw=1.2)
        ax.set_ylabel(label, color=colour)
    drawing.scale_to_values(left, rows.loc[(rows["quantity"] == "reconstruction") & (rows["k"] > 0), "value"])
    counts = rows.drop_duplicates(RUN_KEYS)["active"].dropna()
    for count in counts.unique():
        left.axvline(count, color=COUNT_COLOUR, lw=0.9, alpha=0.8, zorder=1)
    drawing.mark_true_dimension(left, float(np.nan if rows["n"].isna().all() else rows["n"].iloc[0]))
    left.set_title(f"{rows['title'].iloc[0]}, $m={rows['m'].iloc[0]}$")
    left.set_xlabel("dimensions kept $k$")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
