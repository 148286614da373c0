"""The figures' common look: sizes, colours, and the committed style sheet."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl

from maskaae.model_catalogue import TITLES

STYLE_SHEET = Path(__file__).with_name("maskaae.mplstyle")

SINGLE_COLUMN = 3.3  # inches
DOUBLE_COLUMN = 6.9  # inches

# Okabe and Ito's palette: its colours stay apart under every common colour blindness.
VERMILLION, BLUE, GREEN, INK, GREY = "#D55E00", "#0072B2", "#009E73", "#333333", "#9A9A9A"
PURPLE, ORANGE = "#CC79A7", "#E69F00"
MODEL_COLOURS = {"wae": VERMILLION, "maae": BLUE}
MODEL_MARKERS = {"wae": "o", "maae": "s"}
MODEL_NAMES = TITLES
COUNT_COLOUR = GREEN


def models_in_order(names: Iterable[str]) -> list[str]:
    """Each model once, in the order of `MODEL_NAMES`."""
    present = set(names)
    return [model for model in MODEL_NAMES if model in present]


@contextmanager
def paper_style() -> Iterator[None]:
    """Draw and save inside this context (or under it as a decorator) to get the paper's look."""
    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc must not change the picture
        mpl.rcParams.update(mpl.rc_params_from_file(STYLE_SHEET, use_default_template=False))
        yield
