"""What each active dimension of one model does as it goes from -2 to 2: images, or columns of a table."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from maskaae.report.figures.drawing import DOUBLE_COLUMN, SINGLE_COLUMN, paper_style
from maskaae.report.figures.samples import mosaic

MOST_COLUMNS = 16
"""Columns that are drawn: those that are moved most."""
LINE = 0.3  # inches of a dimension's line in a table's figure
IMAGE = 0.42  # inches of an image


@paper_style()
def draw_traversals(frame: pd.DataFrame) -> Figure:
    """Draw a line of images for each dimension: dimension, place, height, width, channels, pixels."""
    if frame.empty:
        return _nothing()
    dimensions, places = frame["dimension"].nunique(), frame["place"].nunique()
    shape = frame.iloc[0]
    ratio = shape["height"] / shape["width"]
    figure = Figure(figsize=(0.6 + IMAGE * places, 0.6 + IMAGE * ratio * dimensions), layout="constrained")
    ax = figure.subplots()
    # mosaic fills column by column: a column a place.
    order = frame.sort_values(["place", "dimension"]).assign(index=np.arange(len(frame)))
    ax.grid(visible=False)
    ax.imshow(mosaic(order, dimensions), interpolation="nearest")
    across, down = shape["width"] + 1, shape["height"] + 1
    names = [f"{place:g}" for place in sorted(frame["place"].unique())]
    ax.set_xticks(across * np.arange(places) + shape["width"] / 2 - 0.5, names)
    lines = sorted(frame["dimension"].unique())
    ax.set_yticks(down * np.arange(dimensions) + shape["height"] / 2 - 0.5, lines)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("the dimension's value")
    ax.set_ylabel("dimension")
    return figure


def _nothing() -> Figure:
    """Say that no dimension is in use."""
    figure = Figure(figsize=(SINGLE_COLUMN, 0.6))
    figure.text(0.5, 0.5, "no dimension is in use", ha="center", va="center")
    return figure


@paper_style()
def draw_effects(frame: pd.DataFrame) -> Figure:
    """Draw by how many deviations each dimension moves the columns that are moved most; blue is down."""
    if frame.empty:
        return _nothing()
    strongest = frame.groupby("column")["moved"].max().nlargest(MOST_COLUMNS).index
    signed = frame.assign(change=frame["moved"] * np.sign(frame["high"] - frame["low"]))
    table = signed.pivot_table(index="dimension", columns="column", values="change", aggfunc="first")
    table = table.reindex(columns=strongest).fillna(0.0)
    height = 1.3 + LINE * len(table)
    figure = Figure(figsize=(DOUBLE_COLUMN, height), layout="constrained")
    ax = figure.subplots()
    largest = max(float(np.abs(table.to_numpy()).max()), 1e-9)
    ax.grid(visible=False)
    image = ax.imshow(table, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
    ax.set_xticks(range(len(table.columns)), [str(name) for name in table.columns], rotation=45, ha="right")
    ax.set_yticks(range(len(table)), [str(number) for number in table.index])
    ax.set_ylabel("dimension")
    figure.colorbar(image, ax=ax, label="change from -2 to 2\n(deviations of the column)")
    return figure
