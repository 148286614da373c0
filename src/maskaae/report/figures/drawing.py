"""The figures' common look, and the writing of a figure with the csv that it was drawn from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

STYLE_SHEET = Path(__file__).with_name("maskaae.mplstyle")

SINGLE_COLUMN = 3.3  # inches
DOUBLE_COLUMN = 6.9  # inches

# Okabe and Ito's palette: its colours stay apart under every common colour blindness.
VERMILLION, BLUE, GREEN, INK, GREY = "#D55E00", "#0072B2", "#009E73", "#333333", "#9A9A9A"
PURPLE, ORANGE = "#CC79A7", "#E69F00"
MODEL_COLOURS = {"wae": VERMILLION, "maae": BLUE}
MODEL_MARKERS = {"wae": "o", "maae": "s"}
COUNT_COLOUR = GREEN


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw and save inside this context (or under it as a decorator) to get the paper's look."""
    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc must not change the picture
        mpl.rcParams.update(mpl.rc_params_from_file(STYLE_SHEET, use_default_template=False))
        yield


def write_figure(
    frame: pd.DataFrame,
    draw: Callable[[pd.DataFrame], Figure],
    csv: str | Path,
    pdf: str | Path,
    png: str | Path,
) -> None:
    """Write a figure's data, and draw from the written file, so that picture and csv cannot differ.

    The files hold no date and no version, so that equal data give equal bytes.
    """
    frame.to_csv(csv, index=False)
    with paper_style():
        figure = draw(pd.read_csv(csv))
        figure.savefig(pdf, metadata={"CreationDate": None, "Creator": None, "Producer": None})
        figure.savefig(png, metadata={"Software": None})
