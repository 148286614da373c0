"""Examples to look at: samples of a model beside real images, reconstructions, and columns of vectors.

What is shown is the first, or at equal distances, never a choice.
"""

from collections.abc import Mapping, Sequence
from math import isqrt, prod
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from maskaae.data.own.splits import spread_rows
from maskaae.report.figures.drawing import BLUE, DOUBLE_COLUMN, GREY, SINGLE_COLUMN, VERMILLION, paper_style
from maskaae.report.selection import in_order, model_name, models_in_order

REAL = "real"
GAP = 1  # pixels between two images
WHITE = 255
PIXELS = ["height", "width", "channels", "pixels"]
"""Columns of an image; pixels: numbers from 0 to 255 with blanks between them, in the order of (H, W, C)."""
LINES = 2  # of images, for each of all models
ACROSS = 16  # images in such a line
NAME_WIDTH = 0.14  # of the figure with all models
SIDE = 8  # most images along one side of a square of reconstructions
MOST_COLUMNS = 4  # of vectors
BINS = 25
COLOURS = {REAL: GREY, "generated": BLUE, "reconstructed": VERMILLION}


def fig6_data(
    samples: pd.DataFrame, shapes: Mapping[str, Sequence[int]], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Take the first images of each run, as many as fill a square, and the real ones.

    Parameters
    ----------
    samples : DataFrame
        Runs named by dataset, model and m, with their preset; a row an image: kind ("generated", "real",
        "reconstructed"), index, p0 ... p{D-1} (0 to 255, in the order of (H, W, C)).
    shapes : mapping
        Data set -> shape of one image, (H, W, C).

    Returns
    -------
    DataFrame
        dataset, title, preset, model ("real" for real images), m (empty for real images), index, `PIXELS`.
    """
    datasets = samples.groupby("dataset", sort=False)
    images = pd.concat([_as_text(rows, shapes[str(name)]) for name, rows in datasets], ignore_index=True)
    generated = images[images["kind"] == "generated"]
    count = generated.groupby(["dataset", "model", "m"])["index"].transform("size")
    generated = generated[generated["index"] < count.map(isqrt) ** 2]
    real = images[images["kind"] == REAL].drop_duplicates(["dataset", "index"]).assign(model=REAL, m=None)
    columns = ["dataset", "title", "preset", "model", "m", "index", *PIXELS]
    return in_order(pd.concat([generated, real]), titles)[columns]


def _as_text(rows: pd.DataFrame, shape: Sequence[int]) -> pd.DataFrame:
    """Put the pixels of a data set's images into one column: images of any size then make one table."""
    if len(shape) != 3:
        name = rows["dataset"].iloc[0]
        raise ValueError(f"data set '{name}' holds vectors {list(shape)}; figure 6 shows images")
    pixels = rows.loc[:, "p0" : f"p{prod(shape) - 1}"].to_numpy()
    if np.isnan(pixels).any():
        raise ValueError(f"data set '{rows['dataset'].iloc[0]}': an image lacks some of {prod(shape)} pixels")
    named = rows[["dataset", "preset", "model", "m", "kind", "index"]].astype({"m": "Int64"})
    named[PIXELS[:-1]] = list(shape)
    return named.assign(pixels=[" ".join(map(str, image)) for image in pixels.astype(np.uint8)])


@paper_style()
def draw_fig6(frame: pd.DataFrame) -> Figure:
    """Draw a block a data set: real images in the columns that their number fills, then a square a model."""
    names = frame["dataset"].unique()
    mosaics = [_mosaics(frame[frame["dataset"] == name]) for name in names]
    columns = 1 if len(names) == 1 or max(map(len, mosaics)) > 2 else 2
    lines = -(-len(names) // columns)
    layout = ConstrainedLayoutEngine(wspace=0.06 / columns)
    height = lines * (0.35 + DOUBLE_COLUMN / columns * _aspect(mosaics))
    figure = Figure(layout=layout, figsize=(DOUBLE_COLUMN, height))
    blocks = figure.subfigures(lines, columns, squeeze=False).flat
    for block, name, images in zip(blocks, names, mosaics, strict=False):
        _draw_block(block, frame.loc[frame["dataset"] == name, "title"].iloc[0], images)
    return figure


def _mosaics(rows: pd.DataFrame) -> dict[str, NDArray[np.uint8]]:
    """Label -> one image of all images, for the real ones and each model; all of one height."""
    models = models_in_order(rows["model"])
    side = max((isqrt((rows["model"] == model).sum()) for model in models), default=1)
    mosaics = {REAL: mosaic(rows[rows["model"] == REAL], side)} if (rows["model"] == REAL).any() else {}
    for model in models:
        chosen = rows[rows["model"] == model]
        mosaics[f"{model_name(model, chosen['preset'])}, $m={chosen['m'].iloc[0]:g}$"] = mosaic(chosen, side)
    return mosaics


def mosaic(rows: pd.DataFrame, lines: int) -> NDArray[np.uint8]:
    """Set images (a row each: index, `PIXELS`) into a grid of `lines` lines, column by column.

    The last column may be unfinished. Returns (lines * (H + 1) - 1, columns * (W + 1) - 1, 3), with white
    gaps between images.
    """
    height, width, channels = rows[["height", "width", "channels"]].iloc[0]
    texts = rows.sort_values("index")["pixels"]
    images = [np.array(text.split(), dtype=np.uint8).reshape(height, width, channels) for text in texts]
    columns = -(-len(images) // lines)
    grid = np.full((lines * (height + GAP), columns * (width + GAP), 3), WHITE, dtype=np.uint8)
    for place, image in enumerate(images):
        top, left = place % lines * (height + GAP), place // lines * (width + GAP)
        grid[top : top + height, left : left + width] = image  # one channel becomes three equal ones
    return grid[:-GAP, :-GAP]


def _aspect(mosaics: Sequence[Mapping[str, NDArray[np.uint8]]]) -> float:
    """Height of a block divided by its width, of the block where that is greatest."""
    sizes = [np.array([image.shape for image in block.values()]) for block in mosaics]  # (image, H W 3)
    return max(float(size[:, 0].max() / size[:, 1].sum()) for size in sizes)


def _draw_block(block: SubFigure, title: str, mosaics: Mapping[str, NDArray[np.uint8]]) -> None:
    widths = [image.shape[1] for image in mosaics.values()]
    axes = block.subplots(1, len(mosaics), squeeze=False, width_ratios=widths)[0]
    block.suptitle(title)
    for ax, (label, image) in zip(axes, mosaics.items(), strict=True):
        ax.imshow(image, interpolation="nearest")
        ax.set_title(label, fontsize=7.5, pad=3)
        ax.axis("off")


def model_samples_data(
    samples: pd.DataFrame, shapes: Mapping[str, Sequence[int]], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Take `LINES` lines of the first images of every model, and real ones, from what `fig6_data` takes."""
    images = fig6_data(samples, shapes, titles)
    return images[images["index"] < LINES * ACROSS]


@paper_style()
def draw_model_samples(frame: pd.DataFrame) -> Figure:
    """Draw a block a data set, in it a row of images for each model."""
    names = frame["dataset"].unique()
    rows = {name: 1 + len(models_in_order(frame.loc[frame["dataset"] == name, "model"])) for name in names}
    line = DOUBLE_COLUMN * (1 - NAME_WIDTH) / ACROSS * LINES  # height of a row of square images, inches
    heights = [rows[name] * (line + 0.06) + 0.3 for name in names]
    figure = Figure(figsize=(DOUBLE_COLUMN, sum(heights)))
    blocks = figure.subfigures(len(names), 1, squeeze=False, height_ratios=heights)[:, 0]
    for block, name in zip(blocks, names, strict=True):
        _draw_models(block, frame[frame["dataset"] == name])
    return figure


def _draw_models(block: SubFigure, images: pd.DataFrame) -> None:
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
        label = name if name == REAL else model_name(name, images["preset"])
        ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=7)


def reconstructions_data(examples: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Take images of each kind at equal distances, as many as fill a square: kind, index, `PIXELS`.

    `examples` are uint8 (N, H, W, C) under "real", "reconstructed" (in the order of the real ones) and
    "generated".
    """
    count = min(map(len, examples.values()))
    shown = spread_rows(count, min(SIDE, isqrt(count)) ** 2)
    rows = [
        [kind, index, *images[index].shape, " ".join(map(str, images[index].ravel()))]
        for kind, images in examples.items()
        for index in shown.tolist()
    ]
    return pd.DataFrame(rows, columns=["kind", "index", *PIXELS])


@paper_style()
def draw_reconstructions(frame: pd.DataFrame) -> Figure:
    """Draw a square of images a kind."""
    kinds = frame["kind"].unique()
    figure = Figure(figsize=(DOUBLE_COLUMN, DOUBLE_COLUMN / len(kinds) + 0.3), layout="constrained")
    for ax, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        rows = frame[frame["kind"] == kind]
        ax.imshow(mosaic(rows, isqrt(len(rows))), interpolation="nearest")
        ax.set_title(kind)
        ax.axis("off")
    return figure


def marginals_data(examples: Mapping[str, NDArray[Any]], names: Sequence[str]) -> pd.DataFrame:
    """Take the first `MOST_COLUMNS` columns of vectors that vary, by their names, behind a column kind.

    `examples` are (N, D) under "real", "generated" and "reconstructed", in the units of the user's file.
    """
    columns = np.flatnonzero(np.ptp(examples[REAL], axis=0) > 0)[:MOST_COLUMNS]
    tables = []
    for kind, rows in examples.items():
        values = pd.DataFrame(rows[:, columns], columns=[names[column] for column in columns])
        values.insert(0, "kind", kind, allow_duplicates=True)
        tables.append(values)
    return pd.concat(tables, ignore_index=True)


@paper_style()
def draw_marginals(frame: pd.DataFrame) -> Figure:
    """Draw generated over real values on and below the diagonal, reconstructed over real ones above it."""
    names = list(frame.columns[1:])
    values = {kind: rows.iloc[:, 1:].to_numpy() for kind, rows in frame.groupby("kind", sort=False)}
    side = SINGLE_COLUMN if len(names) < 3 else DOUBLE_COLUMN
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots(len(names), len(names), squeeze=False)
    for line, ax_row in enumerate(axes):
        for column, ax in enumerate(ax_row):
            if line == column:
                _draw_histograms(ax, values[REAL][:, column], values["generated"][:, column])
            else:
                other = "generated" if line > column else "reconstructed"
                _draw_pairs(ax, values, other, column, line)
            if line == len(names) - 1:
                ax.set_xlabel(names[column])
            if column == 0 and line > 0:
                ax.set_ylabel(names[line])
    handles = [axes[0, 0].scatter([], [], s=10, color=colour, label=kind) for kind, colour in COLOURS.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    return figure


def _draw_histograms(ax: Axes, real: NDArray[Any], generated: NDArray[Any]) -> None:
    bins = np.histogram_bin_edges(np.concatenate([real, generated]), BINS).tolist()
    ax.hist(real, bins, density=True, color=COLOURS[REAL], alpha=0.6)
    ax.hist(generated, bins, density=True, histtype="step", color=COLOURS["generated"])
    ax.set_yticks([])


def _draw_pairs(ax: Axes, values: Mapping[Any, NDArray[Any]], other: str, x: int, y: int) -> None:
    for kind, alpha in ((REAL, 0.6), (other, 0.5)):
        ax.scatter(
            values[kind][:, x], values[kind][:, y], s=3, color=COLOURS[kind], alpha=alpha, linewidths=0
        )
