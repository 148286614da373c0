"""Samples of every model in lines one below the other, real images first."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure, SubFigure

from maskaae.report.figures import fig6
from maskaae.report.figures.drawing import DOUBLE_COLUMN, paper_style
from maskaae.report.figures.fig6 import REAL, mosaic
from maskaae.report.names import MODEL_NAMES, models_in_order

LINES = 2  # of images, for each model
ACROSS = 24  # images in a line
NAME_WIDTH = 0.14  # of the figure


def data(
    samples: pd.DataFrame, shapes: Mapping[str, Sequence[int]], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Take the first images of every model, never a choice, and real ones; as `fig6.data` does."""
    images = fig6.data(samples, shapes, titles)
    return images[images["index"] < LINES * ACROSS]


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: a block a data set, in it a row of images for each model."""
    names = frame["dataset"].unique()
    rows = {name: 1 + len(models_in_order(frame.loc[frame["dataset"] == name, "model"])) for name in names}
    line = DOUBLE_COLUMN * (1 - NAME_WIDTH) / ACROSS * LINES  # height of a row of square images, inches
    heights = [rows[name] * (line + 0.06) + 0.3 for name in names]
    figure = Figure(figsize=(DOUBLE_COLUMN, sum(heights)))
    blocks = figure.subfigures(len(names), 1, squeeze=False, height_ratios=heights)[:, 0]
    for block, name in zip(blocks, names, strict=True):
        _draw_block(block, frame[frame["dataset"] == name])
    return figure


def _draw_block(block: SubFigure, images: pd.DataFrame) -> None:
    names = [REAL, *models_in_order(images["model"])]
    axes = block.subplots(len(names), 1, squeeze=False)[:, 0]
    m = images["m"].dropna().iloc[0]
    block.suptitle(f"{images['title'].iloc[0]}, $m={m:g}$")
    mosaics = [mosaic(images[images["model"] == name], LINES) for name in names]
    widest = max(image.shape[1] for image in mosaics)
    for ax, name, image in zip(axes, names, mosaics, strict=True):
        ax.imshow(image, interpolation="nearest")
        ax.set_xlim(-0.5, widest - 0.5)  # one scale, though there are fewer real images
        ax.set_anchor("W")
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        ax.set_ylabel(MODEL_NAMES.get(name, name), rotation=0, ha="right", va="center", fontsize=7)
