"""Where every mask parameter started, and whether its dimension is active at the end.

If the start alone tells which dimensions stay, the count says where the mask began, not what the data need.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from safetensors import safe_open

from maskaae.evaluation.protocol import RUN_KEYS
from maskaae.report.figures import drawing
from maskaae.report.selection import add_by_dataset, in_order, model_name, run_of

PANEL = ["dataset", "m"]


def read_mask_starts(folders: Iterable[str | Path]) -> pd.DataFrame:
    """Mask parameter M of every dimension at the first and the last checkpoint of several runs.

    Parameters
    ----------
    folders : iterable of path
        The folder `checkpoints` of each run.

    Returns
    -------
    DataFrame
        dataset, model, m, seed, dimension, start, end.

    Raises
    ------
    ValueError
        If a folder has fewer than two checkpoints, or the model in it has no mask.
    """
    return pd.concat([_read_run(Path(folder)) for folder in folders], ignore_index=True)


def _read_run(folder: Path) -> pd.DataFrame:
    checkpoints = sorted(folder.glob("step_*.safetensors"))
    if len(checkpoints) < 2:
        raise ValueError(
            f"{folder}: {len(checkpoints)} checkpoints; expected those of the first and the last step"
        )
    (seeds, start), (_, end) = (_mask_parameter(path) for path in (checkpoints[0], checkpoints[-1]))
    rows = [
        {"seed": seed, "dimension": j, "start": start[i, j], "end": end[i, j]}
        for i, seed in enumerate(seeds)
        for j in range(start.shape[1])
    ]
    return pd.DataFrame(rows).assign(**run_of(folder))


def _mask_parameter(path: Path) -> tuple[list[int], np.ndarray]:
    """Seeds of a checkpoint and their M, (seed, m)."""
    with safe_open(path, framework="numpy") as file:
        if "mask_parameter" not in file.keys():  # noqa: SIM118 (not a mapping)
            raise ValueError(f"{path}: the model has no mask")
        seeds: list[int] = json.loads(file.metadata()["spec"])["seeds"]
        return seeds, file.get_tensor("mask_parameter")


def mask_starts_data(
    starts: pd.DataFrame,
    presets: Mapping[str, str],
    n: Mapping[str, int | None],
    titles: Mapping[str, str],
    threshold: Mapping[str, float],
) -> pd.DataFrame:
    """Say which dimensions are active at the end, and how well their starts tell them apart.

    `starts` is what `read_mask_starts` returns; `threshold` is the mask value from which on a dimension is
    active, of each data set.

    Returns
    -------
    DataFrame
        dataset, title, preset, n, model, m, seed, dimension, start, end, active, and of all seeds of a run
        `split`, the start that best separates dimensions that stay from those that go, and `told`, how many
        of them lie on the right side of it.
    """
    rows = add_by_dataset(add_by_dataset(starts, "n", n), "preset", presets)
    rows = add_by_dataset(rows, "threshold", threshold)
    rows["active"] = -np.expm1(-rows["end"]) >= rows["threshold"]  # mu of eq 17, see maskaae.method.mask
    for _, run in rows.groupby(["dataset", "model", "m"]):
        split, told = best_split(run["start"].to_numpy(float), run["active"].to_numpy(bool))
        rows.loc[run.index, ["split", "told"]] = split, told
    names = ["dataset", "title", "preset", "n", *RUN_KEYS[1:], "dimension", "start", "end", "active"]
    return in_order(rows, titles).sort_values(["m", "seed", "dimension"], kind="stable")[
        [*names, "split", "told"]
    ]


def best_split(start: np.ndarray, active: np.ndarray) -> tuple[float, int]:
    """The start from which on a dimension stays active, and of how many that says what happens.

    Half-way between two neighbouring starts, or half a step outside of all; of several equally good splits
    the lowest.
    """
    order = np.argsort(start)
    closed_below = np.concatenate([[0], np.cumsum(~active[order])])  # with k starts below the split
    active_above = active.sum() - np.concatenate([[0], np.cumsum(active[order])])
    right = closed_below + active_above
    k = int(right.argmax())
    edges = np.concatenate([[start[order[0]] - 0.5], start[order], [start[order[-1]] + 0.5]])
    return float((edges[k] + edges[k + 1]) / 2), int(right[k])


@drawing.paper_style()
def draw_mask_starts(frame: pd.DataFrame) -> Figure:
    """One panel a capacity: a row a seed, a mark a dimension where its M started."""
    runs = [rows for _, rows in frame.groupby(PANEL, sort=False)]
    figure, axes = drawing.panel_row(len(runs), height=1.7)
    for ax, rows in zip(axes, runs, strict=True):
        _draw_panel(ax, rows)
    figure.suptitle(f"{', '.join(frame['title'].unique())}: {model_name('maae', frame['preset'])}")
    entries = {
        "active at the end": _mark(drawing.BLUE, drawing.BLUE),
        "closed at the end": _mark("white", drawing.VERMILLION),
        "start that separates them best": Line2D([], [], color=drawing.INK, lw=0.8, ls=drawing.DASHES),
    }
    drawing.legend_below(figure, entries, columns=3)
    return figure


def _draw_panel(ax: Axes, rows: pd.DataFrame) -> None:
    seeds = sorted(rows["seed"].unique())
    for active, face, edge in (
        (True, drawing.BLUE, drawing.BLUE),
        (False, "white", drawing.VERMILLION),
    ):
        shown = rows[rows["active"] == active]
        ax.plot(
            shown["start"], shown["seed"].map(seeds.index), "o", mfc=face, mec=edge, mew=0.8, ms=3.5, zorder=3
        )
    ax.axvline(rows["split"].iloc[0], color=drawing.INK, lw=0.8, ls=drawing.DASHES, zorder=2)
    ax.set_yticks(range(len(seeds)), [str(seed) for seed in seeds])
    ax.set_ylim(len(seeds) - 0.5, -0.5)
    ax.set_ylabel("seed")
    ax.set_xlabel("mask parameter $M_j$ at the start")
    ax.set_title(f"$m={rows['m'].iloc[0]}$: {rows['told'].iloc[0]:g} of {len(rows)} on their side")


def _mark(face: str, edge: str) -> Line2D:
    return Line2D([], [], ls="", marker="o", mfc=face, mec=edge, mew=0.8, ms=3.5)
