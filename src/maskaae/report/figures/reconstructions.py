"""Images, real and reconstructed side by side, and generated ones."""

from collections.abc import Mapping
from math import isqrt
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from maskaae.data.own.splits import spread_rows
from maskaae.report.figures.drawing import DOUBLE_COLUMN, paper_style
from maskaae.report.figures.fig6 import mosaic

SIDE = 8
"""Most images along one side of a block."""


def data(examples: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    """Take images of each kind at equal distances, as many as fill a square: never a choice.

    Parameters
    ----------
    examples : mapping of str to ndarray of uint8 (N, H, W, C)
        Images under "real", "reconstructed" (of the real ones, in their order) and "generated".

    Returns
    -------
    DataFrame
        kind, index, height, width, channels, pixels (numbers from 0 to 255 with blanks between them).
    """
    count = min(map(len, examples.values()))
    shown = spread_rows(count, min(SIDE, isqrt(count)) ** 2)
    rows = [
        [kind, index, *images[index].shape, " ".join(map(str, images[index].ravel()))]
        for kind, images in examples.items()
        for index in shown.tolist()
    ]
    return pd.DataFrame(rows, columns=["kind", "index", "height", "width", "channels", "pixels"])


@paper_style()
def draw(frame: pd.DataFrame) -> Figure:
    """Draw `data`'s frame: a square of images a kind."""
    kinds = frame["kind"].unique()
    figure = Figure(figsize=(DOUBLE_COLUMN, DOUBLE_COLUMN / len(kinds) + 0.3), layout="constrained")
    for ax, kind in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds, strict=True):
        rows = frame[frame["kind"] == kind]
        ax.imshow(mosaic(rows, isqrt(len(rows))), interpolation="nearest")
        ax.set_title(kind)
        ax.axis("off")
    return figure
