"""Figures 10-13: normalised absolute covariance of the encoded vectors, WAE beside MAAE, for one data set."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from maskaae.models.catalogue import TITLES
from maskaae.report.figures.drawing import BLUE, DOUBLE_COLUMN, INK, SINGLE_COLUMN, paper_style
from maskaae.report.selection import in_order, models_in_order

ACTIVE, MASKED, DIAGONAL = BLUE, "#ADADAD", INK
FAINT_GREYS = LinearSegmentedColormap.from_list("faint greys", ["#FFFFFF", "#D2D2D2"])
HATCH, HATCH_COLOUR = "//////", "#BBBBBB"


def fig10_data(covariance: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Matrix of the lowest seed of each run, with its mean off-diagonal value over active dimensions.

    `covariance` has a row a run, seed and pair of dimensions: seed, i, j, value (NaN where a dimension is
    constant), active_i, active_j. Title and nac (equation 18, empty where it is undefined) are added.
    """
    lowest = covariance.groupby(["dataset", "model", "m"])["seed"].transform("min")
    rows = in_order(covariance[covariance["seed"] == lowest], titles)
    averaged = rows[rows["active_i"] & rows["active_j"] & (rows["i"] != rows["j"])]
    nac = averaged.groupby(["dataset", "model", "m"])["value"].agg(lambda values: values.mean(skipna=False))
    rows = rows.merge(nac.rename("nac"), on=["dataset", "model", "m"], how="left")
    return rows[["dataset", "title", "model", "m", "seed", "i", "j", "value", "active_i", "active_j", "nac"]]


@paper_style()
def draw_fig10(frame: pd.DataFrame) -> Figure:
    """Draw both matrices on one scale, which ends at the largest value that enters a NAC.

    Pairs with a masked dimension are grey: the encoder leaves next to no variance in it, and normalised by
    that little, what is left can be anything. The diagonal is 1 by definition.
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
    for j in np.flatnonzero(~np.isnan(np.diag(matrix))):
        ax.add_patch(Rectangle((j - 0.5, j - 0.5), 1, 1, fc=DIAGONAL, lw=0, zorder=2))
    active = rows.drop_duplicates("i").sort_values("i")["active_i"].to_numpy(dtype=bool)
    averaged = np.outer(active, active)
    scale = Normalize(vmin=0, vmax=top, clip=True)
    ax.imshow(np.ma.array(matrix, mask=averaged | np.isnan(matrix)), cmap=FAINT_GREYS, norm=scale, zorder=1)
    image = ax.imshow(
        np.ma.array(matrix, mask=~averaged | np.isnan(matrix)), cmap="Purples", norm=scale, zorder=1
    )
    _mark_dimensions(ax, active)
    ax.set_title(_title(rows, active), pad=9)
    ax.set(xlim=(-0.5, m - 0.5), ylim=(m - 0.5, -0.5))  # the strips lie outside
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 4, 8, 10]))
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, pad=1)
    ax.tick_params(axis="y", pad=7)  # beside the strip
    ax.set_xlabel("latent dimension")
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


def _title(rows: pd.DataFrame, active: NDArray[np.bool_]) -> str:
    nac = rows["nac"].iloc[0]
    value = "undefined" if np.isnan(nac) else f"{nac:.3f}"
    return f"{TITLES[rows['model'].iloc[0]]}: {active.sum()} of $m={len(active)}$ active, NAC {value}"


def _legend(frame: pd.DataFrame) -> list[Patch]:
    handles = [Patch(fc=ACTIVE, label="active dimension"), Patch(fc=MASKED, label="masked dimension")]
    if not frame["active_i"].all():
        handles.append(
            Patch(fc="#E4E4E4", ec="#D2D2D2", lw=0.5, label="pair with a masked one (same scale, in grey)")
        )
    handles.append(Patch(fc=DIAGONAL, label="diagonal, 1"))
    if frame["value"].isna().any():
        handles.append(Patch(fc="white", ec=HATCH_COLOUR, hatch=HATCH, lw=0, label="undefined (constant)"))
    return handles
