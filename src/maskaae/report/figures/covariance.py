"""Figures 10-13: normalised absolute covariance of the encoded vectors, WAE beside MAAE, for one data set."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from maskaae.report.figures.drawing import BLUE, DOUBLE_COLUMN, INK, SINGLE_COLUMN, paper_style
from maskaae.report.selection import in_order, model_name, models_in_order

ACTIVE, MASKED, DIAGONAL = BLUE, "#ADADAD", INK
FAINT = "#F0F0F0"
LEFT_OUT = ListedColormap([FAINT])
HATCH, HATCH_COLOUR = "//////", "#BBBBBB"


def fig10_data(covariance: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Matrix of each run, the mean over its seeds, with the mean NAC and count of these.

    Which dimensions are active differs between seeds, so each seed's active dimensions come first, in the
    order they have, and a place counts as active if it is in at least half of the seeds.

    Parameters
    ----------
    covariance : DataFrame
        A row a run, seed and pair of dimensions: seed, i, j, value (NaN where a dimension is constant),
        active_i, active_j.
    titles : Mapping
        Title of each data set.

    Returns
    -------
    DataFrame
        dataset, title, preset, model, m, i, j (places), value (mean over the seeds that are alike in what is
        active; NaN where none is defined), active_i, active_j, and of the run: seeds, active (mean count),
        nac (mean of equation 18, NaN where no seed defines it).
    """
    rows = covariance.assign(i=_places(covariance, "i"), j=_places(covariance, "j"))
    run = ["dataset", "preset", "model", "m"]
    nac = rows.groupby([*run, "seed"])[["i", "j", "value", "active_i", "active_j"]].apply(_nac)
    counts = rows[rows["i"] == rows["j"]].groupby([*run, "seed"])["active_i"].sum()
    of_run = pd.DataFrame({"nac": nac, "active": counts}).groupby(run).mean()
    of_run["seeds"] = counts.groupby(run).size()
    places = rows.groupby([*run, "i"])["active_i"].mean() >= 0.5
    for axis in ("i", "j"):
        known = places.rename_axis(index={"i": axis}).rename(f"place_{axis}")
        rows = rows.merge(known.reset_index(), on=[*run, axis])
    alike = (rows["active_i"] & rows["active_j"]) == (rows["place_i"] & rows["place_j"])
    rows = rows.assign(value=rows["value"].where(alike), active_i=rows["place_i"], active_j=rows["place_j"])
    pairs = rows.groupby([*run, "i", "j", "active_i", "active_j"])["value"].mean().reset_index()
    frame = in_order(pairs.merge(of_run.reset_index(), on=run), titles)
    of_places = ["i", "j", "value", "active_i", "active_j"]
    columns = ["dataset", "title", *run[1:], "seeds", *of_places, "active", "nac"]
    return frame[columns]


def _places(covariance: pd.DataFrame, axis: str) -> pd.Series:
    """Place of each row's dimension in its seed, active ones first."""
    size = covariance["m"]
    order = covariance[axis] + size * ~covariance[f"active_{axis}"]  # below m exactly where active
    groups = [covariance[key] for key in ("dataset", "model", "m", "seed")]
    return (order.groupby(groups).rank(method="dense") - 1).astype(int)


def _nac(seed: pd.DataFrame) -> float:
    """Equation 18 of one seed's table."""
    averaged = seed["active_i"] & seed["active_j"] & (seed["i"] != seed["j"])
    return float(seed.loc[averaged, "value"].mean(skipna=False))


@paper_style()
def draw_fig10(frame: pd.DataFrame) -> Figure:
    """Draw both matrices on one scale, which ends at the largest value that enters a NAC.

    Pairs with a masked dimension are left out: the encoder leaves next to no variance in it, and normalised
    by that little, what is left can be anything. The diagonal is 1 by definition.
    """
    models = models_in_order(frame["model"])
    figure = Figure(figsize=(DOUBLE_COLUMN * 0.8 if len(models) > 1 else SINGLE_COLUMN, 2.9))
    axes = figure.subplots(1, len(models), squeeze=False)[0]
    averaged = frame.loc[(frame["i"] != frame["j"]) & frame["active_i"] & frame["active_j"], "value"]
    top = averaged.max() if averaged.notna().any() else 1.0
    for ax, model in zip(axes, models, strict=True):
        image = _draw_matrix(ax, frame[frame["model"] == model], top)
    bar = figure.colorbar(image, ax=axes, shrink=0.85, pad=0.02)
    bar.set_label("normalised absolute covariance")
    bar.outline.set_linewidth(0.6)
    figure.suptitle(frame["title"].iloc[0])
    figure.legend(handles=_legend(frame), loc="outside lower center", ncols=4)
    return figure


def _draw_matrix(ax: Axes, rows: pd.DataFrame, top: float) -> AxesImage:
    matrix = rows.pivot(index="i", columns="j", values="value").to_numpy(dtype=float)
    m = len(matrix)
    ax.add_patch(Rectangle((-0.5, -0.5), m, m, fc="white", ec=HATCH_COLOUR, hatch=HATCH, lw=0, zorder=0))
    active = rows.drop_duplicates("i").sort_values("i")["active_i"].to_numpy(dtype=bool)
    for j in np.flatnonzero(active & ~np.isnan(np.diag(matrix))):
        ax.add_patch(Rectangle((j - 0.5, j - 0.5), 1, 1, fc=DIAGONAL, lw=0, zorder=2))
    averaged = np.outer(active, active)
    scale = Normalize(vmin=0, vmax=top, clip=True)
    ax.imshow(np.ma.array(np.ones((m, m)), mask=averaged), cmap=LEFT_OUT, vmin=0, vmax=1, zorder=0.5)
    image = ax.imshow(
        np.ma.array(matrix, mask=~averaged | np.isnan(matrix)), cmap="Purples", norm=scale, zorder=1
    )
    _mark_dimensions(ax, active)
    ax.set_title(_title(rows), pad=9)
    ax.set(xlim=(-0.5, m - 0.5), ylim=(m - 0.5, -0.5))  # the strips lie outside
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 4, 8, 10]))
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, pad=1)
    ax.tick_params(axis="y", pad=7)  # beside the strip
    ax.set_xlabel("latent dimension, active ones first")
    return image


def _mark_dimensions(ax: Axes, active: NDArray[np.bool_]) -> None:
    """Draw a strip along the upper and the left edge: active dimensions in colour, masked ones grey."""
    width, gap = 0.025 * len(active), 0.01 * len(active)
    start = -0.5 - gap - width
    line = min(0.3, 10 / len(active))
    for j, is_active in enumerate(active):
        colour = ACTIVE if is_active else MASKED
        for corner, size in (((j - 0.5, start), (1, width)), ((start, j - 0.5), (width, 1))):
            ax.add_patch(Rectangle(corner, *size, fc=colour, ec="white", lw=line, clip_on=False))


def _title(rows: pd.DataFrame) -> str:
    run = rows.iloc[0]
    value = "undefined" if np.isnan(run["nac"]) else f"{run['nac']:.3f}"
    name = model_name(run["model"], rows["preset"])
    return f"{name}: {round(run['active'], 1):g} of $m={run['m']}$ active, NAC {value}"


def _legend(frame: pd.DataFrame) -> list[Patch]:
    handles = [Patch(fc=ACTIVE, label="active dimension"), Patch(fc=MASKED, label="masked dimension")]
    if not frame["active_i"].all():
        handles.append(Patch(fc=FAINT, lw=0, label="pair with a masked one (not in NAC)"))
    handles.append(Patch(fc=DIAGONAL, label="diagonal, 1"))
    if frame.loc[frame["active_i"] & frame["active_j"], "value"].isna().any():
        handles.append(Patch(fc="white", ec=HATCH_COLOUR, hatch=HATCH, lw=0, label="undefined (constant)"))
    return handles
