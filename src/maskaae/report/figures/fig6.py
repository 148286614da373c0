"""Figure 6: random samples of the models, real images beside them, one block a data set."""

from collections.abc import Mapping, Sequence
from math import isqrt, prod

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from maskaae.report.figures.drawing import DOUBLE_COLUMN, SINGLE_COLUMN, paper_style
from maskaae.report.names import MODEL_NAMES, models_in_order
from maskaae.report.selection import in_order

REAL = "real"
GAP = 1  # pixels between two images
WHITE = 255
COLUMNS = ["dataset", "title", "model", "m", "index", "height", "width", "channels", "pixels"]


def data(
    samples: pd.DataFrame, shapes: Mapping[str, Sequence[int]], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Take the first images of each run, as many as fill a square, and the real ones.

    Parameters
    ----------
    samples : DataFrame
        Runs named by dataset, model and m; a row an image: kind ("generated", "real", "reconstructed"),
        index, p0 ... p{D-1} (0 to 255, in the order of (H, W, C)).
    shapes : mapping
        Data set -> shape of one image, (H, W, C).
    titles : mapping
        Data set -> its title.

    Returns
    -------
    DataFrame
        dataset, title, model ("real" for real images), m (empty for real images), index, height, width,
        channels, pixels (numbers from 0 to 255 with blanks between them, in the order of (H, W, C)).

    Raises
    ------
    ValueError
        If a data set does not hold images.
    """
    datasets = samples.groupby("dataset", sort=False)
    images = pd.concat([_as_text(rows, shapes[str(name)]) for name, rows in datasets], ignore_index=True)
    generated = images[images["kind"] == "generated"]
    count = generated.groupby(["dataset", "model", "m"])["index"].transform("size")
    generated = generated[generated["index"] < count.map(isqrt) ** 2]
    real = images[images["kind"] == REAL].drop_duplicates(["dataset", "index"]).assign(model=REAL, m=None)
    return in_order(pd.concat([generated, real]), titles)[COLUMNS]


def _as_text(rows: pd.DataFrame, shape: Sequence[int]) -> pd.DataFrame:
    """Put the pixels of a data set's images into one column: images of any size then make one table."""
    if len(shape) != 3:
        name = rows["dataset"].iloc[0]
        raise ValueError(f"data set '{name}' holds vectors {list(shape)}; figure 6 shows images")
    pixels = rows.loc[:, "p0" : f"p{prod(shape) - 1}"].to_numpy()
    if np.isnan(pixels).any():
        raise ValueError(f"data set '{rows['dataset'].iloc[0]}': an image lacks some of {prod(shape)} pixels")
    named = rows[["dataset", "model", "m", "kind", "index"]].astype({"m": "Int64"})
    return named.assign(
        height=shape[0],
        width=shape[1],
        channels=shape[2],
        pixels=[" ".join(map(str, image)) for image in pixels.astype(np.uint8)],
    )


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: real images in the columns that their number fills, then a square a model."""
    names = frame["dataset"].unique()
    mosaics = [_mosaics(frame[frame["dataset"] == name]) for name in names]
    columns = 1 if len(names) == 1 or max(map(len, mosaics)) > 2 else 2
    lines = -(-len(names) // columns)
    width = DOUBLE_COLUMN if columns * max(map(len, mosaics)) > 2 else SINGLE_COLUMN
    layout = ConstrainedLayoutEngine(wspace=0.06 / columns)
    figure = Figure(layout=layout, figsize=(width, lines * (0.35 + width / columns * _aspect(mosaics))))
    blocks = figure.subfigures(lines, columns, squeeze=False).flat
    for block, name, images in zip(blocks, names, mosaics, strict=False):
        _draw_block(block, frame.loc[frame["dataset"] == name, "title"].iloc[0], images)
    return figure


def _mosaics(rows: pd.DataFrame) -> dict[str, NDArray[np.uint8]]:
    """Label -> one image of all images, for the real ones and each model; all of one height."""
    models = models_in_order(rows["model"])
    side = max((isqrt((rows["model"] == model).sum()) for model in models), default=1)
    mosaics = {"real": mosaic(rows[rows["model"] == REAL], side)} if (rows["model"] == REAL).any() else {}
    for model in models:
        chosen = rows[rows["model"] == model]
        mosaics[f"{MODEL_NAMES[model]}, $m={chosen['m'].iloc[0]:g}$"] = mosaic(chosen, side)
    return mosaics


def mosaic(rows: pd.DataFrame, lines: int) -> NDArray[np.uint8]:
    """Set images into a grid of so many lines, column by column, white gaps between them.

    Parameters
    ----------
    rows : DataFrame
        A row an image: index, height, width, channels, pixels.
    lines : int
        Lines of the grid; the last column may be unfinished.

    Returns
    -------
    ndarray
        (lines * (H + 1) - 1, columns * (W + 1) - 1, 3), uint8.
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
    aspects: list[float] = []
    for block in mosaics:
        heights, widths, _ = zip(*(image.shape for image in block.values()), strict=True)
        aspects.append(max(heights) / sum(widths))
    return max(aspects)


def _draw_block(block: SubFigure, title: str, mosaics: Mapping[str, NDArray[np.uint8]]) -> None:
    widths = [image.shape[1] for image in mosaics.values()]
    axes = block.subplots(1, len(mosaics), squeeze=False, width_ratios=widths)[0]
    block.suptitle(title)
    for ax, (label, image) in zip(axes, mosaics.items(), strict=True):
        _draw_mosaic(ax, label, image)


def _draw_mosaic(ax: Axes, label: str, image: NDArray[np.uint8]) -> None:
    ax.imshow(image, interpolation="nearest")
    ax.set_title(label, fontsize=7.5, pad=3)
    ax.axis("off")
