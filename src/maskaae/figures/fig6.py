"""Figure 6: random samples of the models, real images beside them, one block a data set."""

from collections.abc import Mapping, Sequence
from math import isqrt

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from maskaae.figures.selection import in_order
from maskaae.figures.style import DOUBLE_COLUMN, MODEL_NAMES, SINGLE_COLUMN, models_in_order, paper_style

REAL = "real"
GAP = 1  # pixels between two images
WHITE = 255


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
        channels, p0 ... p{D-1}.

    Raises
    ------
    ValueError
        If a data set does not hold images.
    """
    for dataset in samples["dataset"].unique():
        if len(shapes[dataset]) != 3:
            raise ValueError(
                f"data set '{dataset}' holds vectors {list(shapes[dataset])}; figure 6 shows images"
            )
    generated = samples[samples["kind"] == "generated"]
    runs = generated.groupby(["dataset", "model", "m"])
    generated = generated[generated["index"] < runs["index"].transform(lambda index: isqrt(len(index)) ** 2)]
    real = samples[samples["kind"] == REAL].drop_duplicates(["dataset", "index"]).assign(model=REAL, m=np.nan)
    rows = in_order(pd.concat([generated, real]), titles)
    for axis, name in enumerate(("height", "width", "channels")):
        rows[name] = [shapes[dataset][axis] for dataset in rows["dataset"]]
    pixels = rows.filter(regex=r"^p\d+$").astype("Int64")  # empty beyond the image, but never 7.0
    names = ["dataset", "title", "model", "m", "index", "height", "width", "channels"]
    return pd.concat([rows[names].astype({"m": "Int64"}), pixels], axis="columns")


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
        A row an image: index, height, width, channels, p0 ... p{D-1}.
    lines : int
        Lines of the grid; the last column may be unfinished.

    Returns
    -------
    ndarray
        (lines * (H + 1) - 1, columns * (W + 1) - 1, 3), uint8.
    """
    shape = tuple(rows[["height", "width", "channels"]].iloc[0])
    height, width, channels = shape
    pixels = [f"p{place}" for place in range(height * width * channels)]
    images = rows.sort_values("index")[pixels].to_numpy(dtype=np.uint8).reshape(-1, *shape)
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
