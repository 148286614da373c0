"""Figures that draw no run: the ball cover of Lemma 1 (figure 7), and the synthetic generator (figure 9)."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from maskaae.report.figures.drawing import BLUE, GREEN, GREY, INK, SINGLE_COLUMN, VERMILLION, paper_style

BALLS_A_SIDE = 4  # the paper's 16 balls and 64 cells
SIZE = 2.5  # inches

FEWEST, MOST = 3, 5  # units drawn above, and below, the dots: of the input, of the output
COLOURS = (GREEN, BLUE, VERMILLION)
NAMES = ("input", "hidden", "output")


def fig7_data(balls_a_side: int = BALLS_A_SIDE) -> pd.DataFrame:
    """Balls that cover the unit square, around a grid of centres, and cells of half their spacing.

    The centres are (i + 1/2) / k, so no point is further than 1 / (2k) from one along either axis, and a ball
    of radius sqrt(2) / (2k) (sqrt(n) / (2k) in n dimensions) covers the four cells around its centre; (2k)^2
    cells tile the square. k is `balls_a_side`.

    Returns
    -------
    DataFrame
        A row a cell: cell_x, cell_y (lower left corner), side, and the ball that covers it: ball (number),
        ball_x, ball_y (centre), radius.
    """
    side = 1 / (2 * balls_a_side)
    rows = [
        {
            "cell_x": column * side,
            "cell_y": row * side,
            "side": side,
            "ball": row // 2 * balls_a_side + column // 2,
            "ball_x": (column // 2 + 0.5) / balls_a_side,
            "ball_y": (row // 2 + 0.5) / balls_a_side,
            "radius": np.sqrt(2) * side,
        }
        for row, column in product(range(2 * balls_a_side), repeat=2)
    ]
    return pd.DataFrame(rows)


@paper_style()
def draw_fig7(frame: pd.DataFrame) -> Figure:
    """Draw balls over cells; one ball and its four cells stand out."""
    figure = Figure(figsize=(SIZE, SIZE))
    ax = figure.subplots()
    balls = frame.drop_duplicates("ball")
    chosen = balls["ball"].iloc[len(balls) // 3]
    for cell in frame.to_dict("records"):
        _draw_cell(ax, cell, chosen=cell["ball"] == chosen)
    for ball in balls.sort_values("ball", key=lambda numbers: numbers == chosen).to_dict("records"):
        _draw_ball(ax, ball, chosen=ball["ball"] == chosen)
    ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, ec=INK, lw=1.4, zorder=4))
    margin = frame["radius"].max() - frame["side"].max() + 0.02
    ax.set(
        xlim=(-margin, 1 + margin), ylim=(-margin, 1 + margin), aspect="equal", xticks=[0, 1], yticks=[0, 1]
    )
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return figure


def _draw_cell(ax: Axes, cell: Mapping[Hashable, Any], chosen: bool) -> None:
    square = Rectangle((cell["cell_x"], cell["cell_y"]), cell["side"], cell["side"], ec="#BBBBBB", lw=0.5)
    square.set(fc=VERMILLION if chosen else "white", alpha=0.35 if chosen else 1, zorder=1)
    ax.add_patch(square)


def _draw_ball(ax: Axes, ball: Mapping[Hashable, Any], chosen: bool) -> None:
    centre, colour = (ball["ball_x"], ball["ball_y"]), VERMILLION if chosen else BLUE
    ax.add_patch(Circle(centre, ball["radius"], fill=False, ec=colour, lw=1.5 if chosen else 0.8, zorder=3))
    ax.plot(*centre, "o", ms=2.5, color=colour, zorder=3)


def fig9_data(infos: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> pd.DataFrame:
    """Layers of each synthetic generator, in order, as its dataset.json reports them.

    Returns
    -------
    DataFrame
        dataset, title, layer (0 is the input), name ("input", "hidden", "output"), units, slope (of the leaky
        ReLU behind the layer; empty for the input).
    """
    rows: list[tuple[Any, ...]] = []
    for info in infos:
        dataset, details = info["name"], info["details"]
        if "layers" not in details:
            raise ValueError(f"data set '{dataset}' reports no layers; figure 9 draws a synthetic generator")
        names = [NAMES[0], *[NAMES[1]] * (len(details["layers"]) - 2), NAMES[2]]
        for layer, (name, units) in enumerate(zip(names, details["layers"], strict=True)):
            slope = details["slope"] if layer else np.nan
            rows.append((dataset, titles[dataset], layer, name, units, slope))
    return pd.DataFrame(rows, columns=["dataset", "title", "layer", "name", "units", "slope"])


@paper_style()
def draw_fig9(frame: pd.DataFrame) -> Figure:
    """Draw a net a data set: a column of units a layer, every unit joined to every unit of the next."""
    names = frame["dataset"].unique()
    figure = Figure(figsize=(SINGLE_COLUMN * len(names), 2.6))
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for ax, name in zip(axes, names, strict=True):
        _draw_net(ax, frame[frame["dataset"] == name].sort_values("layer"))
    return figure


def _draw_net(ax: Axes, layers: pd.DataFrame) -> None:
    heights = [_unit_heights(units, layer, len(layers)) for layer, units in enumerate(layers["units"])]
    for x, (left, right) in enumerate(pairwise(heights)):
        for start, end in product(left, right):
            ax.plot([x, x + 1], [start, end], color=GREY, lw=0.3, alpha=0.6, zorder=1)
    for x, (layer, drawn) in enumerate(zip(layers.to_dict("records"), heights, strict=True)):
        colour = COLOURS[NAMES.index(layer["name"])]
        ax.plot([x] * len(drawn), drawn, "o", ms=6.5, mfc=colour, mec="white", mew=0.6, zorder=3)
        if len(drawn) < layer["units"]:
            ax.plot([x] * 3, [-0.32, 0, 0.32], ".", color=INK, ms=2.5, mew=0, zorder=3)
        _label_layer(ax, x, layer)
    ax.set(xlim=(-0.55, len(layers) - 0.45), ylim=(-MOST - 5, MOST + 0.6))
    ax.set_title(layers["title"].iloc[0])
    ax.axis("off")


def _unit_heights(units: int, layer: int, layers: int) -> list[float]:
    """Heights of a layer's drawn units: all of them if few, else some with room for dots in the middle."""
    half = FEWEST + layer * (MOST - FEWEST) // (layers - 1)
    if units <= 2 * half:
        return [unit - (units - 1) / 2 for unit in range(units)]
    return [float(height) for height in range(-half, half + 1) if height != 0]


def _label_layer(ax: Axes, x: int, layer: Mapping[Hashable, Any]) -> None:
    """Write a layer's name, variable or size, and activation below it."""
    units, slope = layer["units"], layer["slope"]
    variable = {
        "input": rf"$z\sim\mathcal{{N}}(0, I_{{{units}}})$",
        "hidden": f"{units} units",
        "output": rf"$x\in\mathbb{{R}}^{{{units}}}$",
    }
    lines = [layer["name"], variable[layer["name"]]]
    if not np.isnan(slope):
        lines += ["leaky ReLU", f"(slope {slope:g})"]
    for place, line in enumerate(lines):
        ax.text(x, -MOST - 1.3 - 1.05 * place, line, ha="center", va="baseline")
