"""Draw again, with today's code, what is kept under docs/results as csv: `make redraw`.

No number is made anew. The record of what made a folder (`provenance.json`) keeps the code of its
numbers. Only what it says of the scripts behind these figures, and their tables, is brought to today's code.

python docs/redraw.py                        # every folder
python docs/redraw.py docs/results/ablations # some
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import parts_performance
from make_pictures import write
from matplotlib.figure import Figure
from parts_results import slug

from maskaae.config.checking import check_config
from maskaae.config.reading import read_config
from maskaae.report import comparison, dimensions
from maskaae.report.figures import over_capacity
from maskaae.report.figures.mask_starts import draw_mask_starts
from maskaae.report.freshness import FILE, SHOWN, Provenance
from maskaae.report.selection import model_name

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "docs/results"


def one_figure(folder: Path, name: str, draw: Callable[[pd.DataFrame], Figure]) -> Iterator[str]:
    """A figure from its own csv."""
    frame = pd.read_csv(folder / f"{name}.csv")
    if "preset" not in frame:  # as older ones have it
        frame = frame.assign(preset=" and ".join(Provenance.read(folder).trained.presets))
    write(draw(frame), folder / f"{name}.png")
    yield name


def groups(folder: Path) -> Iterator[str]:
    """A comparison of variants: its table, and a picture a group."""
    table = pd.read_csv(folder / f"{folder.name}.csv")
    (folder / f"{folder.name}.md").write_text(comparison.as_markdown(table), encoding="utf-8")
    for title, rows in table.groupby("group", sort=False):
        write(comparison.draw(rows), folder / f"{slug(str(title))}.png")
    for path in set(folder.glob("*.png")) - {folder / f"{slug(title)}.png" for title in table["group"]}:
        path.unlink()  # of a group that is there no more
    yield "comparison"


def ways(folder: Path) -> Iterator[str]:
    """Ways of finding the dimension: table and picture."""
    table, record = pd.read_csv(folder / "dimensions.csv"), Provenance.read(folder)
    if "name" not in table:  # as older ones have it
        names = {method: model_name(method, record.trained.presets) for method in dimensions.TITLES}
        table["name"] = table["method"].map({**dimensions.NAMES, **names})
    datasets = check_config(read_config(REPOSITORY / record.configuration)).datasets
    text = dimensions.as_markdown(table, {name: entry.title for name, entry in datasets.items()})
    (folder / "dimensions.md").write_text(text, encoding="utf-8")
    write(dimensions.draw(table), folder / "dimensions.png")
    yield "dimensions"


def draw_folder(folder: Path) -> list[str]:
    """Draw what a folder's csv allow; return the names of the scripts whose work that is."""
    names: list[str] = []
    figures = {
        "fig4": over_capacity.draw_fig4,
        "models_over_capacity": over_capacity.draw_all_models,
        "mask_starts": draw_mask_starts,
    }
    for name, draw in figures.items():
        if (folder / f"{name}.csv").exists():
            names += one_figure(folder, name, draw)
    if folder.name in ("ablations", "why_it_fails"):
        names += groups(folder)
    if folder.name == "dimensions":
        names += ways(folder)
    if folder.name == "performance":
        parts_performance.draw_kept()
    return names


def record_drawing(folder: Path, names: list[str]) -> None:
    """Bring what a record says of the scripts that draw to today's code."""
    record = Provenance.read(folder)
    drawn = (
        program.hashed(REPOSITORY) if program.stage == SHOWN and program.name in names else program
        for program in record.programs
    )
    replace(record, programs=tuple(drawn)).write(folder)


def main(folders: list[Path]) -> None:
    """Draw all folders, or some."""
    for folder in folders or sorted(path.parent for path in RESULTS.glob(f"*/{FILE}")):
        names = draw_folder(folder)
        if names:
            record_drawing(folder, names)


if __name__ == "__main__":
    main([Path(folder).resolve() for folder in sys.argv[1:]])
