"""Numbers and figure of docs/performance.md, from the results of `make bench`.

python docs/parts_performance.py results/bench      # keeps what was measured, and draws the figure
"""

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
from make_pictures import write
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from maskaae.report.figures.drawing import (
    BLUE,
    DOUBLE_COLUMN,
    GREEN,
    LEGEND_HEIGHT,
    PURPLE,
    VERMILLION,
    legend_below,
    paper_style,
)
from maskaae.report.markup import markdown_table

KEPT = Path(__file__).parent / "results/performance"
PICTURE = "results/performance/training.png"
OF_LARGE_NETWORKS = ("gpu_convolutions", "gpu_training_mnist", "gpu_training_convolutional")
"""Tables that need more time on a GPU than the others."""
RIVALS = {
    "reference": ("authors' loop", VERMILLION, "--"),
    "pythae": ("pythae", GREEN, "-."),
    "plain": ("plain step", PURPLE, ":"),
}
CASES = {
    "synthetic": "synthetic nets",
    "mnist": "MNIST nets",
    "convolutional_small": "small convolutions",
    "convolutional": "convolutions",
}
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
PANELS_A_ROW = 2


def cell(value: object) -> str:
    """Three significant digits of a number, anything else as it is."""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def as_markdown(table: pd.DataFrame) -> str:
    """Table in Markdown, without the columns that describe the machine."""
    table = table.drop(columns=["processor", "cores", "gpu", "torch"], errors="ignore")
    lines = ["| " + " | ".join(table) + " |", "|" + " --: |" * len(table.columns)]
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in table.itertuples(index=False)]
    return "\n".join(lines)


def machine(table: pd.DataFrame) -> str:
    """Name the machine that a table was measured on."""
    row = table.iloc[0]
    gpu = "" if row["gpu"] == "none" else f", {row['gpu']}"
    return f"{row['processor']}, {row['cores']} cores{gpu}, torch {row['torch']}."


@paper_style()
def draw(results: dict[str, pd.DataFrame]) -> Figure:
    """Network passes a second against the number of seeds, one panel a case, with the rivals as lines.

    Passes, not steps: a step of pythae's model does less.
    """
    tables = [table for name, table in results.items() if "training" in name]
    panels = [group for table in tables for _, group in table.groupby(["case", "device"], sort=False)]
    columns = min(len(panels), PANELS_A_ROW)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(DOUBLE_COLUMN, 1.7 * rows + LEGEND_HEIGHT))
    axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for empty in axes[len(panels) :]:
        empty.axis("off")
    for axis, group in zip(axes, panels, strict=False):
        mine = group[group["contender"] == "ours"]
        axis.plot(mine["seeds"], mine["passes_per_second"], "o-", color=BLUE)
        for row in group[group["contender"] != "ours"].itertuples():
            _, colour, style = RIVALS[row.contender]
            axis.axhline(row.passes_per_second, ls=style, color=colour, lw=1)
        device = DEVICES[group["device"].iloc[0]]
        axis.set(xscale="log", yscale="log", xlabel="seeds together")
        axis.set_title(f"{CASES[group['case'].iloc[0]]}, {device}")
        axis.set_xticks(mine["seeds"], mine["seeds"].astype(str), minor=False)
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_ylim(group["passes_per_second"].min() / 1.5, group["passes_per_second"].max() * 1.5)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.yaxis.set_minor_locator(NullLocator())
    for first in axes[::columns]:
        first.set_ylabel("network passes\na second")
    entries = {"this package": Line2D([], [], color=BLUE, marker="o")}
    entries |= {name: Line2D([], [], color=colour, ls=style, lw=1) for name, colour, style in RIVALS.values()}
    legend_below(figure, entries, columns=len(entries))
    return figure


def picture() -> str:
    """Link to the figure."""
    return f"![Network passes a second against seeds that train together]({PICTURE})"


def parts() -> dict[str, Callable[[], str]]:
    """Every table, behind the machine that it was measured on, and the figure."""
    found: dict[str, Callable[[], str]] = dict.fromkeys(OF_LARGE_NETWORKS, not_measured)
    found |= {"figure": picture, "grid_hours": grid_hours}
    for path in sorted(KEPT.glob("*.csv")):
        table = pd.read_csv(path, keep_default_na=False)
        if "processor" in table:
            found[path.stem] = partial(described, table)
    return found


def grid_hours() -> str:
    """Hours of the paper's grid by data set, WAE and MAAE, on the GPU that was timed."""
    table = pd.read_csv(KEPT / "gpu_grid.csv", keep_default_na=False)
    lines = [[row.case, row.trainings, f"{row.hours:.1f}"] for row in table.itertuples()]
    lines.append(["all", table["trainings"].sum(), f"{table['hours'].sum():.1f}"])
    head = ["data set", "trainings", f"hours on one {table['gpu'].iloc[0]}"]
    return markdown_table(head, lines, "lrr")


def not_measured() -> str:
    """What stands where there is no table yet."""
    return "*Not measured yet.*"


def described(table: pd.DataFrame) -> str:
    """Machine and table."""
    return f"{machine(table)}\n\n{as_markdown(table)}"


def main(measured: Path) -> None:
    """Keep the results that there are, and draw the figure of what is kept."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in measured.glob("*.csv"):
        shutil.copy(path, KEPT)
    draw_kept()


def draw_kept() -> None:
    """Draw the figure of the results that are kept."""
    paths = sorted(KEPT.glob("*training*.csv"))
    tables = {path.stem: pd.read_csv(path, keep_default_na=False) for path in paths}
    write(draw(tables), KEPT / "training.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
