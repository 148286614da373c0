"""Copy figures of the last run into the docs, small enough for git: `make docs`, `make docs-table1`."""

import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from maskaae.report.figures.drawing import paper_style

COLOURS = 256
MOST_BYTES = 290_000


def main(figures: Path, target: Path, names: Sequence[str]) -> None:
    """Write the PNGs of ``figures`` with these names (or patterns) to ``target``, with 256 colours."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(path for name in names for path in figures.glob(f"{name}.png")):
        with Image.open(path) as picture:
            save(picture.convert("RGB"), target / path.name)


def write(figure: Figure, path: Path) -> None:
    """Write a figure as a picture that is small enough for git."""
    drawn = BytesIO()
    with paper_style():
        figure.savefig(drawn, format="png")
    with Image.open(drawn) as picture:
        save(picture.convert("RGB"), path)


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture with few colours; smaller by a fifth, as often as it takes, if it is still large."""
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        save(picture.resize((picture.width * 4 // 5, picture.height * 4 // 5)), path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
