"""Write the numbers of docs/performance.md, and its figure, from the results of `make bench`."""

import shutil
import sys
from pathlib import Path

import matplotlib as mpl
import pandas as pd

mpl.use("agg")
import matplotlib.pyplot as plt

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


def fill(page: str, name: str, text: str) -> str:
    """Put a text between a page's markers of a name."""
    start, end = f"<!-- {name}: made by make bench -->", f"<!-- end of {name} -->"
    if start not in page or end not in page:
        sys.exit(f"docs/performance.md has no place for {name}: expected {start} ... {end}")
    head, rest = page.split(start)
    return head + start + "\n\n" + text + "\n\n" + end + rest.split(end)[1]


def main(measured: Path, kept: Path, page: Path) -> None:
    """Copy the results that there are and write page and figure from what is kept."""
    kept.mkdir(parents=True, exist_ok=True)
    for path in measured.glob("*.csv"):
        shutil.copy(path, kept)
    results = {path.stem: pd.read_csv(path, keep_default_na=False) for path in sorted(kept.glob("*.csv"))}
    text = page.read_text()
    for name, table in results.items():
        if "processor" in table:
            text = fill(text, name, f"{machine(table)}\n\n{as_markdown(table)}")
    if any("training" in name for name in results):
        draw(results, kept / "training.png")
        link = (kept / "training.png").relative_to(page.parent)
        text = fill(text, "figure", f"![Network passes a second against seeds that train together]({link})")
    page.write_text(text)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
