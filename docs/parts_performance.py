"""Numbers and figure of docs/performance.md, from the results of `make bench`.

python docs/parts_performance.py results/bench      # keeps what was measured, and draws the figure
"""

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import matplotlib as mpl
import pandas as pd

mpl.use("agg")
import matplotlib.pyplot as plt

KEPT = Path(__file__).parent / "results/performance"
PICTURE = "results/performance/training.png"
OF_LARGE_NETWORKS = ("gpu_convolutions", "gpu_training_mnist", "gpu_training_convolutional")
"""Tables that need more time on a GPU than the others."""
RIVALS = {"reference": ("authors' loop", "--"), "pythae": ("pythae", "-."), "plain": ("plain step", ":")}


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


def draw(results: dict[str, pd.DataFrame], path: Path) -> None:
    """Network passes a second against the number of seeds, one panel a case, with the rivals as lines.

    Passes, not steps: a step of pythae's model does less.
    """
    tables = [table for name, table in results.items() if "training" in name]
    panels = [group for table in tables for _, group in table.groupby(["case", "device"], sort=False)]
    figure, axes = plt.subplots(1, len(panels), figsize=(3.2 * len(panels), 2.8), squeeze=False)
    for axis, group in zip(axes[0], panels, strict=True):
        mine = group[group["contender"] == "ours"]
        axis.plot(mine["seeds"], mine["passes_per_second"], "o-", label="this package")
        for row in group[group["contender"] != "ours"].itertuples():
            name, style = RIVALS[row.contender]
            axis.axhline(row.passes_per_second, ls=style, c="0.4", label=name)
        axis.set(
            xscale="log",
            ylim=(0, 1.1 * group["passes_per_second"].max()),
            xlabel="seeds together",
            title=f"{group['case'].iloc[0]}, {group['device'].iloc[0]}",
        )
        axis.set_xticks(mine["seeds"], mine["seeds"].astype(str), minor=False)
        axis.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    axes[0][0].set_ylabel("network passes a second")
    axes[0][0].legend(frameon=False, fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


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
    hours = "; ".join(f"{row.case} {row.hours:.1f}" for row in table.itertuples())
    return f"  Hours on one {table['gpu'].iloc[0]}, one training after the other: {hours}."


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
    tables = {
        path.stem: pd.read_csv(path, keep_default_na=False) for path in sorted(KEPT.glob("*training*.csv"))
    }
    draw(tables, KEPT / "training.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
