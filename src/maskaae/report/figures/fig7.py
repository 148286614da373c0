"""Figure 7: the ball cover of Lemma 1, for a unit square: every point of it lies in one of k x k balls."""

from collections.abc import Hashable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from maskaae.report.figures.drawing import BLUE, INK, VERMILLION, paper_style

BALLS_A_SIDE = 4  # the paper's 16 balls and 64 cells
SIZE = 2.5  # inches


def data(balls_a_side: int = BALLS_A_SIDE) -> pd.DataFrame:
    """Balls around a grid of centres, and the cells of half their spacing that tile the square.

    The centres are (i + 1/2) / k, so no point is further than 1 / (2k) from one along either axis, and a ball
    of radius sqrt(2) / (2k) (sqrt(n) / (2k) in n dimensions) covers the four cells around its centre.

    Parameters
    ----------
    balls_a_side : int
        k; the square is tiled by (2k)^2 cells.

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
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame; one ball and its four cells stand out."""
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
